//! The criteria of the witness-table construction, R-01 to R-30, each in a test that bears its number.
//! are about verifiers in circuits: their tests are those of `chipwright-recursion`.
//!
//! Where the construction's document and the design differ, the design wins and the test says so.

mod buses;
mod calls;
mod runs;
mod slots;
mod texts;

use chipwright_ir::circuit::Form;

const FORMS: [Form; 2] = [Form::Fused, Form::Separate];

/// Where the digest of a statement is in a proof.
fn position(bytes: &[u8], digest: &[u8; 32]) -> usize {
    bytes.windows(32).position(|window| window == digest).expect("the proof names its statement")
}
