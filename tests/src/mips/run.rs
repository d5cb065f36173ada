//! The work of a layer, done by machine code, and each result compared with the trace.

use chipwright_backend_stark::circuit::CircuitError;
use chipwright_mips::{ExecutionError, ProgramError};
use chipwright_mips_isa::{A0, Assembler, AssemblerError, FP, SP, ZERO};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

use super::execute::{self, CODE, DATA};
use super::goldilocks::{constants, words};
use super::poseidon2::{RECORD, WIDTH, permutation, round_constants};
use super::routines::{Arithmetic, COMBINE_HEADER, combine};
use super::work::{Combination, DIGEST, Ext, Operation, Permutation, Work};

/// Why the work of a layer was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The inputs do not satisfy the circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Another kind of circuit.
    #[error("the circuit has no table of hashes, or several")]
    NoHashes,
    /// The program is not sound.
    #[error(transparent)]
    Assembler(#[from] AssemblerError),
    /// The program and its data do not fit into memory.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The program went wrong.
    #[error(transparent)]
    Execution(#[from] Box<ExecutionError>),
    /// The program ended otherwise than at its `break`.
    #[error("the program ended with exit code {code}")]
    Exit {
        /// The exit code.
        code: u32,
    },
    /// A result is not that of the trace.
    #[error("{routine} number {index} is not what the trace says")]
    Wrong {
        /// The routine.
        routine: &'static str,
        /// Which of its calls.
        index: usize,
    },
}

/// The cycles of a run, by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    /// In permutations.
    pub permutations: u64,
    /// In opening combinations.
    pub combinations: u64,
    /// In other arithmetic.
    pub arithmetic: u64,
    /// In the loops that call all of it, which are not counted as work.
    pub calls: u64,
}

impl Cycles {
    /// The cycles of all work.
    pub const fn total(&self) -> u64 {
        self.permutations + self.without_permutations()
    }

    /// The cycles of a machine with an instruction for permutations that takes none.
    pub const fn without_permutations(&self) -> u64 {
        self.combinations + self.arithmetic
    }
}

impl Work {
    /// Does the work on the machine.
    ///
    /// # Errors
    ///
    /// Fails if a result is not that of the trace.
    pub fn run(&self) -> Result<Cycles, RunError> {
        let mut memory = round_constants();
        let mut asm = Assembler::new();
        asm.routine("main");
        constants(&mut asm);

        let states = memory.len();
        for Permutation { before, .. } in &self.permutations {
            memory.extend(words(before));
            memory.extend([0; RECORD as usize / 4 - 2 * WIDTH]);
        }
        call_each(&mut asm, "permutation", states, self.permutations.len(), RECORD);

        let combinations = memory.len();
        for Combination { point, elements, .. } in &self.combinations {
            let point = coefficients(*point);
            let seven = Goldilocks::from_u64(point[1]) * Goldilocks::from_u8(7);
            let last =
                address(memory.len()) + COMBINE_HEADER as u32 + 8 * (elements.len() as u32 - 1);
            memory.extend(words(&[0, 0]));
            memory.extend(words(&point));
            memory.extend(words(&[seven.as_canonical_u64(), last.into()]));
            memory.extend(words(elements));
        }
        if !self.combinations.is_empty() {
            // A record ends where the next one begins.
            asm.li(A0, address(combinations));
            asm.li(FP, address(memory.len()));
            let next = asm.here();
            asm.jal("combine");
            asm.nop();
            asm.bne(A0, FP, next);
            asm.nop();
        }

        let mut operations = Vec::new();
        for (routine, list) in &self.arithmetic {
            operations.push((routine, list, memory.len()));
            call_each(&mut asm, routine.name(), memory.len(), list.len(), Arithmetic::RECORD);
            for Operation { operands, .. } in list {
                memory.extend(words(operands.map(coefficients).as_flattened()));
                memory.extend(words(&[0; 2]));
            }
        }
        asm.stop();
        permutation(&mut asm);
        combine(&mut asm);
        self.arithmetic.keys().for_each(|routine| routine.emit(&mut asm));

        let program = execute::program(&asm.finish(CODE)?, &memory)?;
        let finished = execute::run(&program, memory.len(), 0)?;
        let memory = &finished.memory;

        let record = RECORD as usize / 4;
        for (index, Permutation { digest, .. }) in self.permutations.iter().enumerate() {
            let found = (0..DIGEST).map(|i| element(memory, states + index * record + 2 * i));
            ensure(found.eq(digest.iter().copied()), "permutation", index)?;
        }
        let mut place = combinations;
        for (index, Combination { elements, sum, .. }) in self.combinations.iter().enumerate() {
            ensure(ext_element(memory, place) == *sum, "combine", index)?;
            place += COMBINE_HEADER as usize / 4 + 2 * elements.len();
        }
        for (routine, list, first) in operations {
            for (index, Operation { result, .. }) in list.iter().enumerate() {
                let record = first + index * Arithmetic::RECORD as usize / 4;
                // Routines of base elements leave the other coefficient zero.
                let found = ext_element(memory, record + 12);
                ensure(found == *result, routine.name(), index)?;
            }
        }

        let cycles = |routine: &str| finished.counts.of_routine(routine);
        Ok(Cycles {
            permutations: cycles("permutation"),
            combinations: cycles("combine"),
            arithmetic: self.arithmetic.keys().map(|routine| cycles(routine.name())).sum(),
            calls: cycles("main"),
        })
    }
}

