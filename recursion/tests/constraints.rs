//! The circuit that evaluates constraints accepts and rejects what Plonky3's verifier accepts and rejects.
//!
//! Real proofs are opened natively: their challenges come from Plonky3's own transcript, their opened values
//! become inputs of the circuit. What must happen to an altered value is said by Plonky3's
//! folder over the same values, so that no test repeats the code that it is about.

mod opening;

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::{Config, Stark, StarkField};
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::machine::compile_machine;
use chipwright_backend_stark::proof::Proof;
use chipwright_chips::{catalog, library};
use chipwright_dsl::circuit::{BuiltCircuit, CircuitBuilder, ExtTarget};
use chipwright_dsl::prelude::*;
use chipwright_ir::audit::Rng;
use chipwright_ir::circuit::{Constant, Environment, Form, Inputs};
use chipwright_ir::field::{Goldilocks2, Goldilocks3};
use chipwright_ir::machine::{Machine as IrMachine, MachineInput};
use chipwright_ir::{Field, FieldPair};
use chipwright_recursion::constraints::{
    BatchConstraints, ConstraintsError, Node, Opened, TableConstraints,
};
use opening::{Circuit, Opening, Value};
use p3_batch_stark::Commitment;
use p3_challenger::{CanObserve, FieldChallenger};
use p3_commit::Pcs;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{BasedVectorSpace, Field as _, PrimeCharacteristicRing, TwoAdicField};
use p3_goldilocks::Goldilocks;
use p3_matrix::dense::RowMajorMatrix;
use p3_uni_stark::StarkGenericConfig;

fn run<P: FieldPair>(circuit: &BuiltCircuit, inputs: &Inputs) -> bool {
    let environment = Environment { chips: &circuit.library, hints: None };
    circuit.tables.program.execute::<P>(inputs, environment).is_ok()
}

/// A proof of a machine, and what the verifier knows.
struct Proven<P: StarkField> {
    key: VerifyingKey<P>,
    log_heights: Vec<usize>,
    opening: Opening<P>,
}

impl<P: StarkField> Proven<P> {
    fn machine(machine: IrMachine, input: &MachineInput) -> Self {
        let config = Config::testing_over(P::FIELD);
        let (prover, verifier) = compile_machine::<P>(machine, &config).expect("a machine");
        let trace = prover.trace(input).expect("the tables are filled");
        let publics = trace.publics.clone();
        let proof = prover.key().prove(trace).expect("a proof");
        verifier.verify(&input.publics, &proof).expect("the proof verifies");
        Self::open(verifier.key(), &proof, &publics)
    }

    fn open(key: &VerifyingKey<P>, proof: &Proof<P>, publics: &[Vec<P::Base>]) -> Self {
        let opening = Opening::of(key, proof, publics);
        Self { key: key.clone(), log_heights: proof.log_heights().to_vec(), opening }
    }

    fn constraints(&self) -> BatchConstraints {
        BatchConstraints::of_key(self.key.shape(), &self.log_heights).expect("constraints")
    }

    fn circuit(&self) -> BuiltCircuit {
        let mut builder = CircuitBuilder::over("constraints", P::FIELD);
        let mut circuit = Circuit::new(&mut builder, &self.opening);
        self.constraints()
            .assert_all(&mut builder, &mut circuit.zeta, &circuit.opened, &circuit.challenges)
            .expect("the shapes fit");
        builder.build().expect("a circuit")
    }

    /// Alters each value by itself: the circuit rejects exactly what Plonky3's verifier rejects. Gives the
    /// numbers of alterations rejected, and of those that no constraint is about.
    fn check_alterations(&self) -> (usize, usize) {
        let circuit = self.circuit();
        assert!(self.opening.holds(&self.key, &self.log_heights), "Plonky3 rejects");
        assert!(run::<P>(&circuit, &self.opening.inputs()), "the circuit rejects");
        let (mut rejected, mut unread) = (0, 0);
        for index in 0..self.opening.clone().values().len() {
            let mut altered = self.opening.clone();
            match altered.values().swap_remove(index) {
                Value::Ext(value) => *value += P::Ext::ONE,
                Value::Base(value) => *value += P::Base::ONE,
            }
            let holds = altered.holds(&self.key, &self.log_heights);
            assert_eq!(run::<P>(&circuit, &altered.inputs()), holds, "value {index} altered");
            if holds { unread += 1 } else { rejected += 1 }
        }
        (rejected, unread)
    }
}

