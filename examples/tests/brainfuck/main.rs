//! The Brainfuck machine: the criteria of its construction, forged runs, other interpreters.

mod criteria;
mod differential;
mod forging;
mod negative;
mod page;
mod recursion;
mod segments;
