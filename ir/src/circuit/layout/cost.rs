//! What a layout costs, and which one costs least.
//!
//! The cost of a layout is the number of cells that its proof commits to, and a price for every element
//! that a query of the verifier opens: what that element's hashing takes in the next layer.

use std::fmt;

use super::fusion::fits;
use super::{Lanes, Layout, LayoutError, deal};
use crate::chip::cost::{ChipSize, CostParameters};
use crate::chip::passes::{lower_degree, on_witness_bus};
use crate::chip::{Chip, FixedData};
use crate::circuit::assemble::AssembleError;
use crate::circuit::library::Library;
use crate::circuit::tables::{Table, TableKind, Tables};
use crate::circuit::value::ValueType;

/// What a layout costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutCost {
    /// The base-2 logarithm of the common height.
    pub log_height: usize,
    /// The tables in one chip.
    pub tables: Vec<TableCost>,
    /// The tables that stand apart.
    pub apart: Vec<TableCost>,
    /// The main-trace columns of the fused chip.
    pub main: usize,
    /// Its preprocessed columns.
    pub fixed: usize,
    /// Its lookup columns, in extension elements; the running sum is one of them.
    pub lookup: usize,
    /// Its quotient chunks, in extension elements.
    pub quotient: usize,
    /// The cells that a proof commits to, in base elements, the tables that stand apart included.
    pub cells: usize,
    /// The base elements that a query opens.
    pub openings: usize,
}

/// What a table adds to a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCost {
    /// The name of its chip.
    pub name: String,
    /// The rows in use, of all lanes.
    pub rows: usize,
    /// The lanes.
    pub lanes: usize,
    /// The main-trace columns of a lane.
    pub main: usize,
    /// The preprocessed columns of a lane.
    pub fixed: usize,
    /// The messages of a row of a lane.
    pub messages: usize,
    /// The base-2 logarithm of its height.
    pub log_height: usize,
}

/// Everything about circuits that is the same at all heights.
struct Candidates<'a> {
    circuits: &'a [&'a Tables],
    kinds: Vec<(TableKind, ChipSize)>,
    public: Option<ChipSize>,
    helpers: Vec<(Chip, ChipSize)>,
    degree: usize,
    parameters: CostParameters,
}

impl<'a> Candidates<'a> {
    fn new(
        circuits: &'a [&'a Tables],
        kinds: Vec<TableKind>,
        library: &Library,
        parameters: CostParameters,
    ) -> Result<Self, AssembleError> {
        let first = circuits.first().ok_or(LayoutError::NoCircuit)?;
        // A degree that cannot be lowered is found when the machine is compiled.
        let lowered = |chip: &Chip| lower_degree(chip, parameters.max_degree);
        let shape = |chip: &Chip| ChipSize::new(lowered(chip).as_ref().unwrap_or(chip));
        let mut chips = Vec::new();
        let mut shapes = Vec::new();
        for kind in kinds {
            let (Some((bare, _)), Some(interface)) =
                (library.chip_of(&kind), library.interface_of(&kind))
            else {
                return Err(AssembleError::NoChip(kind));
            };
            let chip = on_witness_bus(bare, &interface.values)?.chip;
            shapes.push((kind, shape(&chip)));
            chips.push(chip);
        }
        let helpers = library.helpers_of(&chips).into_iter();
        let helpers = helpers.map(|chip| (chip.clone(), shape(chip))).collect();
        let public = first.public_widths().next().map(|_| shape(&first.public_chip(0, |_| 0)));
        let degree = first.program.field.degree();
        Ok(Self { circuits, kinds: shapes, public, helpers, degree, parameters })
    }

    /// The lanes of every table at a height.
    fn lanes(&self, log_height: usize) -> Result<Vec<usize>, LayoutError> {
        let height = 1 << log_height;
        let needed = |kind: &TableKind| -> Result<usize, LayoutError> {
            let mut lanes = 0;
            for table in self.circuits.iter().filter_map(|circuit| circuit.table(kind)) {
                lanes = lanes.max(deal(table, height)?.len());
            }
            Ok(lanes)
        };
        self.kinds.iter().map(|(kind, _)| needed(kind)).collect()
    }

    fn cost(&self, log_height: usize, lanes: &[usize]) -> LayoutCost {
        let height = 1 << log_height;
        let mut fused = ChipSize::default();
        let mut tables = Vec::new();
        let mut apart = Vec::new();
        let rows = |kind: &TableKind| {
            let tables = self.circuits.iter().filter_map(|circuit| circuit.table(kind));
            tables.map(|table: &Table| table.rows.len()).max().unwrap_or(0)
        };
        let entry = |name: String, rows: usize, lanes: usize, shape: &ChipSize, log_height| {
            let ChipSize { main, fixed, count: messages, .. } = *shape;
            TableCost { name, rows, lanes, main, fixed, messages, log_height }
        };
        if let Some(shape) = &self.public {
            fused.add(shape, 1);
            let kind = TableKind::Public;
            tables.push(entry(kind.to_string(), rows(&kind), 1, shape, log_height));
        }
        for ((kind, shape), &lanes) in self.kinds.iter().zip(lanes) {
            fused.add(shape, lanes);
            tables.push(entry(kind.to_string(), rows(kind), lanes, shape, log_height));
        }
        let (mut cells, mut openings) = (0, 0);
        let mut count = |shape: &ChipSize, log_height: usize| {
            let (lookup, quotient) = shape.columns(self.parameters.max_degree);
            let committed = shape.main + self.degree * (lookup + quotient);
            cells += committed << log_height;
            openings += committed + shape.fixed;
            (lookup, quotient)
        };
        for (chip, shape) in &self.helpers {
            let rows = chip.fixed.as_ref().map_or(0, FixedData::rows);
            if fits(chip, height) {
                fused.add(shape, 1);
                tables.push(entry(chip.name.clone(), rows, 1, shape, log_height));
            } else {
                let own = rows.next_power_of_two().trailing_zeros() as usize;
                let own = own.max(self.parameters.min_log_height);
                apart.push(entry(chip.name.clone(), rows, 1, shape, own));
                count(shape, own);
            }
        }
        let (lookup, quotient) = count(&fused, log_height);
        let ChipSize { main, fixed, .. } = fused;
        LayoutCost { log_height, tables, apart, main, fixed, lookup, quotient, cells, openings }
    }

    /// The largest height that can make a difference.
    fn highest(&self) -> usize {
        let helpers = self.helpers.iter().filter_map(|(chip, _)| chip.fixed.as_ref());
        let tables = self.circuits.iter().flat_map(|circuit| &circuit.tables);
        let rows = tables.map(|table| table.rows.len()).chain(helpers.map(FixedData::rows)).max();
        rows.unwrap_or(0).next_power_of_two().trailing_zeros() as usize
    }
}

