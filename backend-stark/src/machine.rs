//! Proving machines: from an executor's records to a proof, and from named public values to a verdict.
//!
//! [`MachineProver::prove`] fills the tables, checks them in the open, and proves them; what does not hold
//! is reported with rules, cells and rows before any time is spent on a proof. Those who need no such
//! check fill for themselves and use [`ProvingKey::prove`].
//!
//! With a [layout](chipwright_ir::machine::layout), tables are folded and fused into one: what is filled, checked and
//! reported is the machine as it is written, what is proven is the folded one, whose trace is the same bytes.
//!
//! ```
//! # use chipwright_backend_stark::{config::Config, machine::{MachineError, compile_machine}};
//! # use chipwright_ir::{field::Goldilocks2, machine::{Machine, MachineInput}};
//! # fn example(machine: Machine, input: &MachineInput) -> Result<(), MachineError> {
//! let (prover, verifier) = compile_machine::<Goldilocks2>(machine, &Config::proven_100())?;
//! let proof = prover.prove(input)?;
//! verifier.verify(&input.publics, &proof)?;
//! # Ok(()) }
//! ```

use std::fmt;

use chipwright_ir::chip::FixedData;
use chipwright_ir::chip::passes::{LowerDegreeError, gate_contents, lower_degree};
use chipwright_ir::chip::verify::VerifierErrors;
use chipwright_ir::machine::fill::{FillErrors, FillOptions, fill_with};
use chipwright_ir::machine::layout::FusionError;
use chipwright_ir::machine::{
    Fusion, Machine, MachineInput, MachineLayout, MachineLayoutError, MachineTrace, Report, check,
    verify,
};
use p3_field::PrimeCharacteristicRing;

use crate::config::{Config, StarkField};
use crate::key::{ProvingKey, StatementError, VerifyingKey, compile};
use crate::proof::{Proof, ProveError, VerifyError};
use crate::statement::max_log_height;

