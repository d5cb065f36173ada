//! From stage `tables` to a machine: every table becomes a chip on the witness bus, with the wiring of the
//! circuit in its fixed columns.
//!
//! The machine depends on the circuit alone; a witness only decides what the executor says about each
//! row. So a circuit is proven exactly as any other machine is, and all that makes it *this* circuit
//! is in the preprocessed columns that the verifying key commits to.
//!
//! A [`Layout`] cuts tables into lanes, each of which is a chip of this machine; the chips are then put side
//! by side by [`Fusion`](super::layout::Fusion).

mod plan;
mod wiring;

use std::collections::BTreeMap;

use p3_field::{BasedVectorSpace, PrimeField64};
use rayon::prelude::*;

use super::execute::Witness;
use super::layout::{Layout, LayoutError, deal, table_name};
use super::library::Library;
use super::public_table::PUBLIC_TABLE;
use super::rows::{Role, RowOp, SlotId};
use super::tables::{TableKind, Tables};
use super::verify::{VerifierErrors, verify_slot_calls, verify_tables};
use crate::chip::Chip;
use crate::chip::passes::WitnessBusError;
use crate::field::FieldPair;
use crate::machine::{Machine, MachineInput};
use plan::{Plan, Scene};
use wiring::{Numbers, Wiring};

/// A circuit as a machine.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The chips, wired.
    pub machine: Machine,
    plans: Vec<Plan>,
    publics: Vec<(SlotId, usize)>,
    /// The slots of which there are copies.
    copies: Vec<SlotId>,
    numbers: Numbers,
    layout: Option<Layout>,
    /// By chip: the chip of the first lane of its table.
    first_lanes: Vec<usize>,
}

/// Why a circuit cannot be assembled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The library lacks a chip.
    #[error("the library has no chip for table `{0}`")]
    NoChip(TableKind),
    /// A chip of the library does not have the columns that its table needs.
    #[error("the chip of table `{table}` has no {what}")]
    Interface {
        /// The table.
        table: TableKind,
        /// What is missing.
        what: String,
    },
    /// A chip cannot be wired.
    #[error(transparent)]
    WitnessBus(#[from] WitnessBusError),
    /// The library is for another field.
    #[error("the circuit is over {circuit}, the chips of the library are over {library}")]
    Field {
        /// The field of the circuit.
        circuit: crate::Field,
        /// The field of the library.
        library: crate::Field,
    },
    /// The circuit does not pass the verifier: its rows, the balance of its bus, or its calls, whose signatures are
    /// not those of the library.
    #[error(transparent)]
    Invalid(#[from] VerifierErrors),
    /// The circuit does not fit the layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Two rows have the same key.
    #[error(transparent)]
    Key(#[from] DuplicateKey),
}

/// Two rows of a chip have the same contents in columns whose contents [tell rows apart](super::CalledChip::with_key).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "rows {} and {} of table `{table}` have the same {}: {}",
    rows[0], rows[1], columns.join(" and "),
    key.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
)]
pub struct DuplicateKey {
    /// The table.
    pub table: TableKind,
    /// The two rows.
    pub rows: [usize; 2],
    /// The names of the columns.
    pub columns: Vec<String>,
    /// What they hold in both.
    pub key: Vec<u64>,
}

impl Tables {
    /// Builds the machine: one chip a table.
    ///
    /// # Errors
    ///
    /// Fails if the circuit does not pass the verifier, or if the library lacks a chip, or has one that does not fit its
    /// table.
    pub fn assemble(&self, library: &Library) -> Result<Assembly, AssembleError> {
        self.check(library)?;
        let mut placed = Vec::new();
        for table in self.tables.iter().filter(|table| table.kind != TableKind::Public) {
            let wiring = Wiring::new(self, &table.kind, library)?;
            placed.push((wiring, vec![(0..table.rows.len()).collect()]));
        }
        let mut assembly = self.empty_assembly(Numbers::new(self, &placed)?);
        let mut placed = placed.iter();
        for table in &self.tables {
            if table.kind == TableKind::Public {
                let numbers = |slot| assembly.numbers.of(slot);
                assembly.machine.chips.push(self.public_chip(self.public_reads(), numbers));
                continue;
            }
            let Some((wiring, lanes)) = placed.next() else { continue };
            let name = table_name(&table.kind);
            assembly.push(wiring.wire(name, &lanes[0], None, &assembly.numbers)?);
        }
        Ok(assembly.with_helpers(library))
    }

