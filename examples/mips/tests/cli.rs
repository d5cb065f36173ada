//! The commands as a user meets them.

use std::path::{Path, PathBuf};

use chipwright_mips::cli::{self, MipsCommand};
use clap::Parser;
use serde_json::Value;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: MipsCommand,
}

/// What a command writes, or its error.
fn output(arguments: &[&str]) -> Result<String, String> {
    let arguments = ["mips"].iter().chain(arguments);
    let cli = Cli::try_parse_from(arguments).expect("the command line makes sense");
    let mut out = Vec::new();
    cli::run(&cli.command, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("commands write text"))
}

fn guest(name: &str) -> String {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/elf");
    guests.join(format!("{name}.elf")).display().to_string()
}

/// A file with some bytes, which is gone when this is.
struct File(PathBuf);

impl File {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path =
            std::env::temp_dir().join(format!("chipwright-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("the temporary directory is writable");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a plain name")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn run_shows_what_was_written_and_how_it_ended() {
    let text = output(&["run", &guest("hello")]).expect("it ends");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Hello, world!");
    assert!(lines[1].starts_with("exit code 0 after 105 instructions, "), "{text}");
    assert!(lines[2].contains("syscall 2"), "{text}");
    let text = output(&["run", &guest("exit3")]).expect("another exit code is no error");
    assert!(text.contains("\nexit code 3 after "), "{text}");
}

#[test]
fn the_run_in_the_documentation_is_a_run() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mips.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let text = output(&["run", &guest("hello")]).expect("it ends");
    assert!(page.contains(&format!("elf/hello.elf\n{text}```")), "the page does not show: {text}");
}

#[test]
fn run_passes_input_and_hints_and_shows_committed_words() {
    let [input, hint, empty] =
        [("input", &b"abc"[..]), ("hint", &[1, 0, 0, 0, 2, 0, 0, 0]), ("empty", b"")]
            .map(|(name, bytes)| File::new(name, bytes));
    let text = output(&["run", &guest("echo"), "--input", input.path()]).expect("it ends");
    assert!(text.starts_with("ABC3\n"), "{text}");
    let arguments = ["run", &guest("hints"), "--hint", hint.path(), "--hint", empty.path()];
    let text = output(&arguments).expect("it ends");
    assert!(text.contains("\ncommitted 00000003 -------- "), "{text}");
}

#[test]
fn run_writes_json() {
    let text = output(&["run", &guest("commit"), "--json"]).expect("it ends");
    let json: Value = serde_json::from_str(&text).expect("this is JSON");
    assert_eq!(
        (&json["exit_code"], &json["output"]),
        (&Value::from(0), &Value::from("committing\n"))
    );
    assert_eq!(
        (&json["instructions"], &json["public_bytes"]),
        (&Value::from(5208), &Value::from(23))
    );
    // The digest of the public bytes, as sha256sum computes it.
    let committed = [
        "4a956c04", "a136b9d1", "3e0ed5b4", "568178bd", "99e6e18a", "ca08f865", "9a26e591",
        "4690f27e",
    ];
    assert_eq!(json["committed"], Value::from(committed.map(Value::from).to_vec()));
    let opcodes = json["opcodes"].as_array().expect("a list");
    let counted: u64 = opcodes.iter().filter_map(|opcode| opcode["instructions"].as_u64()).sum();
    assert_eq!(counted, 5208, "every instruction is one of some kind");
}

#[test]
fn what_cannot_be_executed_is_one_line() {
    for (arguments, expected) in [
        (vec!["run", "/nowhere"], "`/nowhere` cannot be read: "),
        (vec!["run", &guest("panics")], "a break at 0x"),
        (vec!["run", &guest("overflow.O0")], "the stack is exhausted at 0xfff8 at 0x"),
        (
            vec!["run", &guest("million"), "--limit", "1000"],
            "the program did not end within 1000 instructions at 0x",
        ),
        (vec!["run", &guest("hints")], "a hint is asked for, and all 0 are taken at 0x"),
        (vec!["disassemble", file!()], "cannot be"),
    ] {
        let error = output(&arguments).expect_err("it fails");
        assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
    }
    let error = output(&["run", &guest("panics")]).expect_err("it breaks");
    assert!(error.contains("in panic"), "{error}");
    assert!(error.contains(r#"the program wrote "panic: the index is out of bounds""#), "{error}");
    let this = File::new("text", b"no program");
    let error = output(&["disassemble", this.path()]).expect_err("it is no program");
    assert!(error.ends_with("cannot be loaded: this is no ELF file"), "{error}");
}

#[test]
fn disassemble_shows_routines_with_their_instructions() {
    let text = output(&["disassemble", &guest("fib")]).expect("it is a program");
    for expected in ["\n__start:\n", "\nmain:\n", "  03e00008  jr $ra\n", "  0000000c  syscall\n"] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
}
