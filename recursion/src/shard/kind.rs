//! One kind of shard: a machine, how its tables are laid out, and the keys that follow.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::machine::{
    MachineError, MachineProver, MachineVerifier, compile_machine_with_layout,
};
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::machine::fill::fill_with;
use chipwright_ir::machine::layout::FUSED_TABLE;
use chipwright_ir::machine::{Machine, MachineInput, MachineLayout, MachineTrace, Report};

use super::error::ShardError;
use super::parts::{self, Parts, StepShape};
use crate::batch::RecursiveField;
use crate::claims::{Claims, StepValues};

/// An entry of a menu: a machine with a layout. Shards of one kind have one key, and tables of the same heights.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The name, for messages.
    pub name: String,
    /// The machine.
    pub machine: Machine,
    /// How its tables are folded.
    pub layout: MachineLayout,
    /// The rows of tables that stand apart and have no fixed contents, by chip: all shards of the kind have as many, which are
    /// filled up with padding.
    pub rows: Vec<(String, usize)>,
}

impl Kind {
    /// A machine with a layout.
    pub fn new(name: impl Into<String>, machine: Machine, layout: MachineLayout) -> Self {
        Self { name: name.into(), machine, layout, rows: Vec::new() }
    }

    /// With the rows of a table that stands apart: a power of two.
    #[must_use]
    pub fn with_rows(mut self, chip: impl Into<String>, rows: usize) -> Self {
        self.rows.push((chip.into(), rows));
        self
    }
}

/// A kind with its keys.
#[derive(Debug)]
pub struct CompiledKind<P: RecursiveField> {
    name: String,
    rows: Vec<(String, usize)>,
    prover: MachineProver<P>,
    verifier: MachineVerifier<P>,
    log_heights: Vec<usize>,
    shape: StepShape,
    values: StepValues,
}

impl<P: RecursiveField> CompiledKind<P> {
    /// Compiles a kind.
    ///
    /// # Errors
    ///
    /// Fails if the machine cannot be proven in its layout, if its public values make no steps, or if the height of a table
    /// is not known.
    pub fn new(kind: &Kind, config: &Config) -> Result<Self, ShardError> {
        let Kind { name, machine, layout, rows } = kind;
        let of_machine = |error: MachineError| ShardError::Machine {
            kind: name.clone(),
            error: Box::new(error),
        };
        let shape = StepShape::of(machine)?;
        let (prover, verifier) = compile_machine_with_layout::<P>(machine.clone(), config, layout)
            .map_err(of_machine)?;
        let chips = verifier.public_chips().filter_map(|name| {
            let chips = &prover.machine().chips;
            chips.iter().find(|chip| chip.name == name)
        });
        let values = shape.values(chips)?;
        let height = |table: &str| {
            let apart = || rows.iter().find(|(chip, _)| chip == table);
            let is_fused = table == FUSED_TABLE && !layout.is_separate();
            let rows = if is_fused { 1 << layout.log_height } else { apart()?.1 };
            rows.is_power_of_two().then(|| rows.ilog2() as usize)
        };
        let log_heights = verifier.key().tables().iter().map(|table| {
            let unknown = || ShardError::Rows { kind: name.clone(), table: table.name.clone() };
            table.log_height.or_else(|| height(&table.name)).ok_or_else(unknown)
        });
        let log_heights = log_heights.collect::<Result<_, _>>()?;
        let (name, rows) = (name.clone(), rows.clone());
        Ok(Self { name, rows, prover, verifier, log_heights, shape, values })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key of the kind's proofs.
    pub fn key(&self) -> &VerifyingKey<P> {
        self.verifier.key()
    }

    /// The prover of the machine.
    pub fn prover(&self) -> &MachineProver<P> {
        &self.prover
    }

    /// The base-2 logarithms of the heights of the kind's tables.
    pub fn log_heights(&self) -> &[usize] {
        &self.log_heights
    }

    /// The parts of a step.
    pub fn shape(&self) -> &StepShape {
        &self.shape
    }

    /// What the kind's proofs claim.
    pub fn claims(&self) -> Claims {
        Claims::Steps(self.values.clone())
    }

    /// The trace of a shard, as the machine is written, given its rows and its states.
    ///
    /// # Errors
    ///
    /// Fails if the rows are not those of a shard of this kind.
    pub fn trace(
        &self,
        mut input: MachineInput,
        step: [&Parts; 3],
    ) -> Result<MachineTrace<P::Base>, ShardError> {
        let publics = self.named_publics(step)?;
        input.publics.extend(publics);
        let mut options = self.prover.fill_options();
        options.heights.extend(self.rows.iter().cloned());
        let filled = fill_with::<P>(self.prover.machine(), &input, &options);
        filled.map_err(|error| self.error(error.into()))
    }

    /// Proves a trace of [`Self::trace`]. One that violates a rule gives a proof that does not verify.
    ///
    /// # Errors
    ///
    /// Fails if the trace is none of the kind.
    pub fn prove(&self, trace: MachineTrace<P::Base>) -> Result<Proof<P>, ShardError> {
        self.prover.prove_trace(trace).map_err(|error| self.error(error))
    }

    /// Everything that does not hold in a trace of [`Self::trace`].
    pub fn check(&self, trace: &MachineTrace<P::Base>) -> Report {
        self.prover.check(trace)
    }

    /// Verifies that a proof proves a step: common values, state before, state after.
    ///
    /// # Errors
    ///
    /// Says why it does not.
    pub fn verify(&self, step: [&Parts; 3], proof: &Proof<P>) -> Result<(), ShardError> {
        let tables = self.key().tables().iter();
        let heights = self.log_heights.iter().zip(proof.log_heights());
        for (table, (&expected, &found)) in tables.zip(heights) {
            if expected != found {
                let (kind, table) = (self.name.clone(), table.name.clone());
                return Err(ShardError::Height { kind, table, expected, found });
            }
        }
        let publics = self.named_publics(step)?;
        self.verifier.verify(&publics, proof).map_err(|error| self.error(error))
    }

    /// The public values of a step, table by table of the key.
    ///
    /// # Errors
    ///
    /// Fails if the parts are not those of the machine.
    pub fn publics(&self, step: [&Parts; 3]) -> Result<Vec<Vec<P::Base>>, ShardError> {
        let publics = self.named_publics(step)?;
        self.verifier.publics(&publics).map_err(|error| self.error(error))
    }

    fn named_publics(
        &self,
        [common, before, after]: [&Parts; 3],
    ) -> Result<Vec<(String, Vec<u64>)>, ShardError> {
        self.shape.common::<P>(common)?;
        self.shape.state::<P>(before)?;
        self.shape.state::<P>(after)?;
        Ok(parts::publics(self.prover.machine(), common, before, after)?)
    }

    fn error(&self, error: MachineError) -> ShardError {
        ShardError::Machine { kind: self.name.clone(), error: Box::new(error) }
    }
}
