//! Files of real compilers are mutated, symbols and sections included.

use std::path::Path;

use chipwright_mips::Program;
use proptest::prelude::*;

fn guest() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/elf/fib.elf");
    std::fs::read(path).expect("the guest is there")
}

#[test]
fn symbols_name_the_routines_of_a_guest() {
    let program = Program::from_elf(&guest()).expect("sound");
    let names: Vec<&str> = program.symbols().iter().map(|symbol| symbol.name.as_str()).collect();
    for name in ["__start", "main", "recursive", "put_decimal", "guest_exit"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(
        program.locate(program.entry()).map(|at| at.to_string()),
        Some("__start".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn m_01_no_altered_guest_makes_the_loader_panic(
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut file = guest();
        for (offset, byte) in bytes {
            let offset = offset.index(file.len());
            file[offset] = byte;
        }
        if let Ok(program) = Program::from_elf(&file) {
            prop_assert!(program.symbols().len() <= file.len() / 16);
        }
    }
}
