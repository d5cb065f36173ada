//! The Brainfuck machine: the criteria of its construction, forged runs, other interpreters.

mod compression;
mod criteria;
mod differential;
mod forging;
mod negative;
mod numbers;
mod page;
mod recursion;
mod segments;