/// First, step and last rules, public values, and columns of every kind, each also in the next row.
#[chip(dense)]
struct Walk {
    a: Felt,
    b: Felt,
    #[fixed]
    weight: Felt,
    #[periodic]
    beat: [Felt; 2],
    #[public]
    start: [Felt; 2],
    #[public]
    result: Felt,
}

impl Chip for Walk {
    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.a, row.start[0]);
        c.define(row.b, row.start[1]);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.a, row.b + row.weight * row.beat[0]);
        c.define(next.b, row.a * row.b + next.weight - row.beat[1]);
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.result, row.b);
    }

    fn fixed(_: Field) -> Vec<WalkFixed> {
        (0..32).map(|row| WalkFixed { weight: row * row + 3 }).collect()
    }

    fn periodic(_: Field) -> Vec<WalkPeriodic> {
        (0..4).map(|row| WalkPeriodic { beat: [5 * row + 1, 11 - row] }).collect()
    }
}

fn walk<P: StarkField>() -> Proven<P> {
    let modulus = u128::from(P::FIELD.modulus());
    let (mut a, mut b) = (2_u128, 3_u128);
    for row in 0..31_u128 {
        let (weight, next_weight) = (row * row + 3, (row + 1) * (row + 1) + 3);
        let (beat0, beat1) = (5 * (row % 4) + 1, 11 - row % 4);
        let next = a * b % modulus + next_weight + modulus - beat1;
        (a, b) = ((b + weight * beat0) % modulus, next % modulus);
    }
    let machine = Machine::new("walk", P::FIELD).add::<Walk>().build().expect("a machine");
    let publics = WalkPublics { start: [2, 3], result: b as u64 };
    let input = chipwright_dsl::machine::Input::new(P::FIELD)
        .empty_rows::<Walk>(32)
        .publics::<Walk>(&publics);
    Proven::machine(machine, &input.into_ir())
}

fn toy<P: StarkField>() -> Proven<P> {
    let mut builder = CircuitBuilder::over("toy", P::FIELD);
    let x = builder.add_public_input();
    let product = builder.mul(37, x);
    let difference = builder.sub(product, 111);
    builder.assert_zero(difference);
    let circuit = builder.build_form(Form::Separate).expect("a circuit");
    let config = Config::testing_over(P::FIELD);
    let (prover, verifier) =
        compile_circuit::<P>(circuit.tables, &library(P::FIELD), &config).expect("keys");
    let inputs = Inputs::publics([3]);
    let witness = prover.witness(&inputs, None).expect("a witness");
    let publics = prover.trace(&witness).expect("a trace").publics;
    let proof = prover.prove(&inputs).expect("a proof");
    verifier.verify(&[vec![3]], &proof).expect("the proof verifies");
    Proven::open(verifier.key(), &proof, &publics)
}

/// The first honest run of a standard chip.
fn standard<P: StarkField>(name: &str) -> Proven<P> {
    let mut catalog = catalog(P::FIELD).into_iter();
    let entry = catalog.find(|entry| entry.chip.name == name).expect("a standard chip");
    Proven::machine(entry.machine(), &entry.inputs(1)[0])
}

fn proofs<P: StarkField>() -> Vec<(&'static str, Proven<P>)> {
    let standard = |name| (name, standard(name));
    vec![
        ("toy", toy()),
        ("walk", walk()),
        standard("merkle_path"),
        standard("poseidon2_16"),
        standard("exp_reverse_bits_8"),
        standard("bitwise_xor"),
    ]
}

