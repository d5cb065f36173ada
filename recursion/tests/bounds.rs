//! Heights and parameters at their bounds: a circuit accepts what Plonky3's verifier accepts, and is not built for what
//! that refuses.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::{HeightsError, KeyShape, ProvingKey, compile};
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::circuit::{BuiltCircuit, CircuitBuilder, Target};
use chipwright_dsl::prelude::*;
use chipwright_ir::FieldPair;
use chipwright_ir::circuit::{Environment, Inputs};
use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use chipwright_ir::machine::{Machine, MachineTrace, Table};
use chipwright_recursion::batch::{
    BatchShape, ChildKey, ProofData, RecursiveField, ShapeError, verify_batch,
};
use chipwright_recursion::foreign::{ForeignError, foreign_shape};
use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

type P = Goldilocks2;

/// Every row is the square of the one before.
#[chip(dense)]
struct Squares {
    value: Felt,
    #[public]
    start: Felt,
    #[public]
    end: Felt,
}

impl Chip for Squares {
    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.value, row.start);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.value, row.value * row.value);
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.end, row.value);
    }
}

/// The same as an AIR of somebody else.
struct ForeignSquares;

impl<F> BaseAir<F> for ForeignSquares {
    fn width(&self) -> usize {
        1
    }

    fn num_public_values(&self) -> usize {
        2
    }
}

impl<AB: AirBuilder> Air<AB> for ForeignSquares {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let (here, next) = (main.current_slice()[0], main.next_slice()[0]);
        let [start, end] = [0, 1].map(|i| builder.public_values()[i]);
        builder.when_first_row().assert_eq(here, start);
        builder.when_transition().assert_eq(here * here, next);
        builder.when_last_row().assert_eq(here, end);
    }
}

/// Tables of squares: their heights are for a prover to choose.
fn squares(field: Field, tables: usize) -> Machine {
    let chip = record::<Squares>(field).expect("the chip is recorded");
    let mut machine = Machine::new("squares", field);
    for number in 0..tables {
        let mut table = (*chip).clone();
        table.name = format!("squares_{number}");
        machine.chips.push(table);
    }
    machine
}

/// Rows that begin with 2, 3, …, as many as each table has.
fn trace(log_heights: &[usize]) -> MachineTrace<Goldilocks> {
    let (mut tables, mut publics) = (Vec::new(), Vec::new());
    for (number, &log_height) in log_heights.iter().enumerate() {
        let height = 1 << log_height;
        let start = Goldilocks::from_usize(2 + number);
        let values: Vec<_> =
            std::iter::successors(Some(start), |x| Some(*x * *x)).take(height).collect();
        publics.push(vec![start, values[height - 1]]);
        tables.push(Table { height, width: 1, values, real_rows: height });
    }
    MachineTrace { tables, publics }
}

/// The cheap configuration with a final polynomial of so many coefficients, and an arity.
fn config(log_final_poly_len: usize, max_log_arity: usize) -> Config {
    let mut config = Config::testing();
    config.parameters.log_final_poly_len = log_final_poly_len;
    config.parameters.max_log_arity = max_log_arity;
    config
}

/// A key, and the circuit that verifies proofs of certain heights under it.
struct Verified {
    key: ProvingKey<P>,
    shape: BatchShape,
    circuit: BuiltCircuit,
    data: ProofData,
}

impl Verified {
    fn new(config: &Config, log_heights: &[usize]) -> Self {
        let (key, verifying) =
            compile::<P>(&squares(P::FIELD, log_heights.len()), config).expect("keys");
        let shape = BatchShape::new(verifying.shape(), log_heights).expect("the heights fit");
        let library = chipwright_chips::library(P::FIELD);
        let mut builder = CircuitBuilder::with_library("verifier", library);
        let child = ChildKey::of(&verifying).constant(&mut builder);
        let publics: Vec<Vec<Target>> = shape
            .publics()
            .map(|count| (0..count).map(|_| builder.add_public_input()).collect())
            .collect();
        let data = verify_batch::<P>(&mut builder, &shape, &child, &publics)
            .expect("the public values fit");
        let circuit = builder.build().expect("a circuit");
        Self { key, shape, circuit, data }
    }

    /// The verdicts of Plonky3's verifier and of the circuit.
    fn verdicts(&self, publics: &[Vec<Goldilocks>], proof: &Proof<P>) -> [bool; 2] {
        let key = self.key.verifying_key();
        let native = key.verify(publics, proof).is_ok();
        let values = publics.iter().flatten().map(PrimeField64::as_canonical_u64);
        let mut inputs = Inputs::publics(values);
        let Ok(data) = self.data.witness(&self.shape, key, publics, proof) else {
            return [native, false];
        };
        inputs.data = data;
        let environment = Environment { chips: &self.circuit.library, hints: None };
        let run = self.circuit.tables.program.execute::<P>(&inputs, environment);
        [native, run.is_ok()]
    }
}

