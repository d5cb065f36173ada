//! The programs in `examples/brainfuck`, written for this project.
//!
//! ```
//! use chipwright_examples::brainfuck::{Options, Program, programs, run};
//!
//! let hello = Program::compile(programs::HELLO)?;
//! assert_eq!(run(&hello, b"", &Options::default())?.output, b"Hello, world!\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// Prints a greeting.
pub const HELLO: &str = include_str!("../../brainfuck/hello.bf");

/// Writes its input.
pub const ECHO: &str = include_str!("../../brainfuck/echo.bf");

/// Writes its input backwards.
pub const REVERSE: &str = include_str!("../../brainfuck/reverse.bf");

/// Prints the squares of 0 to 15, in some 16,000 cycles.
pub const SQUARES: &str = include_str!("../../brainfuck/squares.bf");

/// Sorts its input, in about a million cycles.
pub const SORT: &str = include_str!("../../brainfuck/sort.bf");

/// Counts, for about two million cycles.
pub const MILLION: &str = include_str!("../../brainfuck/million.bf");
