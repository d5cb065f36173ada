//! Proving single segments, and verifying them: the pair of keys of a program, or of all programs.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::machine::{
    MachineError, MachineProver, MachineVerifier, compile_machine,
};
use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{MachineInput, MachineTrace};
use p3_field::{PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_goldilocks::Goldilocks;

use super::machine::{
    FIELD, Shape, input as machine_input, machine, named_publics, program_input, universal_machine,
};
use super::program::Program;
use super::proof::{ProveError, ProveOptions, VerifyError};
use super::segment::{Digest, Segment, State};
use super::vm::Cells;

/// A table of a segment, as it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableReport {
    /// The chip's name.
    pub name: String,
    /// The number of columns.
    pub base_width: usize,
    /// The number of columns with those of the buses, in base elements.
    pub full_width: usize,
    /// The number of preprocessed columns.
    pub fixed_width: usize,
    /// The number of rows that are not padding.
    pub length: usize,
    /// The number of rows: the order of the trace domain.
    pub height: usize,
    /// The generator of the trace domain.
    pub generator: u64,
}

/// Proves the segments of runs of one program, and verifies them: a pair of keys.
#[derive(Debug)]
pub struct Engine {
    shape: Shape,
    prover: MachineProver<Goldilocks2>,
    verifier: MachineVerifier<Goldilocks2>,
    /// What the universal machine is given about the program; nothing for a machine that has it in its key.
    program: MachineInput,
}

impl Engine {
    /// The engine of a program, for segments of a shape.
    ///
    /// # Errors
    ///
    /// Fails if the machine cannot be proven under the configuration.
    pub fn new(program: &Program, shape: Shape, config: &Config) -> Result<Self, ProveError> {
        if !shape.is_valid() {
            return Err(ProveError::Shape(shape));
        }
        let (prover, verifier) = compile_machine(machine(program, &shape)?, config)?;
        Ok(Self { shape, prover, verifier, program: MachineInput::default() })
    }

    /// The engine of all programs, with one of them as a public input.
    ///
    /// # Errors
    ///
    /// Fails if the machine cannot be proven under the configuration.
    pub fn universal(program: &Program, shape: Shape, config: &Config) -> Result<Self, ProveError> {
        if !shape.is_valid() {
            return Err(ProveError::Shape(shape));
        }
        let (prover, verifier) = compile_machine(universal_machine(&shape)?, config)?;
        Ok(Self { shape, prover, verifier, program: program_input(program) })
    }

    /// The engine that the options ask for.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::new`] does, and if the options are those of runs that the machine does not make.
    pub fn of(program: &Program, shape: Shape, options: &ProveOptions) -> Result<Self, ProveError> {
        if options.execution.cells != Cells::Bytes {
            return Err(ProveError::Cells);
        }
        let make = if options.universal { Self::universal } else { Self::new };
        make(program, shape, &options.config)
    }

    /// What the machine is given for a segment.
    pub fn input(&self, segment: &Segment, claim: Digest) -> MachineInput {
        let mut input = machine_input(segment, &self.shape, claim);
        input.rows.extend(self.program.rows.iter().cloned());
        input.publics.extend(self.program.publics.iter().cloned());
        input
    }

    /// The key of all segments.
    pub fn key(&self) -> &VerifyingKey<Goldilocks2> {
        self.verifier.key()
    }

    /// The prover of the machine.
    pub fn prover(&self) -> &MachineProver<Goldilocks2> {
        &self.prover
    }

    /// The trace of a segment: tables as high as the shape says.
    ///
    /// # Errors
    ///
    /// Fails if the segment is none of the machine's.
    pub fn trace(
        &self,
        segment: &Segment,
        claim: Digest,
    ) -> Result<MachineTrace<Goldilocks>, MachineError> {
        let mut trace = self.prover.trace(&self.input(segment, claim))?;
        self.pad(&mut trace);
        Ok(trace)
    }

    /// Makes the tables of a trace as high as the shape says. The segment at the end of a run is shorter: the
    /// rest of its table is padding, which is zero.
    pub fn pad(&self, trace: &mut MachineTrace<Goldilocks>) {
        for (chip, table) in self.prover.machine().chips.iter().zip(&mut trace.tables) {
            if let Some(log_height) = self.shape.log_height(&chip.name) {
                table.height = 1 << log_height;
                table.values.resize(table.height * table.width, Goldilocks::ZERO);
            }
        }
    }

    /// The base-2 logarithms of the heights of a segment's tables.
    pub fn log_heights(&self) -> Vec<usize> {
        // The rows of a program that is a public input are as many as it has.
        let given = |name: &str| {
            let rows = self.program.rows.iter().find(|(chip, _)| chip == name);
            rows.map(|(_, rows)| rows.len().ilog2() as usize)
        };
        let height = |name: &str| self.shape.log_height(name).or_else(|| given(name)).unwrap_or(0);
        let tables = self.key().tables().iter();
        tables.map(|table| table.log_height.unwrap_or_else(|| height(&table.name))).collect()
    }

    /// The public values of a segment, by chip.
    fn named_publics(&self, start: &State, end: &State, claim: Digest) -> Vec<(String, Vec<u64>)> {
        let mut publics = named_publics(start, end, claim);
        publics.extend(self.program.publics.iter().cloned());
        publics
    }

    /// The public values of a segment, table by table.
    ///
    /// # Errors
    ///
    /// Fails if a number of a state is not canonical.
    pub fn publics(
        &self,
        start: &State,
        end: &State,
        claim: Digest,
    ) -> Result<Vec<Vec<Goldilocks>>, MachineError> {
        self.verifier.publics(&self.named_publics(start, end, claim))
    }

    /// The tables of a trace, as they are proven.
    pub fn tables(&self, trace: &MachineTrace<Goldilocks>) -> Vec<TableReport> {
        let shapes = self.key().tables().iter();
        shapes
            .zip(&trace.tables)
            .map(|(shape, table)| TableReport {
                name: shape.name.clone(),
                base_width: shape.width,
                full_width: shape.width + FIELD.degree() * shape.lookup_columns,
                fixed_width: shape.fixed_width,
                length: table.real_rows,
                height: table.height,
                generator: Goldilocks::two_adic_generator(table.height.ilog2() as usize)
                    .as_canonical_u64(),
            })
            .collect()
    }

    /// Proves a segment.
    ///
    /// # Errors
    ///
    /// Fails if the segment is none of the machine's.
    pub fn prove(
        &self,
        segment: &Segment,
        claim: Digest,
    ) -> Result<StarkProof<Goldilocks2>, MachineError> {
        Ok(self.prover.key().prove(self.trace(segment, claim)?)?)
    }

    /// Verifies that a segment goes from one state to another.
    ///
    /// # Errors
    ///
    /// Says why not.
    pub fn verify(
        &self,
        segment: usize,
        (start, end): (&State, &State),
        claim: Digest,
        proof: &StarkProof<Goldilocks2>,
    ) -> Result<(), VerifyError> {
        for (table, &found) in self.key().tables().iter().zip(proof.log_heights()) {
            if let Some(expected) = self.shape.log_height(&table.name)
                && expected != found
            {
                let table = table.name.clone();
                return Err(VerifyError::Height { segment, table, expected, found });
            }
        }
        self.verifier
            .verify(&self.named_publics(start, end, claim), proof)
            .map_err(|error| VerifyError::Segment { segment, error: Box::new(error) })
    }
}