/// Final polynomials, arities and heights: as low as can be, alike and mixed, with inputs at every step of folding.
const BOUNDS: [(usize, usize, &[usize]); 8] = [
    (0, 3, &[0]),
    (0, 3, &[0, 0]),
    (0, 1, &[0, 1, 2]),
    (0, 2, &[4, 0, 1]),
    (1, 3, &[2]),
    (1, 3, &[2, 5, 3]),
    (2, 1, &[3, 4, 3]),
    (3, 3, &[4, 7]),
];

#[test]
fn h_04_the_circuit_accepts_what_the_verifier_accepts_at_every_bound() {
    for (log_final, arity, log_heights) in BOUNDS {
        let what = format!("2^{log_final} coefficients, arity 2^{arity}, {log_heights:?}");
        let verified = Verified::new(&config(log_final, arity), log_heights);
        let honest = trace(log_heights);
        let publics = honest.publics.clone();
        let mut proof = verified.key.prove(honest).expect("the heights fit");
        assert_eq!(verified.verdicts(&publics, &proof), [true; 2], "{what}");
        // Another end, another start, and a proof of rows that do not follow each other.
        for value in 0..2 {
            let mut wrong = publics.clone();
            wrong[0][value] += Goldilocks::ONE;
            assert_eq!(verified.verdicts(&wrong, &proof), [false; 2], "{what}, value {value}");
        }
        let mut forged = trace(log_heights);
        *forged.tables[0].values.last_mut().expect("a row") = Goldilocks::from_u64(5);
        forged.publics[0][1] = Goldilocks::from_u64(5);
        let publics_of_forged = forged.publics.clone();
        let forged = verified.key.prove(forged).expect("the shape is right");
        assert_eq!(verified.verdicts(&publics_of_forged, &forged), [false; 2], "{what}, forged");
        // Each coefficient of the final polynomial; one more of them, one fewer.
        for coefficient in 0..1 << log_final {
            let place = |proof: &mut Proof<P>| {
                proof.batch_mut().opening_proof.final_poly[coefficient] += Goldilocks::ONE;
            };
            let honest = proof.batch().opening_proof.final_poly[coefficient];
            place(&mut proof);
            assert_eq!(verified.verdicts(&publics, &proof), [false; 2], "{what}, {coefficient}");
            proof.batch_mut().opening_proof.final_poly[coefficient] = honest;
        }
        let last = proof.batch_mut().opening_proof.final_poly.pop().expect("a coefficient");
        assert_eq!(verified.verdicts(&publics, &proof), [false; 2], "{what}, one fewer");
        proof.batch_mut().opening_proof.final_poly.extend([last, last]);
        assert_eq!(verified.verdicts(&publics, &proof), [false; 2], "{what}, one more");
    }
}

#[test]
fn h_04_heights_that_the_low_degree_test_does_not_reach_have_no_circuit() {
    // 2, 4, 16, 256 in 2^2 rows has a domain of 2^5, on which any function is a polynomial of 2^5 coefficients.
    for (log_final, log_heights, admitted) in [
        (5, &[2][..], false),
        (5, &[5], false),
        (5, &[6], true),
        (5, &[6, 5], false),
        (5, &[8, 2, 6], false),
        (5, &[8, 6], true),
        (1, &[1], false),
        (1, &[2], true),
        (0, &[0], true),
    ] {
        let config = config(log_final, 3);
        let machine = squares(P::FIELD, log_heights.len());
        let key = KeyShape::<P>::new(&machine, &config).expect("a shape");
        let shape = BatchShape::new(&key, log_heights);
        assert_eq!(shape.is_ok(), admitted, "{log_final}, {log_heights:?}: {shape:?}");
        let refused = matches!(shape, Err(ShapeError::Heights(HeightsError::Height { .. })));
        assert_eq!(refused, !admitted, "{log_final}, {log_heights:?}: {shape:?}");
        let [log_height] = *log_heights else { continue };
        let shape = foreign_shape::<P, _>("squares", &ForeignSquares, &config, log_height);
        assert_eq!(shape.is_ok(), admitted, "{log_final}, 2^{log_height}: {shape:?}");
    }
}

#[test]
fn h_04_heights_below_those_of_the_configuration_have_no_circuit() {
    let mut config = config(0, 3);
    config.parameters.min_log_height = 3;
    let key = KeyShape::<P>::new(&squares(P::FIELD, 2), &config).expect("a shape");
    for (log_heights, admitted) in
        [([3, 3], true), ([3, 2], false), ([2, 5], false), ([4, 3], true)]
    {
        let shape = BatchShape::new(&key, &log_heights);
        assert_eq!(shape.is_ok(), admitted, "{log_heights:?}: {shape:?}");
    }
    for (log_height, admitted) in [(2, false), (3, true)] {
        let shape = foreign_shape::<P, _>("squares", &ForeignSquares, &config, log_height);
        assert_eq!(shape.is_ok(), admitted, "2^{log_height}: {shape:?}");
        let refused = matches!(shape, Err(ForeignError::TooLow { log_height: 2, least: 8, .. }));
        assert_eq!(refused, !admitted, "2^{log_height}: {shape:?}");
    }
    // One height too many, one too few.
    for log_heights in [&[3][..], &[3; 3]] {
        let shape = BatchShape::new(&key, log_heights);
        let refused = matches!(shape, Err(ShapeError::Heights(HeightsError::Tables { .. })));
        assert!(refused, "{log_heights:?}: {shape:?}");
    }
}

