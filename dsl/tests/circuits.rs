//! Circuits: what the builder records, what a run accepts, and what cannot be built.

// The chips of these tests explain themselves.
#![allow(missing_docs)]

use chipwright_dsl::circuit::{
    AnyTarget, BitTarget, BuildError, BuiltCircuit, CircuitBuilder, ExtTarget, Form, HintKind,
    MultiRowCall, Target,
};
use chipwright_dsl::prelude::*;
use chipwright_ir::circuit::{CallPort, ChipCall, Signature, ValueType};

/// Builds a circuit in both forms, optimised and as written, and demands that each accepts exactly the runs
/// that are said to hold: public inputs, private inputs, whether they fit.
fn check(build: impl Fn(&mut CircuitBuilder), runs: &[(&[u64], &[u64], bool)]) {
    for form in [Form::Fused, Form::Separate] {
        for optimise in [true, false] {
            let mut builder = CircuitBuilder::new();
            build(&mut builder);
            let circuit = if optimise {
                builder.build_form(form).unwrap()
            } else {
                builder.build_as_written(form).unwrap()
            };
            for &(publics, privates, expected) in runs {
                let mut runner = circuit.runner();
                let result = runner.set_public_inputs(publics).set_private_inputs(privates).run();
                assert_eq!(
                    result.is_ok(),
                    expected,
                    "{form:?} {publics:?} {privates:?}: {result:?}"
                );
            }
        }
    }
}

/// The message of a circuit that cannot be built.
fn error_of(build: impl Fn(&mut CircuitBuilder)) -> String {
    let mut builder = CircuitBuilder::new();
    build(&mut builder);
    builder.build().expect_err("the circuit has a mistake").to_string()
}

#[test]
fn arithmetic_rows_hold_for_the_right_values_alone() {
    check(
        |b| {
            let (x, y) = (b.add_public_input(), b.add_public_input());
            let sum = b.add(x, y);
            let product = b.mul_add(sum, x, 5);
            let quotient = b.div(product, y);
            b.assert_eq(quotient, 10).named("quotient");
        },
        &[(&[3, 2], &[], true), (&[3, 3], &[], false), (&[3, 0], &[], false)],
    );
}

#[test]
fn components_are_complete_and_sound() {
    check(
        |b| {
            let x = b.add_public_input();
            let expected = b.add_public_input();
            let difference = b.sub(x, 7);
            let seven = b.is_zero(difference);
            let other = b.not(seven);
            let inverse_if_zero = b.select(seven, 1, x);
            let inverse = b.inverse(inverse_if_zero);
            let back = b.mul(inverse, inverse_if_zero);
            let bits = b.bits(x, 4);
            let low = b.mul(bits[0], other);
            let cube = b.exp(x, 3);
            let result = b.mul_add(cube, low, back);
            b.assert_eq(result, expected);
        },
        &[
            (&[7, 1], &[], true),
            (&[5, 126], &[], true),
            (&[5, 1], &[], false),
            (&[6, 1], &[], true),
            (&[16, 1], &[], false),
            (&[0, 1], &[], false),
        ],
    );
}

#[test]
fn extension_elements_are_taken_apart_and_put_together() {
    check(
        |b| {
            let (x, y) = (b.add_public_input(), b.add_private_input());
            let element = b.from_coefficients(&[x, y]);
            let square = b.mul(element, element);
            let coefficients = b.coefficients(square);
            // (2 + 3X)² = 4 + 7·9 + 12X
            b.assert_eq(coefficients[0], 67);
            b.assert_eq(coefficients[1], 12);
            let constant = b.add_ext_const(&[67, 12]);
            b.connect(square, constant);
            let horner = b.combine(element, &[x, x]);
            let direct = b.mul_add(element, x, x);
            b.assert_eq(horner, direct);
        },
        &[(&[2], &[3], true), (&[2], &[4], false)],
    );
}

#[test]
fn private_bits_come_with_their_rule() {
    check(
        |b| {
            let bit: BitTarget = b.private();
            let public = b.add_public_input();
            b.assert_eq(bit, public);
        },
        &[(&[1], &[1], true), (&[0], &[0], true), (&[2], &[2], false)],
    );
}

#[chip]
pub struct Add32 {
    #[input]
    a: U32,
    #[input]
    b: U32,
    #[output]
    sum: U32,
    carry: [Bit; 2],
}

impl Chip for Add32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let mut carry = Expr::ZERO;
        for i in 0..2 {
            let total = row.a[i] + row.b[i] + carry;
            c.split(total, (row.sum[i], row.carry[i])).named("limb");
            carry = row.carry[i].into();
        }
    }
}

#[test]
fn a_called_chip_computes_its_outputs() {
    check(
        |b| {
            let x: [Target; 2] = std::array::from_fn(|_| b.add_public_input());
            let y = [b.add_const(0xffff), b.add_const(1)];
            let z = b.call::<Add32>((x, y));
            b.assert_eq(z[0], 2);
            b.assert_eq(z[1], 4);
        },
        &[(&[3, 2], &[], true), (&[4, 2], &[], false)],
    );
}

/// Multiplies its input by secret factors, one a row.
#[chip]
pub struct Factors {
    #[input]
    start: Felt,
    #[output]
    product: Felt,
    #[record]
    factor: Felt,
    #[fixed]
    is_first: Felt,
    so_far: Felt,
}

