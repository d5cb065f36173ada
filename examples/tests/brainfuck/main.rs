//! The Brainfuck machine: the criteria of its construction, forged runs, other interpreters.

mod compression;
mod criteria;
mod differential;
mod forging;
mod negative;
mod page;
mod recursion;
mod segments;
