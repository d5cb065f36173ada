//! Bugs that somebody shipped in a recursive verifier: each is forged here and must be rejected.

use chipwright_backend_stark::config::{Config, Grinding, Stark};
use chipwright_backend_stark::proof::Proof;
use chipwright_chips::recursion::{RowKind, RowSpec, Script};
use chipwright_dsl::circuit::{CircuitBuilder, ExtTarget, Target};
use chipwright_ir::circuit::{Form, Inputs};
use chipwright_recursion::WitnessError;
use chipwright_recursion::batch::BatchShape;
use chipwright_tests::{Compiled, FIELD, sum_of_squares};
use p3_batch_stark::BatchProof;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_goldilocks::Goldilocks;

use crate::forging::{Ext, Forgeable, P, config};
use crate::scene::{SUM, Scene};
use crate::single::{CAPACITY, Single};

#[test]
fn n_18_every_observed_value_binds_in_the_circuit() {
    let scene = Scene::<P>::new(&config(0));
    let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    let proof = scene.circuit.prove(scene.circuit.force(&honest));
    assert!(scene.circuit.accepts(&honest, &proof));
    // The key's seed, the preprocessed commitment, the public value.
    for index in 0..honest.publics.len() {
        let mut inputs = honest.clone();
        inputs.publics[index][0] ^= 1;
        // Of the honest run, and of a run of its own.
        assert!(!scene.circuit.accepts(&inputs, &proof), "public value {index}");
        assert!(!scene.circuit.accepts_honestly(&inputs), "public value {index}");
    }
}

#[test]
fn n_19_heights_are_not_the_provers_to_choose_in_the_circuit() {
    let mut scene = Scene::<P>::new(&config(0));
    let honest = scene.proof.log_heights().to_vec();
    for table in 0..honest.len() {
        for height in [0, 1, 7, 32, 40, 63, usize::MAX] {
            if height == honest[table] {
                continue;
            }
            scene.proof.batch_mut().degree_bits[table] = height;
            assert!(!scene.native_accepts(&scene.proof, SUM));
            let refused = scene.inputs(&scene.proof, SUM);
            assert!(matches!(refused, Err(WitnessError::Height { .. })), "{refused:?}");
        }
        scene.proof.batch_mut().degree_bits[table] = honest[table];
    }
    // A table left out, and one twice.
    for heights in [honest[1..].to_vec(), [&honest[..], &honest[..1]].concat()] {
        scene.proof.batch_mut().degree_bits = heights;
        let refused = scene.inputs(&scene.proof, SUM);
        assert!(matches!(refused, Err(WitnessError::Length { .. })), "{refused:?}");
    }
}

/// A change of a proof.
type Edit = fn(&mut BatchProof<Stark<P>>);

/// Demands that a changed proof is refused natively, and has no inputs for the circuit.
fn has_no_inputs(scene: &mut Scene<P>, what: &str, edit: Edit) -> WitnessError {
    let honest = scene.proof.to_bytes();
    edit(scene.proof.batch_mut());
    assert!(!scene.native_accepts(&scene.proof, SUM), "{what}");
    let refused = scene.inputs(&scene.proof, SUM);
    scene.proof = Proof::from_bytes(scene.key(), &honest).expect("it was written");
    refused.expect_err(what)
}