    /// Builds the machine with the lanes of a layout: one chip a lane. All tables of the layout are there,
    /// those without rows, too.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::assemble`] does, or if the circuit does not fit the layout.
    pub fn assemble_with(
        &self,
        library: &Library,
        layout: &Layout,
    ) -> Result<Assembly, AssembleError> {
        self.check(library)?;
        layout.check(self)?;
        let mut placed = Vec::new();
        for lanes in &layout.tables {
            let wiring = Wiring::new(self, &lanes.table, library)?;
            let mut dealt = match wiring.table {
                Some(table) => deal(table, layout.height())?,
                None => Vec::new(),
            };
            if dealt.len() > lanes.lanes {
                return Err(AssembleError::Layout(LayoutError::Rows {
                    table: lanes.table.clone(),
                    rows: dealt.iter().map(Vec::len).sum(),
                    needed: dealt.len(),
                    height: layout.height(),
                    lanes: lanes.lanes,
                }));
            }
            dealt.resize(lanes.lanes, Vec::new());
            placed.push((wiring, dealt));
        }
        let mut assembly = self.empty_assembly(Numbers::new(self, &placed)?);
        if !layout.publics.is_empty() {
            let chip = self.public_chip(layout.public_reads, |slot| assembly.numbers.of(slot));
            assembly.machine.chips.push(chip);
        }
        for (lanes, (wiring, dealt)) in layout.tables.iter().zip(&placed) {
            let first = assembly.machine.chips.len();
            for (lane, rows) in dealt.iter().enumerate() {
                let name = lanes.name(lane);
                assembly.push(wiring.wire(name, rows, Some(lanes), &assembly.numbers)?);
            }
            assembly.first_lanes.resize(first, 0);
            assembly.first_lanes.resize(assembly.machine.chips.len(), first);
        }
        assembly.layout = Some(layout.clone());
        Ok(assembly.with_helpers(library))
    }

    /// By value of the interface of a table's chip: the largest number of messages of a row.
    pub(super) fn weights(
        &self,
        kind: &TableKind,
        library: &Library,
    ) -> Result<Vec<u32>, AssembleError> {
        let wiring = Wiring::new(self, kind, library)?;
        let mut weights = vec![1; wiring.interface.values.len()];
        for row in self.table(kind).into_iter().flat_map(|table| table.rows.iter()) {
            for port in row.ports.iter().filter(|port| port.role != Role::Peeks) {
                let weight = &mut weights[wiring.value_of(port.position)?];
                *weight = (*weight).max(self.multiplicity(*port).unsigned_abs() as u32);
            }
        }
        Ok(weights)
    }

    /// Checks that the circuit passes the verifier, with the chips of a library for its calls. Whatever becomes a
    /// machine does: here all ways to a key meet.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the rows, the balance of the bus, or the calls.
    pub fn check(&self, library: &Library) -> Result<(), AssembleError> {
        let (circuit, chips) = (self.program.field, library.field());
        if circuit != chips {
            return Err(AssembleError::Field { circuit, library: chips });
        }
        verify_tables(self)?;
        verify_slot_calls(&self.program, library)?;
        Ok(self.check_keys(library)?)
    }

