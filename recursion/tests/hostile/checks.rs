//! The checks of the verifier circuit, one by one: a proof, or a run of the circuit, that violates only the one.

use std::collections::BTreeSet;
use std::sync::Arc;

use chipwright_backend_stark::config::SEED;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::machine::MachineTrace;
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

use crate::forging::{Lie, P, config, config_of_one_query, deaf};
use crate::prover::{Deceit, deceive};
use crate::scene::{SUM, Scene};

const WORK: &str = "verify/grinding/proof of work";

/// What a run violates; its proof is made, and must be rejected.
fn violated(scene: &Scene, inputs: &Inputs) -> Vec<String> {
    let forged = scene.circuit.force(inputs);
    let violated = forged.violated();
    let proof = scene.circuit.prove(forged);
    assert!(!scene.circuit.accepts(inputs, &proof), "accepted, although {violated:?}");
    violated
}

#[test]
fn every_tree_is_opened_below_its_own_cap() {
    let scene = Scene::<P>::new(&config(0));
    let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    let fri = &scene.proof.batch().opening_proof;
    let count = fri.input_openings.len() + fri.commit_phase_commits.len();
    let mut trees = BTreeSet::new();
    for piece in 0..honest.data.len() {
        // The last element of a path is a sibling; that of an injected leaf, or of the transcript, is not.
        let mut inputs = honest.clone();
        let Some(last) = inputs.data[piece].last_mut() else { continue };
        *last ^= 1;
        let forged = scene.circuit.force(&inputs);
        if forged.violated() != ["bus cap"] {
            continue;
        }
        let astray: BTreeSet<u64> = forged.report.tuples.iter().map(|t| t.tuple[0]).collect();
        assert_eq!(astray.len(), 1, "one path is of one tree");
        if trees.is_superset(&astray) {
            continue;
        }
        trees.extend(astray);
        let proof = scene.circuit.prove(forged);
        assert!(!scene.circuit.accepts(&inputs, &proof), "tree {trees:?}");
    }
    // Main, quotient, preprocessed and lookup columns, and every folding round.
    assert_eq!(trees, (1..=count as u64).collect());
    assert!(count >= 6, "{count} trees");
}

#[test]
fn a_cap_is_what_the_proof_says() {
    // No other path ends at the digest.
    let scene = Scene::<P>::new(&config_of_one_query(0));
    let mut inputs = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    let paths = inputs.data.iter_mut().filter_map(|piece| piece.last_mut());
    // The last sibling of the last path, which is one of a folding round.
    *paths.last().expect("there are paths") ^= 1;
    let astray = scene.circuit.force(&inputs);
    assert_eq!(astray.violated(), ["bus cap"]);
    let (place, digest) = astray.report.tuples[0].tuple.split_at(2);
    let (place, digest) = (place.to_vec(), digest.to_vec());
    // The table of caps has the digest where the path ends.
    let lie: Lie = Arc::new(move |_, call, honest, _| {
        let digest = if call.parameters == place { &digest[..] } else { honest };
        (vec![digest.to_vec()], Vec::new())
    });
    let circuit = scene.circuit.relying_on("cap", &lie);
    let forged = circuit.force(&inputs);
    assert_eq!(forged.violated(), ["bus witness"]);
    let misread = forged.misread();
    assert_eq!(misread.len(), 4);
    assert!(misread.iter().all(|(_, port)| port.starts_with("call_cap: digest")), "{misread:?}");
    assert!(!circuit.accepts(&inputs, &circuit.prove(forged)));
}

#[test]
fn the_constraints_of_every_table_are_checked() {
    let scene = Scene::<P>::new(&config(0));
    let witness = scene.prover.witness(&Scene::<P>::inputs_below(), None).expect("honest inputs");
    let honest = scene.prover.trace(&witness).expect("the tables are filled");
    for (table, chip) in scene.prover.machine().chips.iter().enumerate() {
        // A cell that rules are about, and no message if possible: a padding row has none.
        let altered = |cell: usize| -> MachineTrace<Goldilocks> {
            let mut trace = honest.clone();
            trace.tables[table].values[cell] += Goldilocks::ONE;
            trace
        };
        let failures = |cell: usize| {
            let report = scene.prover.check(&altered(cell));
            (report.failing_rules > 0).then_some((report.unbalanced_tuples > 0, cell))
        };
        let cells = 0..honest.tables[table].values.len();
        let Some((unbalanced, cell)) = cells.filter_map(failures).min() else {
            println!("no rule is about a cell of `{}`", chip.name);
            continue;
        };
        let proof = scene.proof_of(|trace| *trace = altered(cell));
        assert!(!scene.native_accepts(&proof, SUM));
        let inputs = scene.inputs(&proof, SUM).expect("the proof has the shape");
        let violated = violated(&scene, &inputs);
        println!("{}: {violated:?}", chip.name);
        let own = format!("/{}", chip.name);
        let constraints: Vec<&String> =
            violated.iter().filter(|name| name.ends_with(&own)).collect();
        assert_eq!(constraints.len(), 1, "{}: {violated:?}", chip.name);
        assert_eq!(violated.len(), 1 + usize::from(unbalanced), "{}: {violated:?}", chip.name);
    }
}