#[test]
fn h_04_a_proof_whose_parts_have_other_lengths_has_no_inputs_in_the_circuit() {
    let mut scene = Scene::<P>::new(&config(1));
    // Values moved from one part to the next, so that there are as many as before; parts that are there, although empty.
    let edits: [(&str, Edit); 15] = [
        ("lookup columns at both points", |proof| {
            let table = &mut proof.opened_values.instances[0];
            let value = table.permutation_local.pop().expect("there are lookups");
            table.permutation_next.insert(0, value);
        }),
        ("quotient chunks", |proof| {
            let table = &mut proof.opened_values.instances[0].base_opened_values;
            let value = table.quotient_chunks[0].pop().expect("two coefficients");
            table.quotient_chunks[1].insert(0, value);
        }),
        ("a quotient chunk more", |proof| {
            let table = &mut proof.opened_values.instances[0].base_opened_values;
            table.quotient_chunks.push(Vec::new());
        }),
        ("main columns of two tables", |proof| {
            let instances = &mut proof.opened_values.instances;
            let value = instances[0].base_opened_values.trace_local.pop().expect("a column");
            instances[1].base_opened_values.trace_local.insert(0, value);
        }),
        ("main and next columns", |proof| {
            let table = &mut proof.opened_values.instances[0].base_opened_values;
            table.trace_next = match table.trace_next {
                None => Some(Vec::new()),
                Some(_) => None,
            };
        }),
        ("preprocessed columns", |proof| {
            let table = &mut proof.opened_values.instances[0].base_opened_values;
            table.preprocessed = None;
        }),
        ("preprocessed columns of the next row", |proof| {
            let table = &mut proof.opened_values.instances[0].base_opened_values;
            let fixed = table.preprocessed.as_mut().expect("there are fixed columns");
            fixed.next = if fixed.next.is_some() { None } else { Some(Vec::new()) };
        }),
        ("a masking polynomial", |proof| {
            proof.opened_values.instances[0].base_opened_values.random = Some(Vec::new());
        }),
        ("a masking commitment", |proof| {
            proof.commitments.random = Some(proof.commitments.main.clone());
        }),
        ("no terminal", |proof| proof.lookup_terminals[0] = None),
        ("no lookup commitment", |proof| proof.commitments.permutation = None),
        ("no proof of work before lookups", |proof| proof.lookup_pow_witness = None),
        ("a coefficient fewer", |proof| {
            proof.opening_proof.final_poly.pop();
        }),
        ("a fold fewer", |proof| {
            proof.opening_proof.commit_phase_commits.pop();
        }),
        ("a proof of work more", |proof| {
            proof.opening_proof.commit_pow_witnesses.push(Goldilocks::ZERO);
        }),
    ];
    for (what, edit) in edits {
        let refused = has_no_inputs(&mut scene, what, edit);
        assert!(matches!(refused, WitnessError::Length { .. }), "{what}: {refused}");
    }
    let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    assert!(scene.circuit.accepts_honestly(&honest));
}

#[test]
fn h_04_a_witness_of_work_that_nobody_asks_for_is_refused_in_the_circuit() {
    let mut config = Config::testing();
    config.parameters.grinding = Grinding::NONE;
    let mut scene = Scene::<P>::new(&config);
    let edits: [(&str, Edit); 5] = [
        ("lookups", |proof| proof.lookup_pow_witness = Some(Goldilocks::ONE)),
        ("point", |proof| proof.ood_pow_witness = Goldilocks::ONE),
        ("combination", |proof| proof.opening_proof.batch_pow_witness = Goldilocks::ONE),
        ("folds", |proof| proof.opening_proof.commit_pow_witnesses[0] = Goldilocks::ONE),
        ("queries", |proof| proof.opening_proof.query_pow_witness = Goldilocks::ONE),
    ];
    for (what, edit) in edits {
        assert_eq!(has_no_inputs(&mut scene, what, edit), WitnessError::Work(what));
    }
}

fn ext(a: u64, b: u64) -> Ext {
    Ext::from_basis_coefficients_fn(|i| Goldilocks::from_u64([a, b][i]))
}

/// What a forged run of a circuit violates in which computed values are replaced; its proof is rejected.
fn replaced(builder: CircuitBuilder, publics: &[&[u64]], others: &[(Ext, Ext)]) -> Vec<String> {
    replaced_in(builder, publics, &[], others)
}

