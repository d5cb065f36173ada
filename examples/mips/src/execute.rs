//! The executor.
//!
//! The text of a program is decoded when it is loaded; an instruction is then one look-up and one `match`. A run can be stopped
//! after any instruction, also between a jump and its delay slot, and goes on from its [`State`].

mod calls;
mod fault;
mod linux;
mod memory;
mod observe;
mod state;
mod step;

use crate::program::Program;

pub use fault::{ExecutionError, Fault};
pub(crate) use linux::{ANSWERS, FCNTL, IOCTL, fcntl, ioctl};
pub use memory::{Denied, Memory, PAGE_BYTES, PAGE_WORDS};
pub use observe::{Access, Counts, Observer, Output, Trace};
pub(crate) use state::MAPPED_END;
pub use state::{Demand, Input, State};
use step::{Next, Step};

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The program ended with an exit code.
    Exit(u32),
    /// It was executed as far as asked for.
    Limit,
}

/// A run of a program.
#[derive(Clone, Debug)]
pub struct Executor<'a> {
    program: &'a Program,
    input: &'a Input,
    state: State,
}

impl<'a> Executor<'a> {
    /// A run that has not begun.
    pub fn new(program: &'a Program, input: &'a Input) -> Self {
        Self::resume(program, input, State::new(program))
    }

    /// A run that goes on from a state: one that a run of the same program with the same input was in.
    pub fn resume(program: &'a Program, input: &'a Input, state: State) -> Self {
        Self { program, input, state }
    }

    /// The state between the instructions executed and those that follow.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, to change it.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// The state, to keep it.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Executes the program to its end, and returns its exit code.
    ///
    /// # Errors
    ///
    /// Fails if an instruction cannot be executed, or `limit` of them were without an end.
    pub fn run(
        &mut self,
        limit: u64,
        observer: &mut impl Observer,
    ) -> Result<u32, Box<ExecutionError>> {
        match self.run_until(limit, observer)? {
            Stop::Exit(code) => Ok(code),
            Stop::Limit => Err(self.report(Fault::Limit { limit })),
        }
    }

    /// Executes the program until the clock shows `limit`, or to its end.
    ///
    /// # Errors
    ///
    /// Fails if an instruction cannot be executed. The state is then the one before it.
    pub fn run_until(
        &mut self,
        limit: u64,
        observer: &mut impl Observer,
    ) -> Result<Stop, Box<ExecutionError>> {
        if let Some(code) = self.state.exit {
            return Ok(Stop::Exit(code));
        }
        let Self { program, input, state } = self;
        let Some(mut text) = program.text().first() else {
            return Err(self.report(Fault::BadJump { target: self.state.pc }));
        };
        while state.clock < limit {
            let pc = state.pc;
            let mut found = text.instructions.get(text.index(pc));
            if found.is_none() {
                let Some(other) = program.text_at(pc) else {
                    return Err(self.report(Fault::BadJump { target: pc }));
                };
                text = other;
                found = text.instructions.get(text.index(pc));
            }
            let Some(Some(instruction)) = found else {
                let word = state.memory.load(pc).unwrap_or_default();
                return Err(self.report(Fault::Reserved { word }));
            };
            observer.instruction(state, instruction);
            let step = Step { state, input, observer };
            match step.execute(instruction) {
                Ok(Next::Follow) => {
                    state.pc = state.next_pc;
                    state.next_pc = state.pc.wrapping_add(4);
                }
                Ok(Next::Jump(target)) => {
                    state.pc = state.next_pc;
                    state.next_pc = target;
                }
                Ok(Next::Skip) => {
                    state.pc = state.next_pc.wrapping_add(4);
                    state.next_pc = state.pc.wrapping_add(4);
                }
                Ok(Next::Exit(code)) => {
                    state.pc = state.next_pc;
                    state.next_pc = state.pc.wrapping_add(4);
                    state.clock += 1;
                    state.exit = Some(code);
                    return Ok(Stop::Exit(code));
                }
                Err(fault) => return Err(self.report(fault)),
            }
            state.clock += 1;
        }
        Ok(Stop::Limit)
    }

    /// The report of a fault in the present state.
    #[cold]
    fn report(&self, fault: Fault) -> Box<ExecutionError> {
        ExecutionError::new(fault, self.program, &self.state)
    }
}
