//! One kind of shard: a machine, how its tables are laid out, and the keys that follow.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::machine::{
    MachineError, MachineProver, MachineVerifier, compile_machine_with_layout,
};
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::machine::{Machine, MachineInput, MachineLayout, MachineTrace, Report};

use super::error::ShardError;
use super::parts::{self, Parts, StepShape};
use super::tree::Base;
use crate::batch::RecursiveField;
use crate::claims::{Claims, StepValues};

/// An entry of a menu: a machine with a layout, which says how high all of its tables are. Shards of one kind have one key.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The name, for messages.
    pub name: String,
    /// The machine.
    pub machine: Machine,
    /// How its tables are folded, and how high those are that stand apart.
    pub layout: MachineLayout,
}

impl Kind {
    /// A machine with a layout.
    pub fn new(name: impl Into<String>, machine: Machine, layout: MachineLayout) -> Self {
        Self { name: name.into(), machine, layout }
    }
}

/// A kind with its keys.
#[derive(Debug)]
pub struct CompiledKind<P: RecursiveField> {
    name: String,
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
        let Kind { name, machine, layout } = kind;
        let shape = StepShape::of(machine)?;
        let (prover, verifier) = compile_machine_with_layout::<P>(machine.clone(), config, layout)
            .map_err(|error| ShardError::Machine { kind: name.clone(), error: Box::new(error) })?;
        let chips = verifier.public_chips().filter_map(|name| {
            let chips = &prover.machine().chips;
            chips.iter().find(|chip| chip.name == name)
        });
        let values = parts::step_values(chips)?;
        let unknown = || ShardError::Heights { kind: name.clone() };
        let log_heights = verifier.log_heights().ok_or_else(unknown)?;
        Ok(Self { name: name.clone(), prover, verifier, log_heights, shape, values })
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

    /// The kind's proofs, for a tree to stand on.
    pub fn base(&self) -> Base<'_, P> {
        Base { key: self.key(), log_heights: &self.log_heights, claims: self.claims() }
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
        input.publics.extend(self.named_publics(step)?);
        self.prover.trace(&input).map_err(|error| self.error(error))
    }

    /// Proves a trace of [`Self::trace`]. One that violates a rule gives a proof that does not verify.
    ///
    /// # Errors
    ///
    /// Fails if the trace is none of the kind.
    pub fn prove(&self, trace: MachineTrace<P::Base>) -> Result<Proof<P>, ShardError> {
        self.prover.prove_trace(trace).map_err(|error| self.error(error))
    }

    /// Reads a proof of the kind.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are no proof under the kind's key.
    pub fn read(&self, bytes: &[u8]) -> Result<Proof<P>, DecodeError> {
        Proof::from_bytes(self.key(), bytes)
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