#[test]
fn every_alteration_of_an_opened_value_is_rejected() {
    fn all<P: StarkField>() -> (usize, usize) {
        proofs::<P>().iter().fold((0, 0), |(rejected, unread), (name, proof)| {
            let (more_rejected, more_unread) = proof.check_alterations();
            println!("{name} over {}: {more_rejected} rejected, {more_unread} unread", P::FIELD);
            (rejected + more_rejected, unread + more_unread)
        })
    }
    let (rejected, unread) = all::<Goldilocks2>();
    let (rejected_3, unread_3) = all::<Goldilocks3>();
    println!("{} alterations rejected", rejected + rejected_3);
    // What is not read is opened for the next row only because another column is.
    assert!(2 * (unread + unread_3) < rejected + rejected_3);
}

impl<P: StarkField<Base: TwoAdicField>> Proven<P> {
    /// The circuit that compares the folded constraints of a table with an input.
    fn folded_circuit(&self, table: usize) -> BuiltCircuit {
        let mut builder = CircuitBuilder::over("folded", P::FIELD);
        let mut circuit = Circuit::new(&mut builder, &self.opening);
        let constraints = &self.constraints().tables()[table].clone();
        let (zeta, challenges) = (&mut circuit.zeta, &circuit.challenges);
        let folded = constraints.evaluate(&mut builder, zeta, &circuit.opened[table], challenges);
        let expected = builder.public::<ExtTarget>();
        builder.assert_eq(folded.expect("the shapes fit"), expected);
        builder.build().expect("a circuit")
    }

    /// The circuit that checks one table, with constraints of its own.
    fn table_circuit(&self, table: usize, constraints: &TableConstraints) -> BuiltCircuit {
        let mut builder = CircuitBuilder::over("table", P::FIELD);
        let mut circuit = Circuit::new(&mut builder, &self.opening);
        let opened = &circuit.opened[table];
        constraints
            .assert_quotient(&mut builder, &mut circuit.zeta, opened, &circuit.challenges)
            .expect("the shapes fit");
        builder.build().expect("a circuit")
    }

    /// Values that satisfy nothing.
    fn scrambled(&self, seed: u64) -> Opening<P> {
        let mut rng = Rng::new(seed);
        let mut opening = self.opening.clone();
        for value in opening.values() {
            match value {
                Value::Ext(value) => {
                    *value = P::Ext::from_basis_coefficients_fn(|_| P::Base::from_u64(rng.bits()));
                }
                Value::Base(value) => *value = P::Base::from_u64(rng.bits()),
            }
        }
        opening
    }

    /// The value of each constraint of a table, from Plonky3's folder: what it gives for a challenge is a
    /// polynomial in it, whose coefficients are the constraints.
    fn each_constraint(&self, opening: &Opening<P>, table: usize) -> Vec<P::Ext> {
        let count = self.constraints().tables()[table].constraints().roots().len();
        let log_size = count.next_power_of_two().trailing_zeros() as usize;
        let root = P::Base::two_adic_generator(log_size);
        let folded: Vec<P::Ext> = root
            .powers()
            .take(1 << log_size)
            .map(|power| {
                let opening = Opening { alpha: power.into(), ..opening.clone() };
                opening.folded(&self.key, table, self.log_heights[table])
            })
            .collect();
        let scale = P::Base::from_usize(1 << log_size).inverse();
        (0..count)
            .rev()
            .map(|power| {
                let step = root.exp_u64(power as u64).inverse();
                let terms = folded.iter().zip(step.powers());
                terms.map(|(&value, factor)| value * factor).sum::<P::Ext>() * scale
            })
            .collect()
    }
}

#[test]
fn the_folded_constraints_of_any_values_are_those_of_plonky3() {
    fn all<P: StarkField<Base: TwoAdicField>>() {
        for (name, proof) in proofs::<P>() {
            for table in 0..proof.log_heights.len() {
                let circuit = proof.folded_circuit(table);
                let opening = proof.scrambled(table as u64);
                let folded = opening.folded(&proof.key, table, proof.log_heights[table]);
                let inputs = |expected: P::Ext| {
                    let mut inputs = opening.inputs();
                    let expected = Constant::from_ext::<P>(expected);
                    inputs.publics.push(expected.coefficients().to_vec());
                    inputs
                };
                assert!(run::<P>(&circuit, &inputs(folded)), "{name}, table {table}");
                assert!(!run::<P>(&circuit, &inputs(folded + P::Ext::ONE)));
            }
        }
    }
    all::<Goldilocks2>();
    all::<Goldilocks3>();
}