/// Why a machine cannot be compiled, proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// The machine is not well formed.
    #[error(transparent)]
    Invalid(#[from] VerifierErrors),
    /// A rule or a message has too high a degree, and no column can help.
    #[error(transparent)]
    Degree(#[from] LowerDegreeError),
    /// The machine has no keys.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The layout is not one of the machine, or not one that the configuration can prove.
    #[error(transparent)]
    Layout(#[from] MachineLayoutError),
    /// A trace is none of the machine with its layout.
    #[error(transparent)]
    Fusion(#[from] FusionError),
    /// The tables cannot be filled.
    #[error(transparent)]
    Fill(#[from] FillErrors),
    /// The records do not satisfy the rules.
    #[error("the trace does not satisfy the machine\n{0}")]
    Violated(Report),
    /// The tables cannot be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A proof whose table is not as high as the layout says.
    #[error("table `{table}` has 2^{found} rows, the layout says 2^{expected}")]
    Height {
        /// The table.
        table: String,
        /// The base-2 logarithm of the height of the layout.
        expected: usize,
        /// The base-2 logarithm of the proof's.
        found: usize,
    },
    /// Public values for a chip that is not there, or twice for one.
    #[error("public values were given for chip `{chip}`, which {problem}")]
    PublicChip {
        /// The name given.
        chip: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Too many or too few public values for a chip of the fused table.
    #[error("chip `{chip}` has {expected} public values, {found} were given")]
    PublicCount {
        /// The chip.
        chip: String,
        /// The number of its public values.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// A public value is not a canonical base element.
    #[error("public value {index} of chip `{chip}` is {value}, not below the modulus {modulus}")]
    NotCanonical {
        /// The chip.
        chip: String,
        /// The position among the chip's public values.
        index: usize,
        /// The integer given.
        value: u64,
        /// The order of the base field.
        modulus: u64,
    },
}

/// Proves that a machine ran as an executor says.
pub struct MachineProver<P: StarkField> {
    machine: Machine,
    fusion: Option<Fusion>,
    /// The heights of tables that the layout says, by chip.
    heights: Vec<(String, usize)>,
    key: ProvingKey<P>,
}

/// Verifies proofs of a machine.
#[derive(Clone)]
pub struct MachineVerifier<P: StarkField> {
    key: VerifyingKey<P>,
    /// The chips of the fused table with the numbers of their public values, if there is one.
    fused: Option<Vec<(String, usize)>>,
    /// The base-2 logarithms of the heights that the layout says, table by table of the key.
    log_heights: Vec<Option<usize>>,
}

/// Compiles a machine: verifies its IR, closes the rows beyond fixed contents, lowers rules and messages to the
/// degree that the configuration allows, and commits to its preprocessed columns.
///
/// # Errors
///
/// Says what of the machine cannot be proven under the configuration.
pub fn compile_machine<P: StarkField>(
    machine: Machine,
    config: &Config,
) -> Result<(MachineProver<P>, MachineVerifier<P>), MachineError> {
    let layout = MachineLayout::separate(&machine);
    compile_machine_with_layout(machine, config, &layout)
}

/// Compiles a machine whose tables are folded and fused by a layout: the keys are those of the folded machine.
/// [`MachineLayout::choose`] and [`cost_parameters`](crate::circuit::cost_parameters) find the layout of least cost.
///
/// # Errors
///
/// Fails as [`compile_machine`] does, and if the layout is not one of the machine or its height is not one that the
/// configuration allows.
pub fn compile_machine_with_layout<P: StarkField>(
    machine: Machine,
    config: &Config,
    layout: &MachineLayout,
) -> Result<(MachineProver<P>, MachineVerifier<P>), MachineError> {
    config.validate().map_err(StatementError::from)?;
    layout.check(&machine)?;
    let machine = lowered(machine, config)?;
    let (low, high) = (config.min_height().ilog2() as usize, max_log_height(config));
    let common = (!layout.is_separate()).then_some(layout.log_height);
    let said = layout.apart.iter().filter_map(|apart| apart.log_height).chain(common);
    for found in said {
        if !(low..=high).contains(&found) {
            return Err(MachineLayoutError::Height { found, low, high }.into());
        }
    }
    let fusion = match common {
        Some(_) => Some(Fusion::new(&machine, layout, config.max_degree())?),
        None => None,
    };
    let proven = fusion.as_ref().map_or(&machine, |fusion| &fusion.machine);
    let (key, verifying) = compile(proven, config)?;
    let fused = fusion.as_ref().map(|fusion| {
        let parts = fusion.chips().swap_remove(0).into_iter().map(|part| &machine.chips[part]);
        parts.map(|chip| (chip.name.clone(), chip.publics.len())).collect()
    });
    let log_heights = log_heights(layout, common, &verifying)?;
    let heights = machine.chips.iter();
    let heights = heights.filter_map(|chip| Some((chip.name.clone(), layout.rows(&chip.name)?)));
    let heights = heights.collect();
    let verifier = MachineVerifier { key: verifying, fused, log_heights };
    Ok((MachineProver { machine, fusion, heights, key }, verifier))
}

/// The heights that a layout says, table by table of the key: those of tables with contents are in the key.
fn log_heights<P: StarkField>(
    layout: &MachineLayout,
    common: Option<usize>,
    key: &VerifyingKey<P>,
) -> Result<Vec<Option<usize>>, MachineLayoutError> {
    let mut log_heights = Vec::with_capacity(key.tables().len());
    for (index, table) in key.tables().iter().enumerate() {
        let apart = || layout.apart.iter().find(|apart| apart.chip == table.name)?.log_height;
        let said = common.filter(|_| index == 0).or_else(apart);
        if let (Some(said), Some(known)) = (said, table.log_height)
            && said != known
        {
            let (chip, rows, expected) = (table.name.clone(), 1 << known, 1 << said);
            return Err(MachineLayoutError::Contents { chip, rows, expected });
        }
        log_heights.push(said);
    }
    Ok(log_heights)
}

/// The machine, verified, with rules and messages of degrees that the configuration allows.
fn lowered(mut machine: Machine, config: &Config) -> Result<Machine, MachineError> {
    verify(&machine)?;
    for chip in &mut machine.chips {
        let rows = chip.fixed.as_ref().map_or(0, FixedData::rows);
        let height = rows.next_power_of_two().max(config.min_height());
        *chip = lower_degree(&gate_contents(chip, height), config.max_degree())?;
    }
    Ok(machine)
}

impl<P: StarkField> MachineProver<P> {
    /// Fills the tables, checks them, and proves them.
    ///
    /// # Errors
    ///
    /// Reports everything that does not hold.
    pub fn prove(&self, input: &MachineInput) -> Result<Proof<P>, MachineError> {
        let trace = self.trace(input)?;
        let report = self.check(&trace);
        if !report.is_ok() {
            return Err(MachineError::Violated(report));
        }
        self.prove_trace(trace)
    }

    /// Proves the tables of the machine as it is written. Those that violate a rule give a proof that does not verify.
    ///
    /// # Errors
    ///
    /// Fails if the tables do not have the shapes that the machine and its layout demand.
    pub fn prove_trace(&self, trace: MachineTrace<P::Base>) -> Result<Proof<P>, MachineError> {
        Ok(self.key.prove(self.folded(trace)?)?)
    }

    /// Fills the tables of the machine as it is written, as high as the configuration and the layout need them.
    ///
    /// # Errors
    ///
    /// Says which cells have no value.
    pub fn trace(&self, input: &MachineInput) -> Result<MachineTrace<P::Base>, MachineError> {
        Ok(fill_with::<P>(&self.machine, input, &self.fill_options())?)
    }

    /// How tables have to be filled.
    pub fn fill_options(&self) -> FillOptions {
        let min_height = self.key.verifying_key().config().min_height();
        FillOptions { min_height, heights: self.heights.clone(), ..FillOptions::default() }
    }

    /// The trace that is proven, from that of the machine as it is written: the same bytes, side by side.
    ///
    /// # Errors
    ///
    /// Fails if the tables do not have the heights of the layout.
    pub fn folded(
        &self,
        trace: MachineTrace<P::Base>,
    ) -> Result<MachineTrace<P::Base>, MachineError> {
        match &self.fusion {
            Some(fusion) => Ok(fusion.trace(trace)?),
            None => Ok(trace),
        }
    }

    /// Everything that does not hold in a trace of the machine as it is written.
    pub fn check(&self, trace: &MachineTrace<P::Base>) -> Report {
        check::<P>(&self.machine, trace)
    }

    /// The machine as it is written, its degrees lowered.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine that is proven, and how its tables are made, if there is a layout that folds any.
    pub fn fusion(&self) -> Option<&Fusion> {
        self.fusion.as_ref()
    }

    /// The machine's key.
    pub fn key(&self) -> &ProvingKey<P> {
        &self.key
    }
}

impl<P: StarkField> MachineVerifier<P> {
    /// Verifies a proof for public values given by chip. Chips without public values are left out.
    ///
    /// # Errors
    ///
    /// Fails if the public values do not fit the machine, or the proof does not prove them, or its tables are not as high
    /// as the layout says.
    pub fn verify(
        &self,
        publics: &[(String, Vec<u64>)],
        proof: &Proof<P>,
    ) -> Result<(), MachineError> {
        let tables = self.key.tables().iter().zip(&self.log_heights).zip(proof.log_heights());
        for ((table, expected), &found) in tables {
            if let Some(expected) = expected.filter(|&expected| expected != found) {
                return Err(MachineError::Height { table: table.name.clone(), expected, found });
            }
        }
        Ok(self.key.verify(&self.publics(publics)?, proof)?)
    }

    /// The chips of the machine as it is written, in the order in which the key has their public values.
    pub fn public_chips(&self) -> impl Iterator<Item = &str> {
        // The fused table comes first, and its public values are those of its chips.
        let fused = self.fused.as_deref().unwrap_or_default();
        let apart = &self.key.tables()[usize::from(self.fused.is_some())..];
        let fused = fused.iter().map(|(chip, _)| chip.as_str());
        fused.chain(apart.iter().map(|table| table.name.as_str()))
    }

    /// Public values, given by chip of the machine as it is written, table by table of the key.
    ///
    /// # Errors
    ///
    /// Fails if values are given for a chip that is not there, or twice, or are not canonical: none is reduced.
    pub fn publics(&self, named: &[(String, Vec<u64>)]) -> Result<Vec<Vec<P::Base>>, MachineError> {
        let fused = self.fused.as_deref().unwrap_or_default();
        let chips: Vec<&str> = self.public_chips().collect();
        let mut publics: Vec<Option<Vec<P::Base>>> = vec![None; chips.len()];
        let modulus = P::FIELD.modulus();
        for (chip, values) in named {
            let problem = |problem| MachineError::PublicChip { chip: chip.clone(), problem };
            let position = chips
                .iter()
                .position(|name| *name == chip)
                .ok_or_else(|| problem("does not exist"))?;
            if let Some(index) = values.iter().position(|&value| value >= modulus) {
                let (chip, value) = (chip.clone(), values[index]);
                return Err(MachineError::NotCanonical { chip, index, value, modulus });
            }
            let values = values.iter().map(|&value| P::Base::from_u64(value)).collect();
            if publics[position].replace(values).is_some() {
                return Err(problem("was given some already"));
            }
        }
        let mut publics = publics.into_iter().map(Option::unwrap_or_default);
        let mut tables = Vec::with_capacity(self.key.tables().len());
        if self.fused.is_some() {
            // A value too few of one chip and one too many of the next would be values of other names.
            let mut table = Vec::new();
            for ((chip, expected), values) in fused.iter().zip(publics.by_ref()) {
                if values.len() != *expected {
                    let (chip, expected, found) = (chip.clone(), *expected, values.len());
                    return Err(MachineError::PublicCount { chip, expected, found });
                }
                table.extend(values);
            }
            tables.push(table);
        }
        tables.extend(publics);
        Ok(tables)
    }

    /// The machine's key.
    pub fn key(&self) -> &VerifyingKey<P> {
        &self.key
    }

    /// The base-2 logarithms of the heights of the tables, table by table, if layout and key say all of them: then all
    /// proofs have one shape.
    pub fn log_heights(&self) -> Option<Vec<usize>> {
        let tables = self.key.tables().iter().zip(&self.log_heights);
        tables.map(|(table, said)| said.or(table.log_height)).collect()
    }
}

impl<P: StarkField> From<VerifyingKey<P>> for MachineVerifier<P> {
    fn from(key: VerifyingKey<P>) -> Self {
        let log_heights = vec![None; key.tables().len()];
        Self { key, fused: None, log_heights }
    }
}

impl<P: StarkField> fmt::Debug for MachineProver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineProver")
            .field("machine", &self.machine.name)
            .field("is_fused", &self.fusion.is_some())
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl<P: StarkField> fmt::Debug for MachineVerifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineVerifier")
            .field("fused", &self.fused)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
