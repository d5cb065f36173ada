//! Proofs by `p3_uni_stark` of AIRs that know nothing of this project, verified in circuits.

use std::borrow::Cow;

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::{Config, Stark, StarkField};
use chipwright_dsl::circuit::{BuiltCircuit, CircuitBuilder, Target};
use chipwright_ir::FieldPair;
use chipwright_ir::circuit::{Environment, Inputs};
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_recursion::batch::{
    BatchShape, ChildKey, ProofData, RecursiveField, ShapeError, verify_batch,
};
use chipwright_recursion::claims::Claims;
use chipwright_recursion::constraints::ConstraintsError;
use chipwright_recursion::foreign::{ForeignError, foreign_key, foreign_shape};
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::{Layer, LayerError};
use p3_air::{
    Air, AirBuilder, BaseAir, BoundaryEnd, BoundaryPublic, DebugConstraintBuilder,
    SymbolicAirBuilder, WindowAccess,
};
use p3_blake3_air::Blake3Air;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use p3_keccak_air::KeccakAir;
use p3_matrix::dense::RowMajorMatrix;
use p3_uni_stark::{
    Proof, QuotientAir, VerifierConstraintFolder, prove_with_preprocessed, setup_preprocessed,
    verify_with_preprocessed,
};

const SEED: [u8; 32] = *b"a statement of thirty-two bytes.";
const ROWS: usize = 32;

/// `b` walks by `a`, which walks by a preprocessed and a periodic column.
struct Walk;

const PERIOD: [u64; 4] = [3, 1, 4, 1];

fn weight(row: usize) -> u64 {
    (row * row) as u64 + 3
}

impl<F: PrimeField64> BaseAir<F> for Walk {
    fn width(&self) -> usize {
        2
    }

    fn preprocessed_width(&self) -> usize {
        1
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        Some(RowMajorMatrix::new((0..ROWS).map(|row| F::from_u64(weight(row))).collect(), 1))
    }

    fn num_periodic_columns(&self) -> usize {
        1
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Owned(vec![PERIOD.map(F::from_u64).to_vec()])
    }

    fn num_public_values(&self) -> usize {
        2
    }
}

impl<AB: AirBuilder<F: PrimeField64>> Air<AB> for Walk {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let (here, next) = (main.current_slice(), main.next_slice());
        let (a, b, next_a, next_b) = (here[0], here[1], next[0], next[1]);
        let fixed = builder.preprocessed().clone();
        let (weight, next_weight) = (fixed.current_slice()[0], fixed.next_slice()[0]);
        let beat: AB::Expr = builder.periodic_values()[0].into();
        let [start, end] = [0, 1].map(|i| builder.public_values()[i]);
        builder.when_first_row().assert_eq(a, start);
        builder.when_first_row().assert_one(b);
        builder.when_transition().assert_eq(next_a, a * beat + weight);
        builder.when_transition().assert_eq(next_b, a * b * b + next_weight);
        builder.when_last_row().assert_eq(b, end);
    }
}

fn walk<F: PrimeField64>() -> (RowMajorMatrix<F>, Vec<F>) {
    let mut values = vec![F::TWO, F::ONE];
    for row in 0..ROWS - 1 {
        let (a, b) = (values[2 * row], values[2 * row + 1]);
        values.push(a * F::from_u64(PERIOD[row % 4]) + F::from_u64(weight(row)));
        values.push(a * b * b + F::from_u64(weight(row + 1)));
    }
    let publics = vec![values[0], values[2 * ROWS - 1]];
    (RowMajorMatrix::new(values, 2), publics)
}

/// A proof that Plonky3's verifier accepts, and the circuit that verifies it.
struct Verified<P: RecursiveField> {
    shape: BatchShape,
    key: ChildKey<P::Base>,
    publics: Vec<P::Base>,
    proof: Proof<Stark<P>>,
    circuit: BuiltCircuit,
    data: ProofData,
}

impl<P: RecursiveField> Verified<P> {
    fn new<A>(
        name: &str,
        air: &A,
        config: &Config,
        trace: RowMajorMatrix<P::Base>,
        publics: Vec<P::Base>,
    ) -> Self
    where
        A: QuotientAir<Stark<P>>
            + Air<SymbolicAirBuilder<P::Base>>
            + for<'a> Air<DebugConstraintBuilder<'a, P::Base>>
            + for<'a> Air<VerifierConstraintFolder<'a, Stark<P>>>,
    {
        let stark = P::stark(&config.parameters, &SEED);
        let log_height = (trace.values.len() / trace.width).trailing_zeros() as usize;
        let fixed = setup_preprocessed(&stark, air, log_height).expect("a commitment").unzip();
        let proof = prove_with_preprocessed(&stark, air, trace, &publics, fixed.0.as_ref())
            .expect("a proof");
        verify_with_preprocessed(&stark, air, &proof, &publics, fixed.1.as_ref())
            .expect("Plonky3 accepts");

        let shape = foreign_shape::<P, A>(name, air, config, log_height).expect("a shape");
        let key = foreign_key::<P>(&shape, &P::seed_elements(&SEED), fixed.1.as_ref())
            .expect("the key is of the shape");
        let mut builder = CircuitBuilder::with_library(name, chipwright_chips::library(P::FIELD));
        // The key as public values, so that a test can exchange it.
        let mut inputs = |values: &[P::Base]| -> Vec<Target> {
            values.iter().map(|_| builder.add_public_input()).collect()
        };
        let child = ChildKey { seed: inputs(&key.seed), fixed_cap: inputs(&key.fixed_cap) };
        let public_inputs = inputs(&publics);
        let data = verify_batch::<P>(&mut builder, &shape, &child, &[public_inputs])
            .expect("the public values fit");
        let circuit = builder.build().expect("a circuit");
        Self { shape, key, publics, proof, circuit, data }
    }

