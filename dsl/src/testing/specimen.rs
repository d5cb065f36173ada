//! A chip with a machine around it and honest runs, ready to be tested.

use std::path::Path;
use std::sync::Arc;

use chipwright_ir::audit::{AuditOptions, ChipAudit, Findings, audit};
use chipwright_ir::chip::{Chip, ColumnKind};
use chipwright_ir::machine::{Machine, MachineInput, check, fill};
use chipwright_ir::{FieldPair, with_field};
use p3_field::PrimeField64;

use super::page::refresh;

/// What the tests of a chip need.
#[derive(Clone, Debug)]
pub struct Specimen {
    chip: Arc<Chip>,
    machine: Machine,
    inputs: Vec<MachineInput>,
    /// For each run, the outputs of each row, if there is a specification.
    expected: Vec<Option<Vec<Vec<u64>>>>,
    options: AuditOptions,
}

impl Specimen {
    /// A chip, a machine that has it, and the inputs of honest runs.
    pub fn new(chip: Arc<Chip>, machine: Machine, inputs: Vec<MachineInput>) -> Self {
        let expected = vec![None; inputs.len()];
        Self { chip, machine, inputs, expected, options: AuditOptions::default() }
    }

    /// With the outputs of each row of each run, in layout order, where a specification says them.
    #[must_use]
    pub fn expecting(mut self, expected: Vec<Option<Vec<Vec<u64>>>>) -> Self {
        self.expected = expected;
        self
    }

    /// With other options for the audit.
    #[must_use]
    pub fn with_options(mut self, options: AuditOptions) -> Self {
        self.options = options;
        self
    }

    /// The chip's name.
    pub fn name(&self) -> &str {
        &self.chip.name
    }

    /// The chip's IR as text.
    pub fn ir(&self) -> String {
        self.chip.to_string()
    }

    /// Compares the chip's page in `docs/chips` of the crate at `root` with the chip, and rewrites it if
    /// it is stale.
    ///
    /// # Panics
    ///
    /// Panics if the page was stale, or cannot be written.
    pub fn docs(&self, root: &str) {
        let path = Path::new(root).join("docs/chips").join(format!("{}.md", self.name()));
        match refresh(&path, &self.chip.markdown()) {
            Ok(true) => {}
            Ok(false) => panic!("{} was stale and has been rewritten", path.display()),
            Err(error) => panic!("{} cannot be written: {error}", path.display()),
        }
    }

    /// Fills and checks every run, and compares the outputs with the specification.
    ///
    /// # Panics
    ///
    /// Panics with a report if anything does not hold.
    pub fn honest(&self) {
        with_field!(self.machine.field, P => self.honest_over::<P>());
    }

    fn honest_over<P: FieldPair>(&self) {
        assert!(!self.inputs.is_empty(), "chip `{}` has no runs", self.name());
        for (run, (input, expected)) in self.inputs.iter().zip(&self.expected).enumerate() {
            let trace = fill::<P>(&self.machine, input)
                .unwrap_or_else(|errors| panic!("run {run} of chip `{}`: {errors}", self.name()));
            let report = check::<P>(&self.machine, &trace);
            assert!(report.is_ok(), "run {run} of chip `{}`:\n{report}", self.name());
            let (Some(expected), Some(index)) = (expected, self.machine.position(self.name()))
            else {
                continue;
            };
            let chip = &self.machine.chips[index];
            let positions = chip.positions();
            for (row, expected) in expected.iter().enumerate() {
                let cells = trace.tables[index].row(row);
                let actual: Vec<u64> = chip
                    .columns_of(ColumnKind::Output)
                    .map(|column| cells[positions[column.index()]].as_canonical_u64())
                    .collect();
                assert_eq!(
                    actual,
                    *expected,
                    "outputs of row {row}, run {run}, of chip `{}`; on the right those of its \
                     specification",
                    self.name()
                );
            }
        }
    }

    /// Forges cells and deletes rules.
    ///
    /// # Panics
    ///
    /// Panics if there is no honest run to start from.
    pub fn audit(&self) -> ChipAudit {
        audit(&self.machine, self.name(), &self.inputs, &self.options)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// One level of a finished audit: `padding`, `cells`, `forge` or `rules`.
    ///
    /// # Panics
    ///
    /// Panics with the findings if the chip did not pass.
    pub fn passes(audit: &ChipAudit, level: &str) {
        let Findings { honest, padding, swept, forged, .. } = &audit.findings;
        assert!(honest.is_empty(), "honest runs of chip `{}` fail:\n{audit}", audit.name);
        let failed = match level {
            "padding" => !padding.is_empty(),
            "cells" => *swept == 0 || audit.accepts(false),
            "forge" => *forged == 0 || audit.accepts(true),
            _ => audit.findings.uncaught.iter().any(|rule| rule.reason.is_none()),
        };
        assert!(!failed, "chip `{}` does not pass `{level}`:\n{audit}", audit.name);
    }
}