/// [`replaced`], with private inputs.
fn replaced_in(
    builder: CircuitBuilder,
    publics: &[&[u64]],
    privates: &[u64],
    others: &[(Ext, Ext)],
) -> Vec<String> {
    let circuit = Forgeable::<P>::new(builder.build().expect("a circuit"), &Config::testing());
    let inputs = Inputs {
        publics: publics.iter().map(|value| value.to_vec()).collect(),
        privates: privates.iter().map(|&value| vec![value]).collect(),
        ..Inputs::default()
    };
    let forged = circuit.force_but(&inputs, others);
    let violated = forged.violated_by_tables();
    let accepted = circuit.accepts(&inputs, &circuit.prove(forged));
    assert_eq!(accepted, violated.is_empty(), "{violated:?}");
    violated
}

/// `a + b·w = c`, all public.
fn packing() -> CircuitBuilder {
    let mut builder = CircuitBuilder::with_library("packing", chipwright_chips::library(FIELD));
    let parts: [Target; 2] = std::array::from_fn(|_| builder.public());
    let claimed: ExtTarget = builder.public();
    let packed = builder.from_coefficients(&parts);
    builder.assert_eq(packed, claimed);
    builder
}

#[test]
fn n_21_a_packed_element_is_made_of_its_parts() {
    let honest = replaced(packing(), &[&[1000], &[5], &[1000, 5]], &[]);
    assert!(honest.is_empty(), "{honest:?}");
    // The claim is pack(1000, 5) = 3 + 5w; the operation's result is what is claimed.
    let result = [(ext(1000, 5), ext(3, 5))];
    assert_eq!(replaced(packing(), &[&[1000], &[5], &[3, 5]], &result), ["alu_ext: relation"]);
    assert_eq!(replaced(packing(), &[&[1000], &[5], &[3, 5]], &[]), ["alu_ext: relation"]);
}

/// The coefficients of a public element, both public.
fn unpacking() -> CircuitBuilder {
    let mut builder = CircuitBuilder::with_library("unpacking", chipwright_chips::library(FIELD));
    let packed: ExtTarget = builder.public();
    for coefficient in builder.coefficients(packed) {
        let claimed: Target = builder.public();
        builder.assert_eq(coefficient, claimed);
    }
    builder
}

#[test]
fn n_22_a_coefficient_is_that_of_the_element() {
    let honest = replaced(unpacking(), &[&[67, 12], &[67], &[12]], &[]);
    assert!(honest.is_empty(), "{honest:?}");
    // The claim is that coefficient 0 of 67 + 12w is 77; the prover says so wherever it can.
    let first = [(ext(67, 0), ext(77, 0))];
    assert_eq!(replaced(unpacking(), &[&[67, 12], &[77], &[12]], &first), ["alu_ext: relation"]);
    assert_eq!(replaced(unpacking(), &[&[67, 12], &[77], &[12]], &[]), ["alu_ext: relation"]);
    // A coefficient that is no base element, which no port of a base element can send: 67 + 12w = (67 + 12w) + 0w.
    let whole = [(ext(67, 0), ext(67, 12)), (ext(12, 0), ext(0, 0))];
    assert_eq!(replaced(unpacking(), &[&[67, 12], &[67], &[0]], &whole), ["bus witness"]);
}

#[test]
fn a_constant_is_that_of_the_circuit() {
    let mut builder = CircuitBuilder::with_library("constant", chipwright_chips::library(FIELD));
    let [a, claimed]: [ExtTarget; 2] = std::array::from_fn(|_| builder.public());
    let sum = builder.add(a, 5);
    builder.assert_eq(sum, claimed);
    let other = [(ext(5, 0), ext(6, 0))];
    assert_eq!(replaced(builder, &[&[1, 2], &[7, 2]], &other), ["const: value"]);
}

