//! Chipwright: a framework for people who build STARK circuits.
//!
//! This crate is the front door: it contains nothing of its own, and everything that a chip, a circuit, a
//! machine or a recursive verifier is written with, under short paths.
//!
//! | module | what it is |
//! |---|---|
//! | [`prelude`] | what a file of chips, of circuits or of machines begins with |
//! | [`dsl`] | what users write: chips, machines, circuits |
//! | [`chips`] | the standard chips |
//! | [`ir`] | what was written, to be read, checked, printed and compared |
//! | [`stark`] | keys, proofs, configurations and what they are worth |
//! | [`recursion`] | circuits that verify proofs: layers, chains, trees |
//!
//! ```
//! use chipwright::prelude::machines::*;
//!
//! /// `y = x²`.
//! #[chip]
//! pub struct Square {
//!     #[input]
//!     pub x: Felt,
//!     #[output]
//!     pub y: Felt,
//! }
//!
//! impl Chip for Square {
//!     fn row(c: &Builder, row: &Row<Self>) {
//!         c.define(row.y, row.x * row.x);
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let machine = Machine::new("squares", Field::Goldilocks2).add::<Square>().build()?;
//! let (prover, verifier) = compile_machine::<Goldilocks2>(machine, &Config::testing())?;
//! let input = Input::new(Field::Goldilocks2).rows::<Square>([SquareRecord { x: 9 }]).into_ir();
//! let proof = prover.prove(&input)?;
//! verifier.verify(&[], &proof)?;
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! `recursion` (default) brings [`recursion`]; `testing` brings `dsl::chip_tests!` and what it expands to.

#![cfg_attr(not(feature = "recursion"), allow(rustdoc::broken_intra_doc_links))]

// Generated code speaks of `::chipwright::dsl`, in this crate's own documentation, too.
extern crate self as chipwright;

pub use chipwright_backend_stark as stark;
pub use chipwright_chips as chips;
pub use chipwright_dsl as dsl;
pub use chipwright_ir as ir;
#[cfg(feature = "recursion")]
pub use chipwright_recursion as recursion;

pub mod prelude;