    /// Whether the rows of every chip with a [key](super::CalledChip::with_key) have one each.
    ///
    /// # Errors
    ///
    /// The first two rows that have the same.
    pub fn check_keys(&self, library: &Library) -> Result<(), DuplicateKey> {
        for table in &self.tables {
            let Some((_, Some(called))) = library.chip_of(&table.kind) else { continue };
            let mut seen = BTreeMap::new();
            for (position, row) in table.rows.iter().enumerate() {
                let RowOp::Call { call, row } = row.op else { continue };
                let call = &self.program.calls[call.index()].chip;
                let Some(key) = called.key(call, *row) else { break };
                if let Some(&first) = seen.get(&key) {
                    let (table, columns) = (table.kind.clone(), called.key_columns());
                    return Err(DuplicateKey { table, rows: [first, position], columns, key });
                }
                seen.insert(key, position);
            }
        }
        Ok(())
    }

    fn empty_assembly(&self, numbers: Numbers) -> Assembly {
        let publics = self.program.publics.iter().copied().zip(self.public_widths());
        Assembly {
            machine: Machine::new(self.program.name.clone(), self.program.field),
            plans: Vec::new(),
            publics: publics.collect(),
            copies: self.copies.clone(),
            numbers,
            layout: None,
            first_lanes: Vec::new(),
        }
    }
}

impl Assembly {
    fn push(&mut self, (chip, plan): (Chip, Plan)) {
        self.machine.chips.push(chip);
        self.plans.push(plan);
    }

    fn with_helpers(mut self, library: &Library) -> Self {
        let helpers: Vec<Chip> =
            library.helpers_of(&self.machine.chips).into_iter().cloned().collect();
        self.machine.chips.extend(helpers);
        // Whatever is no lane stands for itself.
        let known = self.first_lanes.len();
        self.first_lanes.extend(known..self.machine.chips.len());
        self
    }

    /// What the executor of the machine says, given the values of all slots.
    pub fn input<P: FieldPair>(&self, witness: &Witness<P>) -> MachineInput {
        P::machine_input(self, witness)
    }

    /// [`Self::input`], compiled here for each field.
    pub(crate) fn input_generic<P: FieldPair>(&self, witness: &Witness<P>) -> MachineInput {
        let degree = P::FIELD.degree();
        let copies = self.copies.iter().map(|slot| &witness.values[slot.index()]);
        let coefficients: Vec<u64> = witness
            .values
            .iter()
            .chain(copies)
            .flat_map(BasedVectorSpace::<P::Base>::as_basis_coefficients_slice)
            .map(PrimeField64::as_canonical_u64)
            .collect();
        let Witness { data, calls, .. } = witness;
        let scene = Scene { coefficients: &coefficients, degree, data, calls };
        let records = |plan: &Plan| (plan.chip.clone(), plan.records(scene));
        let rows = self.plans.par_iter().map(records).collect();
        let publics: Vec<u64> = self
            .publics
            .iter()
            .flat_map(|&(slot, width)| &coefficients[slot.index() * degree..][..width])
            .copied()
            .collect();
        let publics =
            if publics.is_empty() { Vec::new() } else { vec![(PUBLIC_TABLE.to_owned(), publics)] };
        MachineInput { rows, publics, memory: Vec::new() }
    }

    /// The number of base elements of each public input.
    pub fn public_widths(&self) -> impl Iterator<Item = usize> + '_ {
        self.publics.iter().map(|&(_, width)| width)
    }

    /// The slot with a number on the witness bus; of copies, the one that they are copies of.
    pub fn slot(&self, number: u64) -> Option<SlotId> {
        let slot = self.numbers.of.iter().position(|&other| other == number)?;
        let program = self.numbers.of.len() - self.copies.len();
        Some(slot.checked_sub(program).map_or(SlotId::new(slot), |copy| self.copies[copy]))
    }

    /// By chip of the machine: the position of the first lane of the same table, which differs only in its
    /// name and in the contents of its fixed columns.
    pub fn first_lanes(&self) -> &[usize] {
        &self.first_lanes
    }

    /// The layout that the machine's lanes follow.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }
}