impl Chip for Factors {
    fn row(c: &Builder, row: &Row<Self>) {
        c.fill(row.so_far, row.is_first.int().select(row.start, row.so_far));
        c.assert_zero(row.is_first * (row.so_far - row.start)).named("starts with the input");
        c.define(row.product, row.so_far * row.factor);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.assert_zero((1 - next.is_first) * (next.so_far - row.product)).named("goes on");
        c.fill(next.so_far, row.product.int());
    }
}

impl MultiRowCall for Factors {
    fn signature(call: &ChipCall) -> Option<Signature> {
        let port = |row, port| CallPort { ty: ValueType::Felt, row, port };
        (call.rows > 0).then(|| Signature {
            inputs: vec![port(0, 0)],
            outputs: vec![port(call.rows - 1, 1)],
            data: call.rows,
        })
    }

    fn fixed_row(_: &ChipCall, row: u32) -> FactorsFixed {
        FactorsFixed { is_first: u64::from(row == 0) }
    }
}

/// `2 · 3 · 5 · 7 = public`, with the last three factors private.
fn factors() -> (BuiltCircuit, chipwright_dsl::circuit::DataTarget) {
    let mut b = CircuitBuilder::new();
    let expected = b.add_public_input();
    let two = b.add_const(2);
    let call = b.call_rows::<Factors>(&[], 3, &[two.into()]);
    let product = b.as_felt(call.outputs[0]);
    b.assert_eq(product, expected).named("product");
    (b.build().unwrap(), call.data.unwrap())
}

#[test]
fn a_call_of_several_rows_reads_private_data() {
    let (circuit, data) = factors();
    let run = |expected, factors: Vec<u64>| {
        let mut runner = circuit.runner();
        runner.set_public_inputs(&[expected]).set_data(data, factors).run()
    };
    assert!(run(210, vec![3, 5, 7]).is_ok());
    assert!(run(211, vec![3, 5, 7]).is_err());
    assert!(run(210, vec![3, 5, 8]).is_err());
    let missing = circuit.runner().set_public_inputs(&[210]).run().unwrap_err().to_string();
    assert!(missing.contains("3 elements of private data"), "{missing}");
}

#[test]
fn mistakes_name_their_sources() {
    let constants = error_of(|b| {
        let (one, two) = (b.add_const(1), b.add_const(2));
        b.connect(one, two);
    });
    assert_eq!(constants.matches("circuits.rs:").count(), 3, "{constants}");

    let cycle = error_of(|b| {
        let x = b.add_public_input();
        let y = b.mul(x, x);
        b.connect(x, y);
    });
    assert!(cycle.contains("computed from the other"), "{cycle}");

    let unbound = error_of(|b| {
        b.add_private_input();
    });
    assert!(unbound.contains("V04"), "{unbound}");

    let inputs = error_of(|b| {
        b.call_rows::<Factors>(&[], 3, &[]);
        b.call_rows::<Factors>(&[], 0, &[]);
    });
    assert!(inputs.contains("takes 1 inputs, 0 were given"), "{inputs}");
    assert!(inputs.contains("no chip of the circuit answers"), "{inputs}");
    assert_eq!(inputs.matches("circuits.rs:").count(), 2, "{inputs}");

    let wide = error_of(|b| {
        let x = b.add_public_input();
        b.bits(x, 64);
        let y: ExtTarget = b.public();
        b.as_felt(AnyTarget::from(y));
        b.from_coefficients(&[x, x, x]);
    });
    assert_eq!(wide.lines().count(), 3, "{wide}");
}

/// A chip that cannot be recorded.
#[chip]
pub struct Broken {
    #[input]
    x: Felt,
    #[output]
    y: U16,
}

impl Chip for Broken {
    fn row(c: &Builder, row: &Row<Self>) {
        c.split(row.x, row.y);
    }
}

#[test]
fn mistakes_of_a_called_chip_are_mistakes_of_the_circuit() {
    let mut b = CircuitBuilder::new();
    let x = b.add_public_input();
    let y = b.call::<Broken>(x);
    b.assert_zero(y);
    let error = b.build().unwrap_err();
    assert!(
        matches!(&error, BuildError::Several(errors)
        if errors.iter().any(|error| matches!(error, BuildError::Recording(_)))),
        "{error}"
    );
}

#[test]
fn hints_are_bound_by_rules() {
    check(
        |b| {
            let x = b.add_public_input();
            let quotient = b.hint(HintKind::Quotient(10), &[x.into()])[0];
            let quotient = b.as_felt(quotient);
            let back = b.mul(quotient, 10);
            b.assert_eq(back, x);
        },
        &[(&[40], &[], true), (&[41], &[], false)],
    );
}

#[test]
fn scopes_and_names_reach_the_text() {
    let mut b = CircuitBuilder::over("named", Field::KoalaBear4);
    let x = b.add_public_input();
    b.name(x, "x");
    b.scope("inner", |b| {
        let square = b.mul(x, x);
        b.name(square, "square");
        b.assert_eq(square, 4).named("x is two");
    });
    let circuit = b.build().unwrap();
    let text = circuit.optimised.to_string();
    assert!(text.contains("%square = mul %x, %x"), "{text}");
    assert!(text.contains("; x is two"), "{text}");
    let violation = circuit.runner().set_public_inputs(&[3]).run().unwrap_err().to_string();
    assert!(violation.contains("in scope inner"), "{violation}");
}
