// Which mutant is on: the one with the number in `CHIPWRIGHT_MUTANT`. The file that `CHIPWRIGHT_MUTANTS_REACHED` names
// gets the numbers of those that are reached.
mod mutant {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Switch {
        on: Option<u32>,
        reached: Option<(File, Vec<AtomicBool>)>,
    }

    static SWITCH: OnceLock<Switch> = OnceLock::new();

    impl Switch {
        fn of_environment() -> Self {
            let on = std::env::var("CHIPWRIGHT_MUTANT").ok();
            let reached = std::env::var_os("CHIPWRIGHT_MUTANTS_REACHED").map(|path| {
                let file = OpenOptions::new().append(true).create(true).open(path);
                let known = std::iter::repeat_with(|| AtomicBool::new(false)).take(1 << 16);
                (file.expect("the file can be written"), known.collect())
            });
            Self { on: on.map(|on| on.parse().expect("mutants have numbers")), reached }
        }
    }

    pub(crate) fn is(number: u32) -> bool {
        let Switch { on, reached } = SWITCH.get_or_init(Switch::of_environment);
        if let Some((mut file, known)) = reached.as_ref().map(|(file, known)| (file, known))
            && !known[number as usize].load(Ordering::Relaxed)
            && !known[number as usize].swap(true, Ordering::Relaxed)
        {
            // In one write, as other crates and child processes append to the same file.
            file.write_all(format!("{number}\n").as_bytes()).expect("the file can be written");
        }
        *on == Some(number)
    }
}
