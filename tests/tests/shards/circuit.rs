//! What the circuits of a tree over shards refuse by themselves: whoever proves is not asked by them.

use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::batch::Digest;
use chipwright_recursion::claims::{Claim, Step, StepValues};
use chipwright_recursion::layer::{Child, Layer, LayerError, Statement};
use chipwright_recursion::shard::{Named, ProvenShard};
use p3_field::PrimeField64;

use crate::vm::{Loaded, StackMachine, State};
use crate::{MENU, OTHER, RUN, Run, TREE};

type P = Goldilocks2;

/// A layer's proof, and what it says.
struct Proven {
    layer: &'static Layer<P>,
    statement: Statement<Digest<P>>,
    proof: chipwright_backend_stark::proof::Proof<P>,
}

impl Proven {
    fn child(&self) -> Child<'_, P> {
        Child { key: self.layer.key(), statement: self.statement, proof: &self.proof }
    }
}

fn claim(common: &Loaded, before: &State, after: &State) -> Claim<Digest<P>> {
    let shape = TREE.shape();
    let state = |state: &State| shape.state::<P>(&state.parts()).expect("a state");
    let common = shape.common::<P>(&common.parts()).expect("common values");
    StepValues::claim::<P>(&common, &state(before), &state(after))
}

/// A first layer over a shard.
fn over(run: &Run, shard: &ProvenShard<StackMachine>) -> Proven {
    let kind = MENU.kind(shard.kind).expect("a kind of the menu");
    let layer = TREE.over(&*MENU, shard.kind).expect("a kind of the menu");
    let step = [&run.common.parts(), &shard.before.parts(), &shard.after.parts()];
    let publics = kind.publics(step).expect("a step");
    let root = TREE.keys().root();
    let (inputs, statement) = layer
        .inputs_over(kind.key(), &publics, &shard.proof, root, false)
        .expect("the proof has the shape");
    Proven { layer, statement, proof: layer.prove(&inputs).expect("the shard is proven") }
}

/// The layer that pairs.
fn pair() -> &'static Layer<P> {
    TREE.top().expect("all circuits are made")
}

/// The layer over first layers.
fn join() -> &'static Layer<P> {
    TREE.above(2).expect("all circuits are made")
}

/// A node over one first layer or two.
fn above(children: &[&Proven]) -> Result<Proven, LayerError> {
    let layer = join();
    let children: Vec<Child<'_, P>> = children.iter().map(|child| child.child()).collect();
    let (inputs, statement) = layer.inputs_above(&children, TREE.keys(), false)?;
    Ok(Proven { layer, statement, proof: layer.prove(&inputs)? })
}

/// The inputs of a run with other public values.
fn claiming(inputs: &Inputs, statement: &Statement<Digest<P>>) -> Inputs {
    let publics = statement.publics();
    let publics = publics.iter().map(|value| vec![value.as_canonical_u64()]).collect();
    Inputs { publics, ..inputs.clone() }
}

/// The left child of one run and the right child of another.
fn spliced(left: &Inputs, right: &Inputs, statement: &Statement<Digest<P>>) -> Inputs {
    let (data, privates) = (left.data.len() / 2, left.privates.len() / 2);
    let mut inputs = right.clone();
    inputs.data[..data].clone_from_slice(&left.data[..data]);
    inputs.privates[..privates].clone_from_slice(&left.privates[..privates]);
    // Both count.
    inputs.privates[2 * privates] = vec![0];
    claiming(&inputs, statement)
}

#[test]
fn shards_of_different_kinds_are_linked_in_the_circuit() {
    let pair = pair();
    // By number of the shard: 3 is long, 4 is short, and all look alike from here on.
    let node = |number: usize| {
        let shard = &RUN.shards[number];
        above(&[&over(&RUN, shard)]).expect("the shard is proven")
    };
    let [two, three, four] = [2, 3, 4].map(node);
    let inputs = |children: [&Proven; 2]| {
        let children = children.map(Proven::child);
        pair.inputs_above(&children, TREE.keys(), true).expect("the shards are linked")
    };
    let (early, late) = (inputs([&two, &three]), inputs([&three, &four]));
    let state = |number: usize| &RUN.shards[number].before;
    let claimed = |first: &State, last: &State| Statement {
        claim: claim(&RUN.common, first, last),
        ..early.1
    };
    // The splice is one of honest proofs: what fails below is what is claimed, and nothing else.
    let honest = spliced(&early.0, &early.0, &claimed(state(2), state(4)));
    let proof = pair.prove(&honest).expect("the shards are linked");
    TREE.verify(&*MENU, [&RUN.common.parts(), &state(2).parts(), &state(4).parts()], &proof)
        .expect("two shards");
    // Shard 3 is left out: its neighbours are of different kinds, and not linked, whatever is claimed.
    for (first, last) in [
        (state(2), RUN.last()),
        (state(2), state(3)),
        (state(4), RUN.last()),
        (state(3), RUN.last()),
    ] {
        let verdict = pair.prove(&spliced(&early.0, &late.0, &claimed(first, last)));
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{first:?} to {last:?}");
    }
}