    fn inputs(&self) -> Inputs {
        let publics = self.key.elements().chain(self.publics.iter().copied());
        let mut inputs = Inputs::publics(publics.map(|value| value.as_canonical_u64()));
        inputs.data = self
            .data
            .foreign_witness::<P>(&self.shape, &self.key, &self.publics, &self.proof)
            .expect("the proof has the shape");
        inputs
    }

    fn accepts(&self, inputs: &Inputs) -> bool {
        let environment = Environment { chips: &self.circuit.library, hints: None };
        self.circuit.tables.program.execute::<P>(inputs, environment).is_ok()
    }

    fn rows(&self, name: &str) -> String {
        let tables = self.circuit.tables.tables.iter();
        let rows = tables.map(|table| format!("{} {}", table.rows.len(), table.kind));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let constraints = format!("verify/constraints/{name}");
        let costs = self.circuit.tables.costs();
        let cost = costs.iter().find(|cost| cost.scope == constraints);
        format!("{rows}; of these, {}", cost.map(ToString::to_string).unwrap_or_default())
    }
}

#[test]
fn a_proof_of_a_foreign_air_is_verified_and_every_altered_value_rejected() {
    fn check<P: RecursiveField>() -> usize {
        let (trace, publics) = walk();
        let config = Config::testing_over(P::FIELD);
        let verified = Verified::<P>::new("walk", &Walk, &config, trace, publics);
        println!("walk over {}: {}", P::FIELD, verified.rows("walk"));
        let honest = verified.inputs();
        assert!(verified.accepts(&honest));
        let mut altered = 0;
        let mut rejected = |by: &dyn Fn(&Inputs) -> bool, alter: &dyn Fn(&mut Inputs)| {
            let mut inputs = honest.clone();
            alter(&mut inputs);
            assert!(!by(&inputs), "alteration {altered}");
            altered += 1;
        };
        let execution = |inputs: &Inputs| verified.accepts(inputs);
        // The seed, the preprocessed commitment, the public values; everything that the proof says.
        for index in 0..honest.publics.len() {
            rejected(&execution, &|inputs| inputs.publics[index][0] ^= 1);
        }
        for index in 0..honest.data[0].len() {
            rejected(&execution, &|inputs| inputs.data[0][index] ^= 1);
        }
        // Leaves and siblings. Roots are looked up, so a wrong one is an unbalanced bus.
        let (library, tables) = (&verified.circuit.library, verified.circuit.tables.clone());
        let (prover, verifier) = compile_circuit::<P>(tables, library, &config).expect("keys");
        let layer = prover.prove(&honest).expect("a proof of the verification");
        verifier.verify(&honest.publics, &layer).expect("it verifies");
        for (piece, values) in honest.data.iter().enumerate().skip(1) {
            for index in [0, values.len() - 1] {
                rejected(&|inputs| prover.prove(inputs).is_ok(), &|inputs| {
                    inputs.data[piece][index] ^= 1;
                });
            }
        }
        altered
    }
    let altered = check::<Goldilocks2>() + check::<Goldilocks3>() + check::<KoalaBear4>();
    println!("{altered} alterations rejected");
}

/// Demands that a proof is accepted, and that one of its opened values is not accepted in another's place.
fn one_altered_value_is_rejected<P: RecursiveField>(name: &str, verified: &Verified<P>) {
    println!("{name} over {}: {}", P::FIELD, verified.rows(name));
    let mut inputs = verified.inputs();
    assert!(verified.accepts(&inputs));
    inputs.data[0][100] ^= 1;
    assert!(!verified.accepts(&inputs));
}

#[test]
fn a_proof_of_keccak_is_verified_over_both_fields() {
    fn check<P: RecursiveField>() {
        let state = std::array::from_fn(|lane| lane as u64 * 0x0123_4567_89ab);
        let trace = p3_keccak_air::generate_trace_rows(vec![state], 0);
        let config = Config::testing_over(P::FIELD);
        let verified = Verified::<P>::new("keccak", &KeccakAir {}, &config, trace, Vec::new());
        one_altered_value_is_rejected("keccak", &verified);
    }
    check::<Goldilocks2>();
    check::<KoalaBear4>();
}

