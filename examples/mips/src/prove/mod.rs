//! Proving runs: a program's key, shards, their proofs, and what verifies them.
//!
//! ```no_run
//! use chipwright_backend_stark::config::Config;
//! use chipwright_mips::{Input, Program, prove::{MipsProver, Options}};
//!
//! let program = Program::from_elf(&std::fs::read("fib.elf")?)?;
//! let prover = MipsProver::new(Config::fast_100())?;
//! let key = prover.setup(&program);
//! let proof = prover.prove_core(&program, &Input::default(), &Options::default())?;
//! let run = prover.verify_core(&key, &proof)?;
//! println!("exit code {}", run.exit_code);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bench;
mod bytes;
pub mod cells;
pub mod compress;
mod cut;
mod key;
pub mod menu;
mod proof;
mod shards;

use std::sync::{Mutex, OnceLock, PoisonError};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::MachineErrors;
use chipwright_ir::chip::Chip;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{Machine, MachineTrace};
use chipwright_recursion::shard::{
    self, Base, Bases, CompiledKind, Joined, Named, ShardError, in_order,
};
use p3_goldilocks::Goldilocks;

pub use bytes::ReadError;
use cut::while_cut;
pub use key::{ShardState, VerifyingKey};
use menu::Kind;
pub use proof::{Committed, CoreProof, Opening, ShardProof};
pub use shards::{Shard, Shards};

use crate::machine::instruction::INSTRUCTIONS;
use crate::machine::machine;
use crate::machine::trace::NoChip;
use crate::{ExecutionError, Input, Observer, Program};

