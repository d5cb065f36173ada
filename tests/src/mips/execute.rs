//! Runs machine code on a memory, and counts.

use chipwright_mips::{Counts, Executor, Fault, Input, Program};
use chipwright_mips_isa::{A0, Code};

use super::run::RunError;

/// The address of the first word of code.
pub(super) const CODE: u32 = 0x40_0000;
/// The address of the first word of data.
pub(super) const DATA: u32 = 0x1000_0000;

/// More cycles than any layer takes.
const LIMIT: u64 = 4_000_000_000;

/// What a run leaves.
pub(super) struct Finished<'a> {
    /// The memory from [`DATA`] on, as long as it was before.
    pub(super) memory: Vec<u32>,
    /// How often each instruction was executed.
    pub(super) counts: Counts<'a>,
}

/// Code with data.
pub(super) fn program(code: &Code, memory: &[u32]) -> Result<Program, RunError> {
    Ok(Program::assembled(code, (DATA, memory))?)
}

/// Runs a program, whose data has so many words, to its `break`, with an argument in `$a0`.
pub(super) fn run(
    program: &Program,
    words: usize,
    argument: u32,
) -> Result<Finished<'_>, RunError> {
    let input = Input::default();
    let mut counts = Counts::new(program);
    let mut executor = Executor::new(program, &input);
    executor.state_mut().set(A0, argument);
    match executor.run(LIMIT, &mut counts) {
        Err(error) if matches!(error.fault, Fault::Break { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(code) => return Err(RunError::Exit { code }),
    }
    let memory = (0..words as u32).map(|i| {
        let word = executor.state().memory.load(DATA + 4 * i);
        word.expect("data is far from the ends of memory")
    });
    let memory = memory.collect();
    Ok(Finished { memory, counts })
}
