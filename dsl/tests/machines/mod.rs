//! Running machines in tests: fill, check, read results, forge cells.

use chipwright_dsl::prelude::*;
use chipwright_ir::machine::{
    FillOptions, Forge, Machine as IrMachine, MachineTrace, check, fill_with,
};
use chipwright_ir::with_field;

/// Fills and checks; the canonical values of all tables, if everything holds.
fn run(machine: &IrMachine, input: Input, forge: Vec<Forge>) -> Result<MachineTrace<u64>, String> {
    let options = FillOptions { forge, ..FillOptions::default() };
    with_field!(machine.field, P => {
        let trace = fill_with::<P>(machine, &input.into_ir(), &options)
            .map_err(|errors| errors.to_string())?;
        let report = check::<P>(machine, &trace);
        if !report.is_ok() {
            return Err(report.to_string());
        }
        let canonical = |values: &[<P as chipwright_ir::FieldPair>::Base]| -> Vec<u64> {
            values.iter().map(p3_field::PrimeField64::as_canonical_u64).collect()
        };
        Ok(MachineTrace {
            tables: trace
                .tables
                .iter()
                .map(|table| chipwright_ir::machine::Table {
                    height: table.height,
                    width: table.width,
                    values: canonical(&table.values),
                    real_rows: table.real_rows,
                })
                .collect(),
            publics: trace.publics.iter().map(|publics| canonical(publics)).collect(),
        })
    })
}

/// The rows of a column of an honest run, which must satisfy everything.
pub(crate) fn outputs<C: Chip>(machine: Machine, input: Input, name: &str) -> Vec<Vec<u64>> {
    let machine = machine.build().unwrap();
    let trace = run(&machine, input, Vec::new()).unwrap_or_else(|why| panic!("{why}"));
    chipwright_dsl::column::<C, u64>(&machine, &trace, name).expect("the chip has the column")
}

/// Whether a run fills and satisfies everything.
pub(crate) fn accepts(machine: &Machine, input: Input) -> bool {
    run(&machine.clone().build().unwrap(), input, Vec::new()).is_ok()
}

/// Forges a cell, computes everything that depends on it, and demands that something objects.
pub(crate) fn rejects_forged<C: Chip>(
    machine: Machine,
    input: Input,
    row: usize,
    column: &str,
    cell: u32,
    value: u64,
) {
    let machine = machine.build().unwrap();
    run(&machine, input.clone(), Vec::new()).unwrap_or_else(|why| panic!("{why}"));
    let chip = &machine.chips[machine.position(&C::name()).unwrap()];
    let group = chip.groups.iter().find(|group| group.name == column).unwrap();
    let column = chipwright_ir::chip::ColumnId(group.start.0 + cell);
    let forge = Forge { chip: C::name(), row, column, value };
    assert!(run(&machine, input, vec![forge]).is_err(), "a forged {} is accepted", group.name);
}