fn ensure(holds: bool, routine: &'static str, index: usize) -> Result<(), RunError> {
    if holds { Ok(()) } else { Err(RunError::Wrong { routine, index }) }
}

/// The address of a word of memory.
fn address(word: usize) -> u32 {
    DATA + 4 * word as u32
}

/// Calls a routine with each record of a list, which begins at a word of memory.
fn call_each(asm: &mut Assembler, routine: &'static str, word: usize, count: usize, size: i16) {
    if count == 0 {
        return;
    }
    let (record, last) = (SP, FP);
    asm.li(record, address(word));
    asm.li(last, address(word) + (count as u32 - 1) * size as u32);
    let next = asm.here();
    asm.jal(routine);
    asm.or(A0, record, ZERO);
    asm.bne(record, last, next);
    asm.addiu(record, record, size);
}

fn element(memory: &[u32], word: usize) -> Goldilocks {
    Goldilocks::from_u64(u64::from(memory[word]) | u64::from(memory[word + 1]) << 32)
}

fn ext_element(memory: &[u32], word: usize) -> Ext {
    Ext::from_basis_coefficients_fn(|i| element(memory, word + 2 * i))
}

fn coefficients(value: Ext) -> [u64; 2] {
    let coefficients: &[Goldilocks] = value.as_basis_coefficients_slice();
    std::array::from_fn(|i| coefficients[i].as_canonical_u64())
}

#[cfg(test)]
mod tests {
    use p3_goldilocks::default_goldilocks_poseidon2_16;
    use p3_symmetric::Permutation as _;

    use super::*;
    use crate::{Compiled, toy};
    use chipwright_ir::circuit::{Form, Inputs};

    /// A permutation, a combination of two elements, a product, and a product of base elements.
    fn work() -> Work {
        let before = std::array::from_fn(|i| i as u64);
        let after = default_goldilocks_poseidon2_16().permute(before.map(Goldilocks::from_u64));
        let [a, b] = [
            [0x8000_0000_0000_0003, 0xc000_0000_0000_0005],
            [0xa000_0000_0000_0007, 0x7000_0000_0000_000b],
        ]
        .map(|values| Ext::from_basis_coefficients_fn(|i| Goldilocks::from_u64(values[i])));
        let mut work = Work::default();
        work.permutations.push(Permutation { before, digest: after[..DIGEST].to_vec() });
        let sum = a * Goldilocks::from_u8(13) + Goldilocks::from_u8(17);
        work.combinations.push(Combination { point: a, elements: vec![13, 17], sum });
        let product = Operation { operands: [a, b, Ext::ZERO], result: a * b };
        work.arithmetic.insert(Arithmetic::ExtMul, vec![product]);
        let base = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0].map(Ext::from_u64);
        let product = Operation { operands: base, result: base[0] * base[1] };
        work.arithmetic.insert(Arithmetic::BaseMul, vec![product]);
        work
    }

    #[test]
    fn work_is_done_and_counted_by_part() {
        let cycles = work().run().expect("the results are right");
        assert_eq!(cycles.permutations, 30_226);
        assert_eq!(cycles.arithmetic, 129 + 32);
        assert_eq!(cycles.total(), cycles.permutations + cycles.combinations + cycles.arithmetic);
    }

    #[test]
    fn each_wrong_result_is_found() {
        let rejected = |routine: &str, alter: fn(&mut Work)| {
            let mut work = work();
            alter(&mut work);
            match work.run() {
                Err(RunError::Wrong { routine: found, index: 0 }) => assert_eq!(found, routine),
                other => panic!("{routine}: {other:?}"),
            }
        };
        rejected("permutation", |work| work.permutations[0].digest[3] += Goldilocks::ONE);
        rejected("permutation", |work| work.permutations[0].before[15] += 1);
        rejected("combine", |work| work.combinations[0].sum += Ext::ONE);
        rejected("combine", |work| work.combinations[0].elements[0] += 1);
        for routine in [Arithmetic::ExtMul, Arithmetic::BaseMul] {
            let mut work = work();
            work.arithmetic.get_mut(&routine).expect("there is one")[0].result += Ext::ONE;
            let error = work.run().expect_err("the result is wrong");
            assert_eq!(
                error.to_string(),
                format!("{} number 0 is not what the trace says", routine.name())
            );
        }
    }

    #[test]
    fn a_circuit_without_hashes_is_refused() {
        let compiled = Compiled::new(&toy(), Form::Fused);
        let work = Work::of(&compiled.prover, &Inputs::publics([3]));
        assert!(matches!(work, Err(RunError::NoHashes)), "{work:?}");
    }
}