impl LayoutCost {
    /// The number that is to be small.
    pub fn total(&self, parameters: &CostParameters) -> usize {
        self.cells + parameters.opened * self.openings
    }
}

impl Layout {
    /// The layout that costs a circuit least, with free values [in arithmetic](Tables::free_in_arithmetic) if they can be
    /// there, and with arithmetic in two tables or all of it [over the extension](Tables::over_extension):
    /// [`Layout::place`] tells.
    ///
    /// # Errors
    ///
    /// Fails if the library lacks a chip, or no height that is allowed holds the longest call.
    pub fn choose(
        circuit: &Tables,
        library: &Library,
        parameters: &CostParameters,
    ) -> Result<Self, AssembleError> {
        cheapest(Self::of_each_height(circuit, library, parameters)?, parameters)
    }

    /// For each height that is allowed and holds the longest call, the layout that costs a circuit least there, with
    /// what it costs; the lowest height first.
    ///
    /// # Errors
    ///
    /// Fails if the library lacks a chip.
    pub fn of_each_height(
        circuit: &Tables,
        library: &Library,
        parameters: &CostParameters,
    ) -> Result<Vec<(usize, Self)>, AssembleError> {
        let plain = circuit.clone().free_in_arithmetic();
        let mut layouts = Self::common_of_each_height(&[&plain], library, parameters)?;
        let joined = plain.over_extension();
        layouts.extend(Self::common_of_each_height(&[&joined], library, parameters)?);
        layouts.sort_by_key(|(cost, layout)| (layout.log_height, *cost));
        layouts.dedup_by_key(|(_, layout)| layout.log_height);
        Ok(layouts)
    }

    /// The layout of least cost that all of some circuits fit, with the arithmetic of all of them in two tables or, if that can
    /// be, over the extension.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::choose`] does, or if the circuits have different public inputs.
    pub fn choose_common(
        circuits: &[&Tables],
        library: &Library,
        parameters: &CostParameters,
    ) -> Result<Self, AssembleError> {
        let mut layouts = Self::common_of_each_height(circuits, library, parameters)?;
        let joined: Vec<Tables> =
            circuits.iter().map(|&circuit| circuit.clone().over_extension()).collect();
        // What stays over the base field gives the layout lanes for it, and then circuits are placed otherwise.
        let base = TableKind::Alu(ValueType::Felt);
        if joined.iter().all(|circuit| circuit.table(&base).is_none()) {
            let joined: Vec<&Tables> = joined.iter().collect();
            layouts.extend(Self::common_of_each_height(&joined, library, parameters)?);
        }
        cheapest(layouts, parameters)
    }