#[test]
fn the_terminals_sum_to_zero() {
    let scene = Scene::<P>::new(&config(0));
    let private = scene.prover.machine().position("private").expect("there are private inputs");
    // What the prover puts on the bus for a private input is its choice, and not what others read.
    let proof = scene.proof_of(|trace| trace.tables[private].values[0] += Goldilocks::ONE);
    assert!(!scene.native_accepts(&proof, SUM));
    let inputs = scene.inputs(&proof, SUM).expect("the proof has the shape");
    let violated = violated(&scene, &inputs);
    assert_eq!(violated, ["verify/constraints/terminals"]);
}

#[test]
fn too_little_work_at_one_site_is_all_that_is_wrong() {
    let scene = Scene::<P>::new(&config(0));
    let mut rows = BTreeSet::new();
    // In the order of the transcript; every site has at least three bits of work.
    let sites = ["lookup", "out of domain", "batch", "first fold", "second fold", "query"];
    for (number, site) in sites.into_iter().enumerate() {
        let deceit = Deceit { lazy: Some(number), ..Deceit::default() };
        let deception = deceive(&scene, &deceit);
        assert!(!scene.native_accepts(&deception.proof, SUM), "{site}");
        let inputs = deception.inputs(&scene, SUM);
        let forged = scene.circuit.force(&inputs);
        assert_eq!(forged.rows, [WORK], "{site}");
        rows.insert(forged.misread());
        assert_eq!(violated(&scene, &inputs), [WORK], "{site}");
    }
    // Each is the index of another sample.
    assert_eq!(rows.len(), sites.len());
    let folds = scene.proof.batch().opening_proof.commit_pow_witnesses.len();
    assert_eq!(folds, sites.iter().filter(|site| site.ends_with("fold")).count());
}

/// What a transcript absorbs is compared with what it was given.
const HEARD: &str = "alu: a";

/// What is violated by a run that claims something else than its transcript absorbs; its proof is rejected.
fn misheard(scene: &Scene, inputs: &Inputs, [said, heard]: [u64; 2]) -> Vec<String> {
    let circuit = scene.circuit.relying_on(
        "hasher",
        &deaf(move |elements| {
            elements.iter_mut().filter(|element| **element == said).for_each(|e| *e = heard);
        }),
    );
    let forged = circuit.force(inputs);
    let mut violated = forged.violated();
    violated.extend(forged.misread().into_iter().map(|(_, port)| port));
    let proof = circuit.prove(forged);
    assert!(!circuit.accepts(inputs, &proof), "accepted, although {violated:?}");
    violated
}

#[test]
fn the_key_is_observed() {
    let scene = Scene::<P>::new(&config(0));
    let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    let elements = honest.publics.len() - scene.publics(SUM).concat().len();
    let mut alone = Vec::new();
    for index in [0, SEED - 1].into_iter().chain((SEED..elements).step_by(4)) {
        // The honest proof is said to be one under another key.
        let mut inputs = honest.clone();
        inputs.publics[index][0] ^= 1;
        let heard = [&inputs, &honest].map(|inputs| inputs.publics[index][0]);
        let violated = misheard(&scene, &inputs, heard);
        // A digest of the commitment that a path ends at is compared as well.
        match &violated[..] {
            [bus, port] if bus == "bus witness" && port == HEARD => alone.push(index),
            _ => assert!(index >= SEED && violated[0] == "bus cap", "{index}: {violated:?}"),
        }
    }
    // Of the four digests, two paths end at two at most.
    assert!(alone.len() >= 4 && alone[..2] == [0, SEED - 1], "{alone:?}");
}

#[test]
fn the_public_values_are_observed() {
    let scene = Scene::<P>::new(&config(0));
    // The proof is one of the sum, but for the transcript, which observes another one.
    let [sum, other] = [SUM, SUM + 1].map(Goldilocks::from_u64);
    let deceit = Deceit { observed: Some((sum, other)), ..Deceit::default() };
    let deception = deceive(&scene, &deceit);
    assert!([SUM, SUM + 1].iter().all(|&sum| !scene.native_accepts(&deception.proof, sum)));
    let mut inputs = deception.inputs(&scene, SUM + 1);
    let said = inputs.publics.iter_mut().filter(|value| value[..] == [SUM + 1]);
    let ports = said.map(|value| value[0] = SUM).count();
    let violated = misheard(&scene, &inputs, [SUM, SUM + 1]);
    let (bus, readers) = violated.split_first().expect("a sum is not the other");
    assert_eq!(bus, "bus witness");
    assert!(readers.iter().all(|port| port == HEARD), "{readers:?}");
    assert_eq!(readers.len(), ports);
}
