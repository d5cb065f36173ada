//! The tamper matrix: every number of a real proof, one at a time, in the native verifier and in the circuit.

use std::collections::BTreeMap;

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::Field;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use chipwright_recursion::batch::RecursiveField;
use p3_commit::Mmcs;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_merkle_tree::{MerkleCap, PrunedMerklePaths};

use crate::forging::{config, config_over};
use crate::scene::{SUM, Scene};

type Cap<F, const D: usize> = MerkleCap<F, [F; D]>;

/// A field whose commitments and paths can be taken apart: digests have `D` elements.
trait Tampered<const D: usize>:
    RecursiveField<
    Mmcs: Mmcs<
        Self::Base,
        Commitment = Cap<Self::Base, D>,
        MultiProof = PrunedMerklePaths<Self::Base, D>,
    >,
>
{
}

impl<P, const D: usize> Tampered<D> for P
where
    P: RecursiveField,
    P::Mmcs:
        Mmcs<P::Base, Commitment = Cap<P::Base, D>, MultiProof = PrunedMerklePaths<P::Base, D>>,
{
}

/// Some numbers of a proof.
enum Place<'a, P: Tampered<D>, const D: usize> {
    Cap(&'a mut Cap<P::Base, D>),
    Base(&'a mut P::Base),
    Ext(&'a mut P::Ext),
    Height(&'a mut usize),
}

impl<P: Tampered<D>, const D: usize> Place<'_, P, D> {
    fn size(&self) -> usize {
        match self {
            Self::Cap(cap) => D * cap.num_roots(),
            Self::Ext(_) => P::FIELD.degree(),
            Self::Base(_) | Self::Height(_) => 1,
        }
    }

    /// Adds one to a number, or takes it away again.
    fn shift(self, number: usize, up: bool) {
        let one = if up { P::Base::ONE } else { -P::Base::ONE };
        match self {
            Self::Cap(cap) => {
                let mut roots = cap.roots().to_vec();
                roots[number / D][number % D] += one;
                *cap = Cap::new(roots);
            }
            Self::Base(value) => *value += one,
            Self::Ext(value) => {
                let unit = |i| if i == number { one } else { P::Base::ZERO };
                *value += P::Ext::from_basis_coefficients_fn(unit);
            }
            Self::Height(height) => *height = if up { *height + 1 } else { *height - 1 },
        }
    }
}

/// All places of a proof, with what they are.
struct Places<'a, P: Tampered<D>, const D: usize>(Vec<(&'static str, Place<'a, P, D>)>);

impl<'a, P: Tampered<D>, const D: usize> Places<'a, P, D> {
    fn of(proof: &'a mut Proof<P>) -> Self {
        let mut places = Self(Vec::new());
        let batch = proof.batch_mut();
        places.cap("main commitment", &mut batch.commitments.main);
        if let Some(cap) = &mut batch.commitments.permutation {
            places.cap("lookup commitment", cap);
        }
        places.cap("quotient commitment", &mut batch.commitments.quotient_chunks);
        for table in &mut batch.opened_values.instances {
            let base = &mut table.base_opened_values;
            places.ext("main opening", base.trace_local.iter_mut());
            places.ext("main opening", base.trace_next.iter_mut().flatten());
            places.ext("quotient opening", base.quotient_chunks.iter_mut().flatten());
            if let Some(fixed) = &mut base.preprocessed {
                places.ext("preprocessed opening", fixed.local.iter_mut());
                places.ext("preprocessed opening", fixed.next.iter_mut().flatten());
            }
            places.ext("lookup opening", table.permutation_local.iter_mut());
            places.ext("lookup opening", table.permutation_next.iter_mut());
        }
        let terminals = batch.lookup_terminals.iter_mut().flatten();
        places.ext("terminal", terminals.map(|terminal| &mut terminal.0));
        let heights = batch.degree_bits.iter_mut();
        places.0.extend(heights.map(|height| ("height", Place::Height(height))));
        places.base("lookup proof of work", batch.lookup_pow_witness.iter_mut());
        places.base("out-of-domain proof of work", [&mut batch.ood_pow_witness]);
        let fri = &mut batch.opening_proof;
        places.base("batching proof of work", [&mut fri.batch_pow_witness]);
        fri.commit_phase_commits.iter_mut().for_each(|cap| places.cap("folding commitment", cap));
        places.base("folding proof of work", &mut fri.commit_pow_witnesses);
        places.ext("final coefficient", &mut fri.final_poly);
        places.base("query proof of work", [&mut fri.query_pow_witness]);
        for opening in &mut fri.input_openings {
            places.base("leaf", opening.opened_values.iter_mut().flatten().flatten());
            places.base("sibling", opening.opening_proof.sibling_hashes.iter_mut().flatten());
        }
        for opening in &mut fri.commit_phase_openings {
            places.ext("folding evaluation", opening.sibling_values.iter_mut().flatten());
            let siblings = opening.opening_proof.sibling_hashes.iter_mut();
            places.base("folding sibling", siblings.flatten());
        }
        places
    }

    fn cap(&mut self, what: &'static str, cap: &'a mut Cap<P::Base, D>) {
        self.0.push((what, Place::Cap(cap)));
    }

    fn base(&mut self, what: &'static str, values: impl IntoIterator<Item = &'a mut P::Base>) {
        self.0.extend(values.into_iter().map(|value| (what, Place::Base(value))));
    }

    fn ext(&mut self, what: &'static str, values: impl IntoIterator<Item = &'a mut P::Ext>) {
        self.0.extend(values.into_iter().map(|value| (what, Place::Ext(value))));
    }
}

/// What happened to the numbers of one kind.
#[derive(Debug, Default)]
struct Tally {
    altered: usize,
    /// The circuit has no inputs for such a proof.
    shapeless: usize,
    /// The circuit has inputs, and its executor refuses them.
    violated: usize,
    /// The executor goes through, and a path ends at no digest of the cap.
    astray: usize,
}

/// Alters every number of a proof. The number of alterations, all of which were rejected by both verifiers.
fn alter_the_proof<P: Tampered<D>, const D: usize>(scene: &mut Scene<P>) -> usize {
    let mut proof = scene.prover.prove(&Scene::<P>::inputs_below()).expect("the inputs are honest");
    let sizes: Vec<(&str, usize)> = Places::<P, D>::of(&mut proof)
        .0
        .iter()
        .map(|(what, place)| (*what, place.size()))
        .collect();
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (index, &(what, size)) in sizes.iter().enumerate() {
        for number in 0..size {
            let shift = |proof: &mut Proof<P>, up| {
                let place = Places::<P, D>::of(proof).0.swap_remove(index).1;
                place.shift(number, up);
            };
            shift(&mut proof, true);
            let native = scene.native_accepts(&proof, SUM);
            let inputs = scene.inputs(&proof, SUM);
            shift(&mut proof, false);
            assert!(!native, "the native verifier accepts: {what} {index}.{number}");
            let tally = tallies.entry(what).or_default();
            tally.altered += 1;
            match inputs {
                Err(_) => tally.shapeless += 1,
                Ok(inputs) => {
                    if refused(scene, &inputs, what) {
                        tally.violated += 1;
                    } else {
                        tally.astray += 1;
                    }
                    // The first of each kind becomes a proof.
                    if tally.violated + tally.astray == 1 {
                        reject_forged(scene, &inputs, what);
                    }
                }
            }
        }
    }
    assert!(scene.native_accepts(&proof, SUM), "every alteration was undone");
    for (what, Tally { altered, shapeless, violated, astray }) in &tallies {
        println!(
            "{what}: {altered} altered; {shapeless} without inputs, {violated} refused by the \
             executor, {astray} not in the cap"
        );
    }
    let total: usize = tallies.values().map(|tally| tally.altered).sum();
    println!("tampered {total} places: native rejected {total}, circuit rejected {total}");
    total
}

/// Alters the inputs of the circuit's run where they are: what the proof says, leaves, siblings, and the circuit's
/// public values. So the circuit sees also those alterations that no proof has inputs for.
fn alter_the_inputs<P: RecursiveField>(scene: &Scene<P>) -> usize {
    let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    let mut total = 0;
    let mut rejected = |inputs: &Inputs, what: &str, forge: bool| {
        refused(scene, inputs, what);
        if forge {
            reject_forged(scene, inputs, what);
        }
        total += 1;
    };
    for index in 0..honest.publics.len() {
        let mut inputs = honest.clone();
        inputs.publics[index][0] ^= 1;
        // The seed, the commitment and the public value.
        rejected(&inputs, &format!("public {index}"), index % 11 == 0);
    }
    let longest = honest.data.iter().map(Vec::len).max();
    for (piece, values) in honest.data.iter().enumerate() {
        // The longest piece is what the proof says.
        let said = Some(values.len()) == longest;
        // Of leaves and paths, which the proof's alterations cover already, the ends and the middle.
        let ends = [0, values.len() / 2, values.len() - 1];
        let places = if said { (0..values.len()).collect() } else { ends.to_vec() };
        for index in places {
            let mut inputs = honest.clone();
            inputs.data[piece][index] ^= 1;
            let forge = if said { index % 67 == 0 } else { index == 0 && piece % 4 == 0 };
            rejected(&inputs, &format!("datum {piece}.{index}"), forge);
        }
    }
    println!("altered {total} inputs of the circuit: rejected {total}");
    total
}

/// Whether the executor refuses inputs; if not, demands that the tables say that a path ends at the wrong digest,
/// and nothing else: that is left to the table of caps.
fn refused<P: RecursiveField>(scene: &Scene<P>, inputs: &Inputs, what: &str) -> bool {
    if !scene.circuit.accepts_honestly(inputs) {
        return true;
    }
    let forged = scene.circuit.force(inputs);
    assert_eq!(forged.violated(), ["bus cap"], "{what}: {}", forged.report);
    false
}

/// Proves a run that violates the circuit: the verifier must reject the proof.
fn reject_forged<P: RecursiveField>(scene: &Scene<P>, inputs: &Inputs, what: &str) {
    let forged = scene.circuit.force(inputs);
    assert!(!forged.report.is_ok(), "the tables hold: {what}");
    let proof = scene.circuit.prove(forged);
    assert!(!scene.circuit.accepts(inputs, &proof), "the forged proof is accepted: {what}");
}

fn check<P: Tampered<D>, const D: usize>(config: &Config) {
    let mut scene = Scene::<P>::new(config);
    let honest = scene.inputs(&scene.proof, SUM).expect("the proof has the shape");
    assert!(scene.native_accepts(&scene.proof, SUM));
    assert!(scene.circuit.accepts_honestly(&honest));
    // A forged run of honest inputs is the honest run, and its proof is accepted.
    let forged = scene.circuit.force(&honest);
    assert!(forged.report.is_ok() && forged.violated().is_empty(), "{}", forged.report);
    assert!(scene.circuit.accepts(&honest, &scene.circuit.prove(forged)));
    // Another public value.
    assert!(!scene.native_accepts(&scene.proof, SUM + 1));
    let inputs = scene.inputs(&scene.proof, SUM + 1);
    assert!(inputs.is_err() || inputs.is_ok_and(|inputs| !scene.circuit.accepts_honestly(&inputs)));
    let altered = alter_the_proof(&mut scene);
    let inputs = alter_the_inputs(&scene);
    assert!(altered > 500 && inputs > 250, "{altered} and {inputs} alterations");
}

#[test]
fn every_altered_number_of_a_proof_is_rejected_by_both_verifiers() {
    check::<Goldilocks2, 4>(&config(0));
}

#[test]
fn every_altered_number_of_a_proof_with_a_longer_final_polynomial_is_rejected_by_both_verifiers() {
    check::<Goldilocks2, 4>(&config(1));
}

#[test]
fn every_altered_number_of_a_proof_over_koala_bear_is_rejected_by_both_verifiers() {
    check::<KoalaBear4, 8>(&config_over(Field::KoalaBear4, 0));
}
