//! The command `chipwright`.

use std::process::ExitCode;

fn main() -> ExitCode {
    chipwright_examples::cli::main()
}