#[test]
fn a_forgery_that_violates_one_constraint_is_rejected_whichever_it_is() {
    type P = Goldilocks2;
    let mut count = 0;
    for (name, proof) in proofs::<P>() {
        for table in 0..proof.log_heights.len() {
            let log_height = proof.log_heights[table];
            let constraints = &proof.constraints().tables()[table].clone();
            let circuit = proof.table_circuit(table, constraints);
            let mut opening = proof.scrambled(7);
            let folded = opening.folded(&proof.key, table, log_height);
            let values = proof.each_constraint(&opening, table);
            // With a single value of a single chunk, the quotient is what a forger wants it to be.
            let mut forge = |quotient: <P as FieldPair>::Ext| {
                let degree = P::FIELD.degree();
                for chunk in &mut opening.tables[table].quotient {
                    *chunk = <P as FieldPair>::Ext::zero_vec(degree);
                }
                opening.tables[table].quotient[0][0] = PrimeCharacteristicRing::ONE;
                let weight = opening.quotient(table, log_height);
                let vanishing = opening.zeta.exp_power_of_2(log_height) - Goldilocks::ONE;
                opening.tables[table].quotient[0][0] = quotient / (vanishing * weight);
                opening.inputs()
            };
            assert!(run::<P>(&circuit, &forge(folded)), "{name}, table {table}");
            let mut power = <P as FieldPair>::Ext::ONE;
            for (index, &value) in values.iter().enumerate().rev() {
                // Right but for one constraint, whose value is left out.
                let forged = forge(folded - value * power);
                assert!(!run::<P>(&circuit, &forged), "{name}, table {table}, {index}");
                count += 1;
                if values.len() <= 16 {
                    let without = constraints.constraints().without(index);
                    let without = constraints.clone().with_constraints(without);
                    let without = proof.table_circuit(table, &without);
                    assert!(run::<P>(&without, &forged), "{name}, table {table}, {index}");
                }
                power *= proof.scrambled(7).alpha;
            }
        }
    }
    println!("{count} constraints, each violated by itself");
}

#[test]
fn a_point_inside_the_table_is_rejected() {
    type P = Goldilocks2;
    let proof = walk::<P>();
    let circuit = proof.circuit();
    let generator = Goldilocks::two_adic_generator(proof.log_heights[0]);
    for row in [0, 1, 5, 31] {
        let mut opening = proof.opening.clone();
        opening.zeta = generator.exp_u64(row).into();
        assert!(!run::<P>(&circuit, &opening.inputs()), "row {row}");
    }
}

type Alteration = fn(&mut Opened);

#[test]
fn openings_of_another_shape_are_an_error() {
    let proof = walk::<Goldilocks2>();
    let constraints = proof.constraints();
    let alter: [(&str, Alteration); 8] = [
        ("main-trace columns", |opened| opened.main.local.truncate(0)),
        ("main-trace columns of the next row", |opened| opened.main.next.clear()),
        ("preprocessed columns", |opened| opened.fixed.local.truncate(0)),
        ("preprocessed columns of the next row", |opened| opened.fixed.next.clear()),
        ("lookup coefficients", |opened| opened.lookups = opened.main.clone()),
        ("quotient chunks", |opened| opened.quotient.truncate(0)),
        ("coefficients of a quotient chunk", |opened| opened.quotient[0].truncate(1)),
        ("public values", |opened| opened.publics.truncate(2)),
    ];
    for (expected, alter) in alter {
        let mut builder = CircuitBuilder::new();
        let mut circuit = Circuit::new(&mut builder, &proof.opening);
        alter(&mut circuit.opened[0]);
        let (zeta, opened) = (&mut circuit.zeta, &circuit.opened);
        let result = constraints.assert_all(&mut builder, zeta, opened, &circuit.challenges);
        let Err(ConstraintsError::Shape { what, .. }) = result else {
            panic!("{result:?}");
        };
        assert_eq!(what, expected);
    }
    for log_heights in [vec![], vec![4], vec![5, 5]] {
        assert!(BatchConstraints::of_key(proof.key.shape(), &log_heights).is_err());
    }
}