/// Why a run cannot be proven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The program cannot be executed to its end.
    #[error(transparent)]
    Execution(#[from] Box<ExecutionError>),
    /// An instruction cannot be proven.
    #[error(transparent)]
    NoChip(#[from] NoChip),
    /// An instruction alone is more than a shard of any kind holds.
    #[error("instruction {clk} of the run reads more of the input than a shard has room for")]
    TooLarge {
        /// How many instructions were executed before it.
        clk: u64,
    },
    /// The machine has mistakes.
    #[error(transparent)]
    Machine(#[from] MachineErrors),
    /// The proof system refuses.
    #[error(transparent)]
    Stark(#[from] MachineError),
    /// The kinds of shards cannot be proven, or their proofs cannot be made one.
    #[error(transparent)]
    Shard(#[from] ShardError),
}

/// Why a proof does not prove what it is said to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There are no shards.
    #[error("the proof has no shards")]
    Empty,
    /// The menu has no such kind.
    #[error("shard {shard} is of kind {kind}; there are {kinds}")]
    Kind {
        /// The shard.
        shard: usize,
        /// The position that it names.
        kind: u8,
        /// How many kinds there are.
        kinds: usize,
    },
    /// A shard's proof cannot be read.
    #[error("shard {shard}: {error}")]
    Decode {
        /// The shard.
        shard: usize,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A shard's proof is not one.
    #[error(
        "shard {shard} does not follow from the one before it, or is not one of this program: {error}"
    )]
    Shard {
        /// The shard.
        shard: usize,
        /// Why it is rejected.
        error: Box<ShardError>,
    },
    /// A shard follows the end of the program.
    #[error("shard {shard} follows the end of the program")]
    AfterEnd {
        /// The shard.
        shard: usize,
    },
    /// The last shard does not end the program.
    #[error("the run does not end: its last shard stops at {pc:#x}")]
    NotHalted {
        /// Where it stops.
        pc: u64,
    },
    /// The committed words are not those of the last memory.
    #[error("the committed words are not those of the last state")]
    Committed,
    /// The one proof of all shards does not prove that the program ended like this.
    #[error(transparent)]
    Root(ShardError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Keys(#[from] ShardError),
}

/// What a proof proves: the program of a key ended like this, on some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub exit_code: u32,
    /// The committed words.
    pub committed: Committed,
    /// How many instructions were executed.
    pub instructions: u64,
}

/// How runs are cut and proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// No shard has more instructions.
    pub shard: u64,
    /// A run of more instructions is not proven.
    pub limit: u64,
    /// So many shards are proven, or joined, at once.
    pub at_once: usize,
    /// [`Progress`] is told of a run of more instructions, which is proven all the same.
    pub many: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { shard: u64::MAX >> 1, limit: 1 << 32, at_once: 2, many: 1 << 26 }
    }
}

/// Sees how the proof of a run goes on.
pub trait Progress: Sync {
    /// A shard was proven.
    fn proven(&self, shard: &Shard, kind: &Kind) {
        let _ = (shard, kind);
    }

    /// The run has many instructions: more than [`Options::many`]. Told once.
    fn has_many(&self, instructions: u64) {
        let _ = instructions;
    }

    /// A node of the tree over the shards was proven.
    fn joined(&self, joined: Joined) {
        let _ = joined;
    }
}

/// Sees nothing.
impl Progress for () {}

/// A kind of shard with its keys.
type Keys = CompiledKind<Goldilocks2>;

/// Proves runs and verifies proofs, under one configuration.
#[derive(Debug)]
pub struct MipsProver {
    config: Config,
    machine: Machine,
    menu: Vec<Kind>,
    /// The keys of the kinds, made when they are needed.
    keys: Vec<OnceLock<Keys>>,
    /// Held while keys are made, so that nobody makes them a second time.
    making: Mutex<()>,
}

impl MipsProver {
    /// A prover with the kinds of the [menu](menu::menu).
    ///
    /// # Errors
    ///
    /// None in practice: the chips fit together.
    pub fn new(config: Config) -> Result<Self, MachineErrors> {
        let machine = machine()?;
        let menu = Kind::all(&machine, &config);
        let keys = menu.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { config, machine, menu, keys, making: Mutex::new(()) })
    }

    /// The same with some kinds of the menu alone, by their names.
    #[must_use]
    pub fn with_kinds(self, names: &[&str]) -> Self {
        let menu = self.menu.into_iter().filter(|kind| names.contains(&kind.name));
        let menu: Vec<Kind> = menu.collect();
        let keys = menu.iter().map(|_| OnceLock::new()).collect();
        Self { menu, keys, ..self }
    }

    /// The kinds of shards.
    pub fn menu(&self) -> &[Kind] {
        &self.menu
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The keys of a kind.
    ///
    /// # Errors
    ///
    /// Fails if the configuration cannot prove the kind.
    pub fn keys(&self, kind: usize) -> Result<&Keys, ShardError> {
        let kinds = self.keys.len();
        let keys = self.keys.get(kind).ok_or(ShardError::Kind { kind, kinds })?;
        if let Some(keys) = keys.get() {
            return Ok(keys);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = keys.get() {
            return Ok(keys);
        }
        let Kind { name, layout, .. } = &self.menu[kind];
        let kind = shard::Kind::new(*name, self.machine.clone(), layout.clone());
        let compiled = CompiledKind::new(&kind, &self.config)?;
        Ok(keys.get_or_init(|| compiled))
    }

    /// The key of a program.
    pub fn setup(&self, program: &Program) -> VerifyingKey {
        VerifyingKey::new(program)
    }

    /// The shards of a run. The observer sees the run.
    pub fn shards<'a, O: Observer>(
        &'a self,
        program: &'a Program,
        input: &'a Input,
        options: &Options,
        observer: O,
    ) -> Shards<'a, O> {
        Shards::new(program, input, &self.menu, (options.shard.max(1), options.limit), observer)
    }

    /// Proves a shard.
    ///
    /// # Errors
    ///
    /// Fails if an instruction has no chip.
    pub fn prove_shard(
        &self,
        program: &Program,
        input: &Input,
        shard: &Shard,
    ) -> Result<ShardProof, ProveError> {
        Ok(shard.proven(&self.prove_one(program, input, shard)?))
    }

    fn prove_one(
        &self,
        program: &Program,
        input: &Input,
        shard: &Shard,
    ) -> Result<Proof<Goldilocks2>, ProveError> {
        let trace = self.trace(program, input, shard)?;
        self.prove_trace(shard.kind, trace)
    }

    /// The trace of a shard.
    fn trace(
        &self,
        program: &Program,
        input: &Input,
        shard: &Shard,
    ) -> Result<MachineTrace<Goldilocks>, ProveError> {
        Ok(self.keys(shard.kind)?.prover().trace(&shard.input(program, input)?)?)
    }

    /// Which part of the cells of instructions is not padding in a shard of a kind, if chips have so many rows.
    pub fn fill_rate(&self, kind: usize, rows: &[(String, usize)]) -> f64 {
        let layout = &self.menu[kind].layout;
        let (mut used, mut all) = (0, 0);
        for name in INSTRUCTIONS.iter().map(|registered| (registered.name)()) {
            let chip = self.machine.chips.iter().find(|chip| chip.name == name);
            let width = chip.map_or(0, Chip::width);
            let rows = rows.iter().find(|(chip, _)| *chip == name).map_or(0, |&(_, rows)| rows);
            used += width * rows;
            all += width * layout.rows(&name).unwrap_or(0);
        }
        used as f64 / all.max(1) as f64
    }

    /// Proves the trace of a shard of a kind.
    fn prove_trace(
        &self,
        kind: usize,
        trace: MachineTrace<Goldilocks>,
    ) -> Result<Proof<Goldilocks2>, ProveError> {
        Ok(self.keys(kind)?.prove(trace)?)
    }

    /// Executes a program and proves the run, shard by shard.
    ///
    /// # Errors
    ///
    /// Fails if the program cannot be executed to its end, or the run cannot be proven.
    pub fn prove_core(
        &self,
        program: &Program,
        input: &Input,
        options: &Options,
    ) -> Result<CoreProof, ProveError> {
        self.prove_with_context(program, input, options, (), &())
    }

    /// [`Self::prove_core`]; the observer sees the run, and `progress` the shards.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::prove_core`] does.
    pub fn prove_with_context(
        &self,
        program: &Program,
        input: &Input,
        options: &Options,
        observer: impl Observer,
        progress: &dyn Progress,
    ) -> Result<CoreProof, ProveError> {
        let prove = |_, shard: Shard| {
            shard.check_for_high_cycles(options.many, progress);
            let proof = self.prove_shard(program, input, &shard)?;
            progress.proven(&shard, &self.menu[shard.kind]);
            Ok::<_, ProveError>(proof)
        };
        let mut shards = self.shards(program, input, options, observer);
        let proofs =
            while_cut(&mut shards, |cut| in_order(cut.into_iter(), options.at_once, prove));
        Ok(CoreProof::new(proofs?, shards.tree()))
    }

    /// Verifies that a program, started on some input, ended as the result says.
    ///
    /// # Errors
    ///
    /// Says why the proof is none of the program.
    pub fn verify_core(
        &self,
        key: &VerifyingKey,
        proof: &CoreProof,
    ) -> Result<Outcome, VerifyError> {
        let (common, mut from) = (key.common(), key.start());
        for (number, shard) in proof.shards.iter().enumerate() {
            let kind = usize::from(shard.kind);
            if kind >= self.menu.len() {
                let kinds = self.menu.len();
                return Err(VerifyError::Kind { shard: number, kind: shard.kind, kinds });
            }
            // What follows the end of a program would have to begin in a state that is not halted.
            if from.halted != 0 {
                return Err(VerifyError::AfterEnd { shard: number });
            }
            let keys = self.keys(kind)?;
            let decoded = keys
                .read(&shard.proof)
                .map_err(|error| VerifyError::Decode { shard: number, error })?;
            keys.verify([&common, &from.parts(), &shard.to.parts()], &decoded)
                .map_err(|error| VerifyError::Shard { shard: number, error: Box::new(error) })?;
            from = shard.to;
        }
        if proof.shards.is_empty() {
            return Err(VerifyError::Empty);
        }
        ended(&from, &proof.committed)
    }
}

/// What a run that ends in a state proves.
fn ended(end: &ShardState, committed: &Opening) -> Result<Outcome, VerifyError> {
    if end.halted != 1 {
        return Err(VerifyError::NotHalted { pc: end.pc });
    }
    let committed = committed.open(&end.memory).ok_or(VerifyError::Committed)?;
    let exit_code = u32::try_from(end.pc).map_err(|_| VerifyError::Committed)?;
    Ok(Outcome { exit_code, committed, instructions: end.clk })
}

impl Bases<Goldilocks2> for MipsProver {
    fn kinds(&self) -> usize {
        self.menu.len()
    }

    fn base(&self, kind: usize) -> Result<Base<'_, Goldilocks2>, ShardError> {
        Ok(self.keys(kind)?.base())
    }
}
