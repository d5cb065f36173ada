//! Inputs, witnesses, hints.

use chipwright_ir::circuit::{
    A, B, BinaryOp, Environment, Form, Graph, HintKind, Inputs, OUT, Relation, RowOp, SlotId,
    ValueType, WitnessError, lower_to_slots,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_tests::{Compiled, FIELD, expect_rejected, sum_of_squares};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

use super::FORMS;

#[test]
fn r_04_a_wrong_number_of_inputs_is_a_typed_error() {
    let slots = lower_to_slots(&sum_of_squares(2), Form::Fused).unwrap();
    let run = |inputs: Inputs| slots.execute::<Goldilocks2>(&inputs, Environment::default());
    for inputs in [
        Inputs::default(),
        Inputs::publics([5]),
        Inputs::publics([5]).with_privates([1]),
        Inputs::publics([5]).with_privates([1, 2, 3]),
        Inputs::publics([5, 6]).with_privates([1, 2]),
    ] {
        assert!(matches!(run(inputs), Err(WitnessError::InputCount { .. })));
    }
    let not_canonical = Inputs::publics([u64::MAX]).with_privates([1, 2]);
    assert!(matches!(run(not_canonical), Err(WitnessError::InputValue { .. })));
    assert!(run(Inputs::publics([5]).with_privates([1, 2])).is_ok());
}

#[test]
fn r_05_the_executor_is_not_trusted() {
    for form in FORMS {
        let mut graph = Graph::new("two_products", FIELD);
        let x = graph.public(ValueType::Felt);
        let y = graph.public(ValueType::Felt);
        let square = graph.binary(BinaryOp::Mul, x, x);
        let product = graph.binary(BinaryOp::Mul, x, y);
        let sum = graph.binary(BinaryOp::Add, square, product);
        let claimed = graph.public(ValueType::Felt);
        graph.assert_eq(sum, claimed);
        let compiled = Compiled::new(&graph, form);
        let inputs = Inputs::publics([3, 4, 21]);
        compiled.verify(&[3, 4, 21], &compiled.prove(&inputs)).unwrap();

        // The two products exchanged: their sum is right, but each is the other's.
        let slots = &compiled.prover.tables().program;
        let created = |a: usize, b: usize| -> SlotId {
            let is = |row: &chipwright_ir::circuit::Row<'_>| {
                matches!(row.op, RowOp::Arithmetic(Relation::Mul, _))
                    && row.port(A).unwrap().slot == slots.publics[a]
                    && row.port(B).unwrap().slot == slots.publics[b]
            };
            slots.rows.iter().find(is).unwrap().port(OUT).unwrap().slot
        };
        let wrong = [(created(0, 0), 12), (created(0, 1), 9)];
        expect_rejected(compiled.verify(&[3, 4, 21], &compiled.prove_forged(&inputs, &wrong)));
    }
}

#[test]
fn r_05_another_topological_order_proves_the_same() {
    // The same circuit, with independent operations made in another order.
    let build = |flip: bool| {
        let mut graph = Graph::new("order", FIELD);
        let x = graph.public(ValueType::Felt);
        let y = graph.public(ValueType::Felt);
        let make = |graph: &mut Graph, a, b| graph.binary(BinaryOp::Mul, a, b);
        let (square, product) = if flip {
            let product = make(&mut graph, x, y);
            (make(&mut graph, x, x), product)
        } else {
            let square = make(&mut graph, x, x);
            (square, make(&mut graph, x, y))
        };
        let claimed = graph.public(ValueType::Felt);
        let sum = graph.binary(BinaryOp::Add, square, product);
        graph.assert_eq(sum, claimed);
        Compiled::new(&graph, Form::Fused)
    };
    for flip in [false, true] {
        let compiled = build(flip);
        let proof = compiled.prove(&Inputs::publics([3, 4, 21]));
        compiled.verify(&[3, 4, 21], &proof).unwrap();
    }
}

#[test]
fn r_30_a_fold_of_two_is_made_of_primitives() {
    // FRI's fold by two: f(x²) = (f(x) + f(−x))/2 + β·(f(x) − f(−x))/(2x), from primitives; the
    // recursive verifier folds whole cosets in a chip of its own.
    use chipwright_ir::FieldPair;
    type Ext = <Goldilocks2 as FieldPair>::Ext;
    let mut graph = Graph::new("fold", FIELD);
    let even = graph.public(ValueType::Ext);
    let odd = graph.public(ValueType::Ext);
    let beta = graph.public(ValueType::Ext);
    let x = graph.public(ValueType::Felt);
    let two = graph.constant(2);
    let sum = graph.binary(BinaryOp::Add, even, odd);
    let difference = graph.binary(BinaryOp::Sub, even, odd);
    let half = graph.binary(BinaryOp::Div, sum, two);
    let twice = graph.binary(BinaryOp::Mul, two, x);
    let slope = graph.binary(BinaryOp::Div, difference, twice);
    let folded = graph.mul_add(beta, slope, half);
    let claimed = graph.public(ValueType::Ext);
    graph.assert_eq(folded, claimed);
    let compiled = Compiled::new(&graph, Form::Fused);

    let ext = |a: u64, b: u64| {
        <Ext as p3_field::BasedVectorSpace<Goldilocks>>::from_basis_coefficients_fn(|i| {
            Goldilocks::from_u64([a, b][i])
        })
    };
    let (even, odd, beta, x) = (ext(3, 5), ext(8, 13), ext(21, 34), Goldilocks::from_u64(55));
    let half = Ext::from(Goldilocks::TWO).inverse_of();
    let native = (even + odd) * half + beta * (even - odd) * half * Ext::from(x).inverse_of();
    let coefficients = |value: Ext| -> Vec<u64> {
        use p3_field::PrimeField64;
        p3_field::BasedVectorSpace::<Goldilocks>::as_basis_coefficients_slice(&value)
            .iter()
            .map(PrimeField64::as_canonical_u64)
            .collect()
    };
    let publics = vec![vec![3, 5], vec![8, 13], vec![21, 34], vec![55], coefficients(native)];
    let inputs = Inputs { publics: publics.clone(), ..Inputs::default() };
    let proof = compiled.prover.prove(&inputs).unwrap();
    compiled.verifier.verify(&publics, &proof).unwrap();
    let mut wrong = publics;
    wrong[4][0] ^= 1;
    expect_rejected(compiled.verifier.verify(&wrong, &proof));
}

trait Inverse {
    fn inverse_of(self) -> Self;
}

impl<F: p3_field::Field> Inverse for F {
    fn inverse_of(self) -> Self {
        self.inverse()
    }
}

#[test]
fn a_hint_that_no_rule_uses_is_found() {
    let mut graph = Graph::new("advice", FIELD);
    let x = graph.public(ValueType::Felt);
    graph.hint(HintKind::Bits(2), &[x]);
    let errors = chipwright_ir::circuit::verify::verify(&graph).unwrap_err().to_string();
    assert!(errors.contains("V04"), "{errors}");
}