#[test]
fn a_proof_of_blake3_is_verified() {
    type P = KoalaBear4;
    let block = std::array::from_fn(|word| word as u32 * 0x0123_4567);
    let trace = p3_blake3_air::generate_trace_rows(vec![block], 0);
    let config = Config::testing_over(P::FIELD);
    let verified = Verified::<P>::new("blake3", &Blake3Air {}, &config, trace, Vec::new());
    one_altered_value_is_rejected("blake3", &verified);
}

#[test]
fn h_11_a_layer_over_a_foreign_proof_is_verified_against_what_its_verifier_knows() {
    type P = Goldilocks2;
    let (trace, publics) = walk();
    let config = Config::testing();
    let Verified { shape, key, proof, .. } =
        Verified::<P>::new("walk", &Walk, &config, trace, publics.clone());
    let level = shape.level();
    let layer = Layer::<P>::over_shape(shape, &key, &Claims::Facts, &config).expect("a layer");
    let keys = KeySet::new([&layer]).expect("one key");
    let (inputs, said) = layer
        .inputs_over_foreign(&key, &publics, &proof, keys.root(), true)
        .expect("the proof has the shape");
    let outer = layer.prove(&inputs).expect("the proof is valid");
    let expect = |publics: &[_]| Claims::Facts.expect::<P>(publics).expect("facts");
    assert_eq!(expect(&publics).claim(), said.claim);
    let told = layer.verify(&keys, expect(&publics), &outer).expect("what was proven");
    assert_eq!(told, level.least(layer.level()));
    // What the proof says of itself does not count: it is not about these values.
    for (start, end) in [(publics[0] + Goldilocks::ONE, publics[1]), (publics[1], publics[0])] {
        let verdict = layer.verify(&keys, expect(&[start, end]), &outer);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    }
    let verdict = layer.verify(&keys, expect(&publics[..1]), &outer);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
}

/// An AIR that has no columns, or a public value that no constraint binds.
struct Odd {
    width: usize,
    boundary: Vec<BoundaryPublic>,
}

impl<F> BaseAir<F> for Odd {
    fn width(&self) -> usize {
        self.width
    }

    fn num_public_values(&self) -> usize {
        1
    }

    fn public_boundary_io(&self) -> &[BoundaryPublic] {
        &self.boundary
    }
}

impl<AB: AirBuilder> Air<AB> for Odd {
    fn eval(&self, _builder: &mut AB) {}
}

#[test]
fn what_plonky3_would_not_verify_has_no_shape() {
    type P = Goldilocks2;
    let config = Config::testing();
    let shape = |width, boundary| {
        foreign_shape::<P, _>("odd", &Odd { width, boundary }, &config, 3).map(|_| ())
    };
    assert_eq!(shape(1, Vec::new()), Ok(()));
    assert_eq!(shape(0, Vec::new()), Err(ForeignError::Shape(ShapeError::NoColumns)));
    let boundary = ForeignError::from(ConstraintsError::Boundary { count: 1 });
    assert_eq!(shape(1, vec![BoundaryPublic::new(0, BoundaryEnd::First, 0)]), Err(boundary));
    // What a configuration over another field proves is said of other proofs.
    let other = Config::testing_over(Goldilocks3::FIELD);
    let refused = foreign_shape::<P, _>("walk", &Walk, &other, 5).map(|_| ());
    let expected = ForeignError::Field { circuit: P::FIELD, config: Goldilocks3::FIELD };
    assert_eq!(refused, Err(expected));

    // Preprocessed columns of another width or height, or none.
    let shape = foreign_shape::<P, _>("walk", &Walk, &config, 5).expect("a shape");
    let stark = P::stark(&config.parameters, &SEED);
    let fixed = setup_preprocessed(&stark, &Walk, 5).expect("a commitment");
    let (_, mut fixed) = fixed.expect("there is a preprocessed column");
    assert!(foreign_key::<P>(&shape, &[], Some(&fixed)).is_ok());
    assert!(matches!(foreign_key::<P>(&shape, &[], None), Err(ForeignError::Fixed { .. })));
    fixed.width = 2;
    assert!(matches!(foreign_key::<P>(&shape, &[], Some(&fixed)), Err(ForeignError::Fixed { .. })));
    (fixed.width, fixed.degree_bits) = (1, 4);
    assert!(matches!(foreign_key::<P>(&shape, &[], Some(&fixed)), Err(ForeignError::Fixed { .. })));
}

#[test]
fn a_configuration_below_its_target_is_refused() {
    let mut config = Config::testing();
    config.target = Some(100);
    let shape = foreign_shape::<Goldilocks2, _>("walk", &Walk, &config, 5);
    assert!(matches!(shape, Err(ForeignError::Security(_))), "{shape:?}");
    // A period that does not fit the height.
    let shape = foreign_shape::<Goldilocks2, _>("walk", &Walk, &Config::testing(), 1);
    assert!(matches!(shape, Err(ForeignError::Shape(_))), "{shape:?}");
}
