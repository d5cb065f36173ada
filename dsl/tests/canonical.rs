//! Numbers that are given to a machine are elements or refused: none is reduced.

// The chip of these tests explains itself.
#![allow(missing_docs)]

use chipwright_dsl::prelude::*;
use chipwright_dsl::{Input, Machine, MachineError};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{FillError, FillErrors, MachineTrace, fill};
use p3_goldilocks::Goldilocks;

const FIELD: Field = Field::Goldilocks2;

#[chip]
pub struct Numbers {
    #[fixed]
    key: Felt,
    #[record]
    given: Felt,
    value: Felt,
    #[public]
    known: Felt,
    #[port]
    ram: Memory<Felt>,
}

impl Chip for Numbers {
    fn row(c: &Builder, row: &Row<Self>) {
        c.read(row.ram, row.key, 1, row.value);
        c.assert_eq(row.given, row.value);
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.given, row.known);
    }
}

fn machine(key: u64) -> Result<chipwright_ir::machine::Machine, MachineError> {
    let fixed = [NumbersFixed { key }];
    let machine =
        Machine::new("numbers", FIELD).add_with::<Numbers>(&fixed).memory_with_input::<Felt>("ram");
    machine.build().map_err(|errors| errors.errors[0].clone())
}

fn filled(given: u64, known: u64, held: u64) -> Result<MachineTrace<Goldilocks>, FillErrors> {
    let input = Input::new(FIELD)
        .rows::<Numbers>([NumbersRecord { given }])
        .publics::<Numbers>(&NumbersPublics { known })
        .memory::<Felt>("ram", [(5, held)]);
    fill::<Goldilocks2>(&machine(5).expect("a canonical key"), &input.into_ir())
}

#[test]
fn h_09_the_contents_of_a_fixed_column_are_not_reduced() {
    let modulus = FIELD.modulus();
    assert!(machine(modulus - 1).is_ok());
    for key in [modulus, modulus + 1, u64::MAX] {
        let Err(MachineError::NotCanonical { chip, column, row, error }) = machine(key) else {
            panic!("{key} became {}", key - modulus)
        };
        assert_eq!((chip.as_str(), column.as_str(), row), ("numbers", "key", 0));
        assert_eq!(error.value, key);
    }
}

#[test]
fn h_09_records_public_values_and_memory_are_not_reduced() {
    let raised = FIELD.modulus() + 1;
    filled(1, 1, 1).expect("canonical numbers");
    let refused = |given, known, held| {
        let errors = filled(given, known, held).expect_err("a number is reduced").errors;
        errors.into_iter().next().expect("an error")
    };
    assert!(
        matches!(refused(raised, 1, 1), FillError::NotCanonical { value, .. } if value == raised)
    );
    for (error, text) in [
        (refused(1, raised, 1), "a public value of chip `numbers`"),
        (refused(1, 1, raised), "the memory on bus `ram`"),
    ] {
        assert!(matches!(error, FillError::NotCanonicalInput { .. }), "{error}");
        let text = format!("{text}: {raised} is not below the modulus {}", FIELD.modulus());
        assert_eq!(error.to_string(), text);
    }
}
