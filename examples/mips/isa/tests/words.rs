//! Words are instructions, and instructions are words; their text is that of GNU binutils.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use chipwright_mips_isa::{Instruction, Opcode, Register};
use proptest::prelude::*;

/// An instruction with any fields.
fn instruction() -> impl Strategy<Value = Instruction> {
    let register = || (0..32_u8).prop_map(|number| Register::new(number).expect("below 32"));
    let opcode = (0..Opcode::ALL.len()).prop_map(|index| Opcode::ALL[index]);
    let fields = (register(), register(), register(), 0..32_u8, any::<u32>());
    (opcode, fields).prop_map(|(opcode, (rs, rt, rd, amount, constant))| Instruction {
        opcode,
        rs,
        rt,
        rd,
        amount,
        constant,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_word_that_is_an_instruction_is_the_word_of_that_instruction(word in any::<u32>()) {
        if let Some(instruction) = Instruction::decode(word) {
            prop_assert_eq!(instruction.encode(), word);
        }
    }

    #[test]
    fn a_decoded_instruction_has_no_fields_that_its_word_lacks(instruction in instruction()) {
        let word = instruction.encode();
        // Fields of bits that leave the word are none.
        if let Some(decoded) = Instruction::decode(word) {
            prop_assert_eq!(decoded.opcode, instruction.opcode);
            prop_assert_eq!(decoded.encode(), word);
            prop_assert_eq!(Instruction::decode(decoded.encode()), Some(decoded));
        } else {
            prop_assert!(matches!(instruction.opcode, Opcode::Ext | Opcode::Ins));
        }
    }
}

/// The text of words from address 0 on, as GNU's disassembler writes it: name and operands, without aliases.
fn disassembled(words: &[u32]) -> Option<Vec<String>> {
    let path = std::env::temp_dir().join(format!("chipwright-words-{}.bin", std::process::id()));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    fs::write(&path, bytes).expect("the temporary directory is writable");
    let output = Command::new("mipsel-linux-gnu-objdump")
        .args(["-D", "-z", "-b", "binary", "-m", "mips:isa32r2", "-EL"])
        .args(["-M", "no-aliases,gpr-names=32,cp0-names=numeric,hwr-names=numeric"])
        .arg(&path)
        .output();
    fs::remove_file(&path).expect("the file is there");
    let Ok(output) = output else {
        println!("skipped: mipsel-linux-gnu-objdump is not installed");
        return None;
    };
    let text = String::from_utf8(output.stdout).expect("the disassembler writes text");
    let mut lines = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.split('\t');
        let address = parts.next().and_then(|address| address.trim().strip_suffix(':'));
        let Some(address) = address.and_then(|text| usize::from_str_radix(text, 16).ok()) else {
            continue;
        };
        let instruction: Vec<&str> = parts.skip(1).collect();
        lines.insert(address / 4, instruction.join(" ").trim().to_owned());
    }
    assert_eq!(lines.len(), words.len(), "one line a word");
    Some(lines.into_values().collect())
}

/// Our text as GNU writes it: no `$`, no space behind a comma.
fn ours(instruction: Instruction, pc: u32) -> String {
    instruction.at(pc).to_string().replace('$', "").replace(", ", ",")
}

/// Text with numbers in decimal, and without the aliases that GNU writes though it is told not to.
fn normal(text: &str) -> String {
    let text = text.replace('$', "");
    let (name, operands) = text.split_once(' ').unwrap_or((&text, ""));
    let registers: Vec<&str> = operands.split(',').collect();
    match (name, &registers[..]) {
        ("div" | "divu", ["zero", a, b]) => return format!("{name} {a},{b}"),
        ("jalr" | "jalr.hb", ["ra", to]) => return format!("{name} {to}"),
        ("sub", [to, "zero", of]) => return format!("neg {to},{of}"),
        ("subu", [to, "zero", of]) => return format!("negu {to},{of}"),
        _ => {}
    }
    let operands = operands.trim().split(',').map(|operand| {
        let number = operand.strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        number.map_or(operand.to_owned(), |number| number.to_string())
    });
    let operands: Vec<String> = operands.collect();
    format!("{name} {}", operands.join(","))
}

#[test]
fn text_is_that_of_gnu_binutils_and_no_integer_instruction_is_missing() {
    // Numbers that look random and are the same in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as u32
    };
    let mut words = Vec::new();
    for &opcode in Opcode::ALL {
        let description = Instruction::new(opcode).encode();
        words.push(description);
        for _ in 0..40 {
            let register = |bits: u32| Register::new(bits as u8 & 31).expect("below 32");
            let fields = random();
            words.push(
                Instruction {
                    rs: register(fields),
                    rt: register(fields >> 5),
                    rd: register(fields >> 10),
                    amount: (fields >> 15 & 31) as u8,
                    constant: random(),
                    ..Instruction::new(opcode)
                }
                .encode(),
            );
        }
    }
    words.extend((0..40_000).map(|_| random()));
    let Some(lines) = disassembled(&words) else {
        return;
    };
    let (mut compared, mut different) = (0, Vec::new());
    for (index, (&word, theirs)) in words.iter().zip(&lines).enumerate() {
        match Instruction::decode(word) {
            Some(instruction) => {
                let ours = ours(instruction, 4 * index as u32);
                if normal(&ours) != normal(theirs) {
                    different.push(format!("{word:#010x}: `{ours}` here, `{theirs}` there"));
                }
                compared += 1;
            }
            None => {
                let name = theirs.split(' ').next().unwrap_or_default();
                let known = Opcode::ALL.iter().any(|opcode| opcode.name() == name);
                // GNU also shows fields of bits that leave the word.
                let known = known && !["ext", "ins"].contains(&name);
                if known {
                    different.push(format!("{word:#010x}: `{theirs}` there, nothing here"));
                }
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(compared > 4000, "{compared} words are instructions");
}
