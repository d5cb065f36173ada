//! What a dishonest prover can hand to a verifier, native or in a circuit: every piece of a proof altered, every
//! check of the circuit violated alone, and holes that others shipped.

mod checks;
mod forging;
mod layers;
mod matrix;
mod negative;
mod openings;
mod prover;
mod rules;
mod scene;
mod single;
mod tamper;