    fn common_of_each_height(
        circuits: &[&Tables],
        library: &Library,
        parameters: &CostParameters,
    ) -> Result<Vec<(usize, Self)>, AssembleError> {
        let mut kinds: Vec<TableKind> = circuits
            .iter()
            .flat_map(|circuit| circuit.tables.iter().map(|table| table.kind.clone()))
            .filter(|kind| *kind != TableKind::Public)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        let candidates = Candidates::new(circuits, kinds, library, *parameters)?;
        let publics: Vec<usize> = circuits[0].public_widths().collect();
        for circuit in circuits {
            let found: Vec<usize> = circuit.public_widths().collect();
            if found != publics {
                return Err(LayoutError::Publics { expected: publics, found }.into());
            }
        }
        let weights = candidates.kinds.iter().map(|(table, _)| weights(circuits, table, library));
        let weights: Vec<Vec<u32>> = weights.collect::<Result<_, _>>()?;
        let reads = circuits.iter().map(|circuit| circuit.public_reads()).max().unwrap_or(0);
        let public_reads = reads.next_power_of_two();
        let low = parameters.min_log_height.max(Self::public_log_height(publics.len()));
        let high = candidates.highest().max(low).min(parameters.max_log_height);
        let at = |log_height| {
            // A height that is lower than the longest call holds nothing.
            let lanes = candidates.lanes(log_height).ok()?;
            let cost = candidates.cost(log_height, &lanes).total(parameters);
            let kinds = candidates.kinds.iter().zip(lanes).zip(&weights);
            let tables = kinds.map(|(((table, _), lanes), weights)| Lanes {
                table: table.clone(),
                lanes,
                weights: weights.clone(),
            });
            let (publics, tables) = (publics.clone(), tables.collect());
            Some((cost, Self { log_height, publics, public_reads, tables }))
        };
        Ok((low..=high).filter_map(at).collect())
    }

    /// What the layout costs, and which part of it a circuit uses.
    ///
    /// # Errors
    ///
    /// Fails if the library lacks a chip, or the circuit does not fit.
    pub fn cost(
        &self,
        circuit: &Tables,
        library: &Library,
        parameters: &CostParameters,
    ) -> Result<LayoutCost, AssembleError> {
        self.check(circuit)?;
        let kinds = self.tables.iter().map(|lanes| lanes.table.clone()).collect();
        let circuits = [circuit];
        let candidates = Candidates::new(&circuits, kinds, library, *parameters)?;
        let lanes: Vec<usize> = self.tables.iter().map(|lanes| lanes.lanes).collect();
        Ok(candidates.cost(self.log_height, &lanes))
    }
}

/// The first of the layouts that cost least.
fn cheapest(
    layouts: Vec<(usize, Layout)>,
    parameters: &CostParameters,
) -> Result<Layout, AssembleError> {
    let none = LayoutError::NoHeight(parameters.min_log_height, parameters.max_log_height);
    let best = layouts.into_iter().min_by_key(|(cost, _)| *cost);
    best.map(|(_, layout)| layout).ok_or(none.into())
}

/// Bounds on the number of readers of each value, for all of some circuits.
fn weights(
    circuits: &[&Tables],
    kind: &TableKind,
    library: &Library,
) -> Result<Vec<u32>, AssembleError> {
    let mut weights: Vec<u32> = Vec::new();
    for circuit in circuits {
        for (index, weight) in circuit.weights(kind, library)?.into_iter().enumerate() {
            if weights.len() <= index {
                weights.push(1);
            }
            weights[index] = weights[index].max(weight.next_power_of_two());
        }
    }
    Ok(weights)
}

impl fmt::Display for LayoutCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let height = 1_usize << self.log_height;
        writeln!(f, "one table of 2^{} rows:", self.log_height)?;
        let width = |column: fn(&TableCost) -> &str| {
            self.tables.iter().chain(&self.apart).map(|table| column(table).len()).max()
        };
        let name = width(|table| &table.name).unwrap_or(0);
        for table in &self.tables {
            let TableCost { rows, lanes, main, fixed, messages, .. } = *table;
            let room = (lanes * height).max(1);
            writeln!(
                f,
                "  {:name$}  {rows:>6} rows in {lanes:>2} x {height} ({:>3} %), a lane {main:>4} main + \
                 {fixed:>3} fixed, {messages:>3} messages",
                table.name,
                rows * 100 / room,
            )?;
        }
        for table in &self.apart {
            let TableCost { rows, main, fixed, messages, log_height, .. } = *table;
            writeln!(
                f,
                "  {:name$}  {rows:>6} rows apart, 2^{log_height}: {main} main + {fixed} fixed, \
                 {messages} messages",
                table.name
            )?;
        }
        let Self { main, fixed, lookup, quotient, cells, openings, .. } = self;
        write!(
            f,
            "  columns: {main} main, {fixed} fixed, {lookup} lookup and {quotient} quotient (extension); \
             {cells} cells committed, {openings} elements opened a query"
        )
    }
}
