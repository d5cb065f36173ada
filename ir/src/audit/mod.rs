//! Auditing a chip: are its rules enough, and is each of them needed?
//!
//! A trace that obeys all rules proves nothing about the rules. So an audit plays the cheat: it takes an
//! honest run, forges a cell, *replays* every later fill from the forged value, mends what objects where it
//! can, and looks whether anything still does. If nothing objects and a result changed, the chip is unsound;
//! if no result changed, the cell is free, which its author must have declared. Then each rule is deleted in
//! turn, and some forgery must succeed: otherwise the rule is redundant, or the audit too weak to tell.
//!
//! Results are the output columns, the public values that no fill reads, the entries of the chip's own
//! tables, what it leaves in memory, and what it puts on buses without another end.
//!
//! ```
//! use chipwright_ir::audit::{AuditError, AuditOptions, audit};
//! use chipwright_ir::{Field, machine::Machine};
//!
//! let machine = Machine::new("empty", Field::Goldilocks2);
//! let nobody = audit(&machine, "add32", &[], &AuditOptions::default());
//! assert!(matches!(nobody, Err(AuditError::Unknown { .. })));
//! ```
//!
//! # Soundness
//!
//! Forging samples; it proves nothing. Other chips of the machine are taken to be right, and challenges,
//! multiplicities and the number of rows are the prover's business, not the chip's.

mod auditor;
mod environment;
mod findings;
mod judge;
mod reasons;
mod repair;
mod stage;
mod support;
#[cfg(test)]
mod tests;
mod values;

use p3_field::PrimeField64;

pub use findings::{ChipAudit, Escape, Findings, ForgedCell, Free, Uncaught};
pub use values::Rng;

use crate::field::FieldPair;
use crate::machine::{FillErrors, FillOptions, Machine, MachineInput, MachineTrace, fill_with};
use crate::with_field;
use auditor::Auditor;
use environment::Environment;
use repair::Manner;
use stage::Stage;

/// How much to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOptions {
    /// The seed of all random choices.
    pub seed: u64,
    /// The number of forgeries of each of the two sweeps, shared by all cells.
    pub forgeries: usize,
    /// The number of runs that are tried for each deleted rule.
    pub tries_per_deletion: usize,
    /// Rules that are known to be redundant: a part of the name, and the reason.
    pub redundant: Vec<(String, String)>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { seed: 1, forgeries: 4_000, tries_per_deletion: 2_400, redundant: Vec::new() }
    }
}

/// The audit could not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The machine has no such chip.
    #[error("the machine has no chip `{chip}`")]
    Unknown {
        /// The name.
        chip: String,
    },
    /// There is no honest run to forge.
    #[error("no input of chip `{chip}` was given, so there is no honest run to forge")]
    NoInput {
        /// The chip.
        chip: String,
    },
    /// An honest run could not be filled.
    #[error("input {input} cannot be filled: {errors}")]
    Fill {
        /// Which input.
        input: usize,
        /// Why.
        errors: FillErrors,
    },
}

/// Audits one chip of a machine, which also has the chips that this one asks. Each input is an honest run.
///
/// # Errors
///
/// Fails if there is no such chip, no input, or an input that cannot be filled.
pub fn audit(
    machine: &Machine,
    chip: &str,
    inputs: &[MachineInput],
    options: &AuditOptions,
) -> Result<ChipAudit, AuditError> {
    with_field!(machine.field, P => {
        let subject = machine
            .position(chip)
            .ok_or_else(|| AuditError::Unknown { chip: chip.to_owned() })?;
        let mut traces = Vec::with_capacity(inputs.len());
        for (input, given) in inputs.iter().enumerate() {
            let fill_options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
            let trace = fill_with::<P>(machine, given, &fill_options)
                .map_err(|errors| AuditError::Fill { input, errors })?;
            traces.push(trace);
        }
        if traces.is_empty() {
            return Err(AuditError::NoInput { chip: chip.to_owned() });
        }
        Ok(audit_traces::<<P as FieldPair>::Base>(machine, subject, inputs, &traces, options))
    })
}

fn audit_traces<F: PrimeField64>(
    machine: &Machine,
    subject: usize,
    inputs: &[MachineInput],
    traces: &[MachineTrace<F>],
    options: &AuditOptions,
) -> ChipAudit {
    let chip = &machine.chips[subject];
    let environment = Environment::new(machine, subject, traces);
    let mut stage = Stage::new(chip, environment, subject);
    let cases = traces
        .iter()
        .zip(inputs)
        .flat_map(|(trace, input)| stage.cases(subject, trace, input))
        .collect();
    let mut auditor = Auditor::new(stage, cases, options);
    auditor.honest();
    auditor.padding();
    if auditor.findings.honest.is_empty() {
        auditor.sweep(Manner::Overwritten);
        auditor.sweep(Manner::Replayed);
        auditor.aliases();
        auditor.deletions();
    }
    let free = chip.groups.iter().filter_map(|group| {
        let reason = group.free.clone()?;
        Some(Free { column: group.name.clone(), reason })
    });
    let scratch = auditor.free_scratch.iter().map(|column| Free {
        column: chip.columns[*column].name.clone(),
        reason: "made by a verb; where it is free, no result depends on it".to_owned(),
    });
    let free = free.chain(scratch).collect();
    ChipAudit { name: chip.name.clone(), rules: chip.rules.len(), findings: auditor.findings, free }
}
