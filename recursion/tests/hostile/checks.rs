//! The checks of the verifier circuit, one by one: a proof, or a run of the circuit, that violates only the one.

use std::collections::BTreeSet;

use chipwright_backend_stark::config::{Config, Grinding};
use chipwright_ir::circuit::Inputs;
use chipwright_ir::machine::MachineTrace;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_16};
use p3_symmetric::Permutation;

use crate::forging::{Ext, P, config};
use crate::scene::{SUM, Scene};

/// A site of grinding, and its number of bits.
type Site = (&'static str, fn(&mut Grinding) -> &mut usize);

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

/// The last permutation of a transcript before the queries: what it absorbs ends with the final polynomial and the
/// witness of the proof of work.
struct LastAbsorption {
    state: [Goldilocks; 16],
    /// The place of the last coefficient.
    place: usize,
}

impl LastAbsorption {
    fn of(scene: &Scene) -> Self {
        let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
        let fri = &scene.proof.batch().opening_proof;
        let last = fri.final_poly.last().expect("a polynomial has a coefficient");
        let coefficients: &[Goldilocks] = last.as_basis_coefficients_slice();
        let states = scene.circuit.states(&scene.circuit.force(&honest));
        let find = |state: &[Goldilocks; 16]| {
            let place = (1..12).find(|&i| state[i - 1..=i] == *coefficients)?;
            Some(Self { state: *state, place })
        };
        states.iter().find_map(find).expect("the final polynomial is absorbed in one row")
    }

    /// What is sampled then: the proof of work, and the elements that the query indices are taken from.
    fn samples(&self, change: Goldilocks, witness: Goldilocks) -> [u64; 3] {
        let mut state = self.state;
        state[self.place] += change;
        if self.place + 1 < 12 {
            state[self.place + 1] = witness;
        }
        let mut state = default_goldilocks_poseidon2_16().permute(state);
        if self.place + 1 == 12 {
            state[..12].fill(Goldilocks::ZERO);
            state[0] = witness;
            state[12] += Goldilocks::ONE;
            state = default_goldilocks_poseidon2_16().permute(state);
        }
        [11, 10, 9].map(|i| state[i].as_canonical_u64())
    }

    /// A witness after which the proof of work is as wanted and the query indices are those of the proof.
    fn search(&self, scene: &Scene, change: Goldilocks, work: bool) -> Goldilocks {
        let honest = scene.proof.batch().opening_proof.query_pow_witness;
        let bits = scene.shape.pcs.parameters.grinding.query;
        let mask = (1 << scene.shape.pcs.log_max()) - 1;
        let wanted = self.samples(Goldilocks::ZERO, honest);
        assert_eq!(wanted[0] & ((1 << bits) - 1), 0, "these are the samples of the proof");
        let fits = |witness: &Goldilocks| {
            let samples = self.samples(change, *witness);
            (samples[0] & ((1 << bits) - 1) == 0) == work
                && (1..3).all(|i| (samples[i] ^ wanted[i]) & mask == 0)
        };
        (0..1 << 24).map(Goldilocks::from_u64).find(fits).expect("one in 2^17 fits")
    }
}

#[test]
fn the_final_polynomial_and_the_work_before_the_queries_are_checked() {
    let mut config = config(0);
    config.parameters.grinding.query = 1;
    let mut scene = Scene::<P>::new(&config);
    let last = LastAbsorption::of(&scene);
    // The same queries after too little work.
    let lazy = last.search(&scene, Goldilocks::ZERO, false);
    let honest =
        std::mem::replace(&mut scene.proof.batch_mut().opening_proof.query_pow_witness, lazy);
    assert!(!scene.native_accepts(&scene.proof, SUM));
    let inputs = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    assert_eq!(violated(&scene, &inputs), [WORK]);
    scene.proof.batch_mut().opening_proof.query_pow_witness = honest;
    assert!(scene.native_accepts(&scene.proof, SUM));

    // The same queries after another final polynomial.
    let worked = last.search(&scene, Goldilocks::ONE, true);
    let fri = &mut scene.proof.batch_mut().opening_proof;
    fri.query_pow_witness = worked;
    *fri.final_poly.last_mut().expect("a coefficient") +=
        Ext::from_basis_coefficients_fn(
            |i| if i == 1 { Goldilocks::ONE } else { Goldilocks::ZERO },
        );
    assert!(!scene.native_accepts(&scene.proof, SUM));
    let inputs = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    assert_eq!(violated(&scene, &inputs), ["verify/query/final polynomial"]);
}

#[test]
fn too_little_work_before_lookups_and_the_point_is_all_that_is_wrong() {
    // An honest proof in a circuit that demands more of one site; the transcript is the same.
    let sites: [Site; 2] =
        [("lookup", |g| &mut g.lookup), ("out of domain", |g| &mut g.out_of_domain)];
    for (name, site) in sites {
        let scene = Scene::<P>::reshaped(&config(0), |shape| {
            *site(&mut shape.pcs.parameters.grinding) = 32;
        });
        assert!(scene.native_accepts(&scene.proof, SUM));
        let inputs = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
        assert_eq!(violated(&scene, &inputs), [WORK], "{name}");
    }
}

#[test]
fn every_site_of_grinding_is_checked() {
    let sites: [Site; 5] = [
        ("lookup", |g| &mut g.lookup),
        ("out of domain", |g| &mut g.out_of_domain),
        ("batch", |g| &mut g.batch),
        ("fold", |g| &mut g.fold),
        ("query", |g| &mut g.query),
    ];
    for (name, site) in sites {
        let mut config = Config::testing();
        config.parameters.grinding = Grinding::default();
        *site(&mut config.parameters.grinding) = 1;
        let scene = Scene::<P>::new(&config);
        let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
        let piece = (0..honest.data.len()).max_by_key(|&i| honest.data[i].len()).unwrap_or(0);
        for place in witnesses(&scene, name, honest.data[piece].len()) {
            // No other site grinds: the rule that fails now and then is that of the site.
            let mut seen = BTreeSet::new();
            for change in 1..32 {
                let mut inputs = honest.clone();
                inputs.data[piece][place] += change;
                let forged = scene.circuit.force(&inputs);
                assert!(!forged.report.is_ok(), "{name}");
                let work = forged.rows.iter().any(|row| row == WORK);
                if seen.insert(work) && work {
                    let proof = scene.circuit.prove(forged);
                    assert!(!scene.circuit.accepts(&inputs, &proof), "{name}");
                }
                if seen.len() == 2 {
                    break;
                }
            }
            assert_eq!(seen.len(), 2, "{name}: element {place}");
        }
    }
}

/// Where the witnesses of a site are among what a proof says, if no other site grinds.
fn witnesses(scene: &Scene, site: &str, said: usize) -> Vec<usize> {
    let batch = scene.proof.batch();
    let elements = |roots: usize| 4 * roots;
    let [main, quotient] = [&batch.commitments.main, &batch.commitments.quotient_chunks]
        .map(|cap| elements(cap.num_roots()));
    let lookups = batch.commitments.permutation.as_ref().map_or(0, |cap| elements(cap.num_roots()));
    let terminals = 2 * batch.lookup_terminals.iter().flatten().count();
    let folds: Vec<usize> = batch
        .opening_proof
        .commit_phase_commits
        .iter()
        .map(|cap| elements(cap.num_roots()))
        .collect();
    let tail = 2 * batch.opening_proof.final_poly.len();
    match site {
        "lookup" => vec![main],
        "out of domain" => vec![main + lookups + terminals + quotient],
        "batch" => vec![said - tail - folds.iter().sum::<usize>() - 1],
        "fold" => {
            let mut end = said - tail;
            let mut places = Vec::new();
            for fold in folds.iter().rev() {
                places.push(end - 1);
                end -= fold + 1;
            }
            places
        }
        _ => vec![said - 1],
    }
}

/// The degree of the field of these tests, which the places of elements depend on.
const _: () = assert!(<P as chipwright_ir::FieldPair>::FIELD.degree() == 2);