#[test]
fn a_private_base_element_has_no_other_coefficient() {
    let product = || {
        let mut builder = CircuitBuilder::with_library("product", chipwright_chips::library(FIELD));
        let private: Target = builder.private();
        let [a, claimed]: [ExtTarget; 2] = std::array::from_fn(|_| builder.public());
        let private = builder.lift(private);
        let product = builder.mul(private, a);
        builder.assert_eq(product, claimed);
        builder
    };
    let honest = replaced_in(product(), &[&[1000, 2], &[5000, 10]], &[5], &[]);
    assert!(honest.is_empty(), "{honest:?}");
    // (5 + w)·(1000 + 2w) = 5014 + 1010w
    let other = [(ext(5, 0), ext(5, 1))];
    let violated = replaced_in(product(), &[&[1000, 2], &[5014, 1010]], &[5], &other);
    assert_eq!(violated, ["private: a base element"]);
}

/// A transcript that observes one element, samples one, observes another and samples again.
fn transcript(observed: [u64; 2]) -> Single {
    let absorb = |kind| RowSpec { read: 1, ..RowSpec::new(kind, 1) };
    let sample = RowSpec { written: 1, ..RowSpec::new(RowKind::Echo, 0) };
    let rows = vec![absorb(RowKind::Begin), sample, absorb(RowKind::Resume), sample];
    let call = Script { tree: 0, rows }.call();
    // The table of caps has to be there.
    Single { call, inputs: observed.to_vec(), data: Vec::new(), caps: vec![(1, vec![0; 4])] }
}

#[test]
fn n_23_a_challenge_belongs_to_what_was_observed() {
    let honest = transcript([999, 5]);
    honest.accept();
    // The circuit observes 999, the rows absorb 11: so do the samples say.
    let violated = transcript([11, 5]).forge(&[999, 5], None, |_, _| {});
    assert_eq!(violated, ["bus witness"]);
    // A sample that is 42, in the rows and in the circuit, or in the circuit alone.
    let violated = honest.forge(&[999, 5], None, |rows, outputs| {
        rows.0[1][0] = 42;
        outputs[0] = 42;
    });
    assert_eq!(violated, ["call_hasher: kept element"]);
    let violated = honest.forge(&[999, 5], Some(&[42, 42]), |_, _| {});
    assert!(violated.contains(&"/".to_owned()), "{violated:?}");
    // A capacity altered between two permutations.
    let violated = honest.forge(&[999, 5], None, |rows, outputs| {
        rows.0[2][CAPACITY + 3] ^= 1;
        rows.chain(3, 0);
        outputs[1] = rows.0[3][0];
    });
    assert_eq!(violated, ["call_hasher: resumed capacity"]);
}

#[test]
fn r_29_one_preprocessed_commitment_and_a_verifier_that_hardly_grows() {
    let mut sizes = Vec::new();
    for log_size in [10, 14, 18] {
        let terms = (1_usize << log_size) - 1;
        let compiled = Compiled::new(&sum_of_squares(terms), Form::Fused);
        let sum: u64 = (0..terms as u64).map(|x| (x % 7) * (x % 7)).sum();
        let inputs = Inputs::publics([sum]).with_privates((0..terms as u64).map(|x| x % 7));
        let proof = compiled.prove(&inputs);
        let verify = |_| {
            let start = std::time::Instant::now();
            compiled.verify(&[sum], &proof).expect("the proof is honest");
            start.elapsed()
        };
        let time = (0..9).map(verify).min().unwrap_or_default();
        let key = compiled.verifier.key();
        // Several tables have preprocessed columns, and one commitment is of them all.
        let tables = key.tables().iter().filter(|table| table.fixed_width > 0).count();
        assert!(tables > 1 && key.common().preprocessed.is_some());
        let shape =
            BatchShape::new(key.shape(), proof.log_heights()).expect("the shape is supported");
        let bytes = proof.to_bytes().len();
        let permutations = shape.permutations_per_query();
        println!("2^{log_size}: {permutations} permutations a query, {bytes} bytes, {time:?}");
        sizes.push((log_size as f64, permutations as f64));
    }
    // Apart from the logarithm: permutations for each level of the tallest tree.
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    let growth = (last.1 / first.1) / (last.0 / first.0);
    assert!(growth < 1.5, "{growth}");
}