#[test]
fn shards_of_two_programs_are_not_joined_in_the_circuit() {
    // Both run through the same states, so that common values are all that differs.
    let pair = pair();
    let other = Run::new(&OTHER, 66);
    let node = |run: &Run, number: usize| {
        let shard = &run.shards[number];
        above(&[&over(run, shard)]).expect("the shard is proven")
    };
    let (own, others) = ([node(&RUN, 0), node(&RUN, 1)], [node(&other, 0), node(&other, 1)]);
    let inputs = |children: &[Proven; 2]| {
        let children = [children[0].child(), children[1].child()];
        pair.inputs_above(&children, TREE.keys(), true).expect("the shards are linked")
    };
    let (ours, theirs) = (inputs(&own), inputs(&others));
    let mixed = [own[0].child(), others[1].child()];
    let verdict = pair.inputs_above(&mixed, TREE.keys(), true);
    assert!(matches!(verdict, Err(LayerError::Step(_))), "{verdict:?}");
    let honest =
        Statement { claim: claim(&RUN.common, RUN.first(), &RUN.shards[1].after), ..ours.1 };
    pair.prove(&spliced(&ours.0, &ours.0, &honest)).expect("a splice of one run is a run");
    for common in [&RUN.common, &other.common] {
        let claim = claim(common, RUN.first(), &other.shards[1].after);
        let verdict = pair.prove(&spliced(&ours.0, &theirs.0, &Statement { claim, ..ours.1 }));
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{common:?}");
    }
}

#[test]
fn a_layer_says_what_its_child_proves() {
    let first = over(&RUN, &RUN.shards[3]);
    let layer = join();
    let (_, honest) = layer.inputs_above(&[first.child()], TREE.keys(), false).expect("a child");
    // A child that is said to end elsewhere: natively nothing is wrong with it.
    let Claim::Step(step) = honest.claim else { panic!("a step") };
    let Claim::Step(elsewhere) = claim(&RUN.common, RUN.first(), RUN.last()) else {
        panic!("a step")
    };
    let forged = Claim::Step(Step { end: elsewhere.end, ..step });
    let child =
        Child { statement: Statement { claim: forged, ..first.statement }, ..first.child() };
    let (inputs, _) = layer.inputs_above(&[child], TREE.keys(), false).expect("a child");
    let verdict = layer.prove(&inputs);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{:?}", verdict.err());
}

#[test]
fn a_layer_takes_the_keys_of_its_place_alone() {
    let [long, short] = [3, 4].map(|number| over(&RUN, &RUN.shards[number]));
    let provable = |layer: &Layer<P>, child: Child<'_, P>| {
        let verdict = layer.inputs_above(&[child], TREE.keys(), true);
        verdict.is_ok_and(|(inputs, _)| layer.prove(&inputs).is_ok())
    };
    // First layers are of one shape, whatever kind is below.
    assert!(provable(join(), long.child()));
    assert!(provable(join(), short.child()));
    assert!(!provable(pair(), long.child()), "a first layer where the common shape is wanted");
    for key in [pair().key(), join().key(), short.layer.key()] {
        assert!(!provable(join(), Child { key, ..long.child() }), "the key of another layer");
    }
    let node = above(&[&long, &short]).expect("neighbours");
    assert!(provable(pair(), node.child()));
    assert!(!provable(join(), node.child()), "a node where a first layer is wanted");
    let first = Child { key: long.layer.key(), ..node.child() };
    assert!(!provable(pair(), first), "the key of a first layer");
}