/// The rows of the arithmetic tables for each table of a proof, with the number of operations recorded.
#[test]
fn the_rows_of_the_circuit_are_counted() {
    for (name, proof) in proofs::<Goldilocks2>() {
        let constraints = proof.constraints();
        let nodes = constraints.tables().iter().map(|table| {
            let nodes = table.constraints().nodes().iter();
            let operations =
                nodes.filter(|node| !matches!(node, Node::Leaf(_) | Node::Constant(_)));
            (table.name().to_owned(), table.constraints().roots().len(), operations.count())
        });
        println!("{name}: {:?}", nodes.collect::<Vec<_>>());
        for cost in proof.circuit().tables.costs() {
            println!("  {cost}");
        }
    }
}

#[test]
fn b_25_the_low_degree_test_stands_alone_and_the_constraints_are_checked_apart() {
    type P = Goldilocks2;
    type Ext = <P as FieldPair>::Ext;
    // Openings by themselves: of columns of numbers that are no trace of anything.
    let stark = P::stark(&Config::testing_over(P::FIELD).parameters, &[7; 32]);
    let domain = |log| TwoAdicMultiplicativeCoset::new(Goldilocks::ONE, log).expect("a domain");
    let columns = |log: usize, width: usize, first: usize| {
        let values = (0..width << log).map(|i| Goldilocks::from_usize(first + i * i).exp_u64(5));
        RowMajorMatrix::new(values.collect(), width)
    };
    let matrices = |first| [(domain(5), columns(5, 3, first)), (domain(3), columns(3, 2, 9))];
    let commit = |matrices: [(_, _); 2]| {
        Pcs::<Ext, <P as StarkField>::Challenger>::commit(stark.pcs(), matrices)
            .expect("the columns are committed to")
    };
    let (commitment, data) = commit(matrices(1));
    let (other, _) = commit(matrices(2));
    let begin = |commitment: &Commitment<Stark<P>>| -> (_, Ext) {
        let mut challenger = stark.initialise_challenger();
        challenger.observe(commitment.clone());
        let point = challenger.sample_algebra_element();
        (challenger, point)
    };
    let (mut challenger, point) = begin(&commitment);
    let points = vec![vec![point]; 2];
    let (opened, proof) = stark
        .pcs()
        .open(vec![(&data, points).into()], &mut challenger)
        .expect("the columns are opened");
    let accepts = |commitment: &Commitment<Stark<P>>, logs: [usize; 2], opened: &[Vec<Ext>]| {
        let (mut challenger, _) = begin(commitment);
        let claims = logs.iter().zip(opened);
        let claims =
            claims.map(|(&log, values)| (domain(log), vec![(point, values.clone())])).collect();
        let rounds = vec![(commitment.clone(), claims).into()];
        stark.pcs().verify(rounds, &proof, &mut challenger).is_ok()
    };
    let opened: Vec<Vec<Ext>> = opened.into_iter().flatten().flatten().collect();
    assert!(accepts(&commitment, [5, 3], &opened));
    assert!(!accepts(&other, [5, 3], &opened), "another commitment");
    // Columns of a degree that is too high for what they are said to be.
    assert!(!accepts(&commitment, [4, 3], &opened), "a lower degree");
    assert!(!accepts(&commitment, [5, 2], &opened), "a lower degree");
    for matrix in 0..2 {
        for column in 0..opened[matrix].len() {
            let mut altered = opened.clone();
            altered[matrix][column] += Ext::ONE;
            assert!(!accepts(&commitment, [5, 3], &altered), "column {column} of {matrix}");
        }
    }

    // Constraints by themselves: over opened values, whether or not anything proves that they are openings.
    let walk = walk::<P>();
    assert!(walk.opening.holds(&walk.key, &walk.log_heights));
    let mut altered = walk.opening.clone();
    altered.tables[0].main[0][0] += Ext::ONE;
    assert!(!altered.holds(&walk.key, &walk.log_heights));
    let circuit = walk.circuit();
    assert!(run::<P>(&circuit, &walk.opening.inputs()));
    assert!(!run::<P>(&circuit, &altered.inputs()));
}
