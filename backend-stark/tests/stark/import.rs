//! AIRs of other crates as chips.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::import::{ImportError, chip_from_air};
use chipwright_backend_stark::key::compile;
use chipwright_backend_stark::proof::VerifyError;
use chipwright_ir::Field;
use chipwright_ir::chip::Section;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{Machine, MachineTrace, Table};
use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL, GenericPoseidon2LinearLayersGoldilocks, Goldilocks,
};
use p3_koala_bear::KoalaBear;
use p3_poseidon2::ExternalLayerConstants;
use p3_poseidon2_air::{Poseidon2Air, RoundConstants};

type Poseidon2 = Poseidon2Air<Goldilocks, GenericPoseidon2LinearLayersGoldilocks, 8, 7, 0, 4, 22>;

#[test]
fn poseidon2_keeps_its_columns_and_constraints_and_proves() {
    let external = ExternalLayerConstants::new(
        GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL.to_vec(),
        GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL.to_vec(),
    );
    let air = Poseidon2::new(
        RoundConstants::try_from_layers(&external, &GOLDILOCKS_POSEIDON2_RC_8_INTERNAL)
            .expect("4 + 22 + 4 rounds"),
    );
    let chip = chip_from_air("poseidon2", Field::Goldilocks2, &air).expect("imports");
    assert_eq!((chip.width(), chip.rules.len(), chip.degree()), (94, 86, 7));

    let machine = Machine { name: "hash".to_owned(), field: chip.field, chips: vec![chip] };
    let (key, verifying) = compile::<Goldilocks2>(&machine, &Config::testing()).expect("compiles");
    let honest = air.generate_random_trace_rows(8, 0);
    let verify = |values: Vec<Goldilocks>| {
        let tables = vec![Table { height: 8, width: 94, values, real_rows: 8 }];
        let publics = vec![vec![]];
        let proof = key.prove(MachineTrace { tables, publics }).expect("shapes fit");
        verifying.verify(&[vec![]], &proof)
    };
    assert_eq!(verify(honest.values.clone()), Ok(()));
    for column in (0..94).step_by(13) {
        let mut forged = honest.values.clone();
        forged[94 * 5 + column] += Goldilocks::ONE;
        assert!(matches!(verify(forged), Err(VerifyError::Rejected { .. })), "column {column}");
    }
}

/// Counts up by one from a public value; the last row is checked in a product of two selectors, or in a
/// sum of selectors, if asked for.
struct Counter(Form);

#[derive(PartialEq)]
enum Form {
    Plain,
    TwoSelectors,
    SumOfSelectors,
}

impl<F> BaseAir<F> for Counter {
    fn width(&self) -> usize {
        1
    }

    fn num_public_values(&self) -> usize {
        1
    }
}

impl<AB: AirBuilder> Air<AB> for Counter {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let [here, next] = [main.current(0), main.next(0)].map(|cell| cell.expect("one column"));
        let start = builder.public_values()[0];
        let (first, last) = (builder.is_first_row(), builder.is_last_row());
        builder.when_first_row().assert_eq(here, start);
        builder.when_transition().when(here).assert_eq(next, here + AB::F::ONE);
        builder.when_last_row().assert_eq(here, AB::F::TWO);
        builder.assert_zero(here * (here - AB::F::ONE));
        match self.0 {
            Form::Plain => {}
            Form::TwoSelectors => builder.assert_zero(first * last * here),
            Form::SumOfSelectors => builder.assert_zero((first + last) * here),
        }
    }
}

#[test]
fn selectors_become_sections() {
    let chip = chip_from_air::<Goldilocks, _>("counter", Field::Goldilocks2, &Counter(Form::Plain))
        .expect("imports");
    let sections: Vec<_> = chip.rules.iter().map(|rule| rule.section).collect();
    assert_eq!(sections, [Section::First, Section::Step, Section::Last, Section::Row]);
    assert_eq!(chip.publics.len(), 1);
}

#[test]
fn selectors_within_an_expression_are_refused() {
    for form in [Form::TwoSelectors, Form::SumOfSelectors] {
        let error = chip_from_air::<Goldilocks, _>("counter", Field::Goldilocks2, &Counter(form))
            .expect_err("no section");
        assert_eq!(error, ImportError::Selector { constraint: 4 });
    }
}

#[test]
fn another_field_is_refused() {
    let error = chip_from_air::<KoalaBear, _>("counter", Field::Goldilocks2, &Counter(Form::Plain))
        .expect_err("another field");
    assert!(matches!(error, ImportError::Field { .. }), "{error}");
}