/// The limit that a shape is beyond.
fn limit<P: RecursiveField>(config: &Config, log_height: usize) -> Option<(usize, usize)> {
    let key = KeyShape::<P>::new(&squares(P::FIELD, 1), config).expect("a shape");
    let of_key = match BatchShape::new(&key, &[log_height]) {
        Err(ShapeError::Parameter { got, limit, .. }) => Some((got, limit)),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    };
    let foreign = match foreign_shape::<P, _>("squares", &ForeignSquares, config, log_height) {
        Err(ForeignError::Shape(ShapeError::Parameter { got, limit, .. })) => Some((got, limit)),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    };
    assert_eq!(of_key, foreign);
    of_key
}

#[test]
fn h_04_parameters_beyond_what_the_chips_compute_have_no_circuit() {
    // Cosets of eight are folded in a row of the hash chip.
    for (arity, expected) in [(1, None), (3, None), (4, Some((4, 3))), (6, Some((6, 3)))] {
        assert_eq!(limit::<P>(&config(0, arity), 5), expected, "arity 2^{arity}");
    }
    // A proof of work is made of the lower bits of an element: 24 of KoalaBear, 32 of Goldilocks.
    for site in 0..5 {
        for (bits, expected) in [(24, None), (25, Some((25, 24)))] {
            let mut config = Config::testing_over(KoalaBear4::FIELD);
            let grinding = &mut config.parameters.grinding;
            let sites = [
                &mut grinding.lookup,
                &mut grinding.out_of_domain,
                &mut grinding.batch,
                &mut grinding.fold,
                &mut grinding.query,
            ];
            *sites.into_iter().nth(site).expect("a site") = bits;
            assert_eq!(limit::<KoalaBear4>(&config, 5), expected, "{bits} bits at site {site}");
        }
    }
    // An index is made of as many. A foreign table has no other bound.
    for (log_height, admitted) in [(29, true), (30, false), (32, false), (33, false), (64, false)] {
        let shape =
            foreign_shape::<P, _>("squares", &ForeignSquares, &Config::testing(), log_height);
        assert_eq!(shape.is_ok(), admitted, "2^{log_height}: {shape:?}");
    }
    // Those that no proof system runs with.
    let alter: [fn(&mut Config); 4] = [
        |config| config.parameters.log_blowup = 0,
        |config| config.parameters.queries = 0,
        |config| config.parameters.max_log_arity = 0,
        |config| config.parameters.log_final_poly_len = 64,
    ];
    for alter in alter {
        let mut config = Config::testing();
        alter(&mut config);
        let shape = foreign_shape::<P, _>("squares", &ForeignSquares, &config, 5);
        assert!(matches!(shape, Err(ForeignError::Config(_))), "{shape:?}");
    }
}

#[test]
fn a_key_and_public_values_have_the_lengths_of_the_shape() {
    let (_, key) = compile::<P>(&squares(P::FIELD, 2), &Config::testing()).expect("keys");
    let shape = BatchShape::new(key.shape(), &[3, 3]).expect("the heights fit");
    let refused = |seed: usize, fixed: usize, counts: &[usize]| {
        let library = chipwright_chips::library(P::FIELD);
        let mut builder = CircuitBuilder::with_library("verifier", library);
        let mut inputs = |count: usize| -> Vec<Target> {
            (0..count).map(|_| builder.add_public_input()).collect()
        };
        let key = ChildKey { seed: inputs(seed), fixed_cap: inputs(fixed) };
        let publics: Vec<Vec<Target>> = counts.iter().map(|&count| inputs(count)).collect();
        verify_batch::<P>(&mut builder, &shape, &key, &publics).err()
    };
    let seed = ChildKey::of(&key).seed.len();
    assert_eq!(refused(seed, 0, &[2, 2]), None);
    for (seed, fixed, counts) in [
        (seed - 1, 0, &[2, 2][..]),
        (seed + 1, 0, &[2, 2]),
        (seed, 4, &[2, 2]),
        (seed, 0, &[2]),
        (seed, 0, &[2, 2, 0]),
        (seed, 0, &[2, 1]),
        (seed, 0, &[3, 2]),
    ] {
        let error = refused(seed, fixed, counts);
        assert!(matches!(error, Some(ShapeError::Length { .. })), "{seed}, {fixed}, {counts:?}");
    }
}
