//! What layers claim: digests that mean one thing, and steps that follow each other.

use chipwright_backend_stark::circuit::{CircuitProver, CircuitVerifier, compile_circuit};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::batch::Digest;
use chipwright_recursion::claims::{
    Claim, Claims, Expected, StepError, StepValues, expect_joined, joined,
};
use chipwright_recursion::keys::{Domain, KeySet, digest};
use chipwright_recursion::layer::{Child, Layer, LayerError, Statement};
use chipwright_recursion::tree::{Leaf, Tree};
use chipwright_tests::FIELD;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

type P = Goldilocks2;

/// A circuit, and proofs of it.
struct Base {
    prover: CircuitProver<P>,
    verifier: CircuitVerifier<P>,
}

impl Base {
    fn new(build: impl FnOnce(&mut CircuitBuilder)) -> Self {
        let mut builder = CircuitBuilder::with_library("base", chipwright_chips::library(FIELD));
        build(&mut builder);
        let circuit = builder.build().expect("a circuit");
        let config = Config::testing();
        let (prover, verifier) =
            compile_circuit(circuit.tables, &circuit.library, &config).expect("it compiles");
        Self { prover, verifier }
    }

    /// A proof, with its public values.
    fn leaf(&self, values: &[Goldilocks]) -> Leaf<P> {
        let inputs = Inputs::publics(values.iter().map(PrimeField64::as_canonical_u64));
        let proof = self.prover.prove(&inputs).expect("the values satisfy the circuit");
        let tables = self.verifier.key().tables().iter();
        let publics = tables.map(|table| values[..table.publics].to_vec()).collect();
        Leaf { publics, proof }
    }
}

/// The public inputs of a run that proves a statement.
fn publics(statement: &Statement<Digest<Goldilocks2>>) -> Vec<Vec<u64>> {
    statement.publics().iter().map(|value| vec![value.as_canonical_u64()]).collect()
}

#[test]
fn the_public_values_of_one_proof_are_not_the_claims_of_two() {
    // A circuit that demands nothing of its eight public values: a prover makes them two claims.
    let base = Base::new(|builder| {
        for _ in 0..8 {
            let value = builder.add_public_input();
            builder.mul(value, value);
        }
    });
    let digests = [[1, 2, 3, 4], [5, 6, 7, 8]].map(|claim| claim.map(Goldilocks::from_u64));
    let values = digests.as_flattened();
    let leaf = base.leaf(values);
    let key = base.verifier.key();
    let config = Config::testing();
    let layer =
        Layer::over(key, leaf.proof.log_heights(), &Claims::Facts, &config).expect("a layer");
    let keys = KeySet::new([&layer]).expect("one key");
    let (mut inputs, statement) = layer
        .inputs_over(key, &leaf.publics, &leaf.proof, keys.root(), true)
        .expect("the proof has the shape");
    let honest = layer.prove(&inputs).expect("the proof is valid");
    let of_two = joined::<Goldilocks2>(&digests.map(Claim::Facts)).expect("facts are joined");
    assert_eq!(statement.claim, Claim::Facts(digest::<Goldilocks2>(Domain::Publics, values)));
    assert_eq!(of_two, Claim::Facts(digest::<Goldilocks2>(Domain::Claims, values)));
    assert_ne!(statement.claim, of_two);

    // What is expected of two proofs is never what these values claim: the digests of two lists of values, say.
    let expect = |values: &[Goldilocks]| Claims::Facts.expect::<P>(values).expect("facts");
    layer.verify(&keys, expect(values), &honest).expect("the values are these");
    let two = expect_joined::<P>(&[expect(&values[..4]), expect(&values[4..])]).expect("facts");
    let verdict = layer.verify(&keys, two, &honest);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    // The circuit does not claim what two proofs would, either.
    inputs.publics = publics(&Statement { claim: of_two, ..statement });
    let verdict = layer.prove(&inputs);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
}

/// Steps `(number, x) → (number + 1, x² + offset)`.
struct Walk {
    base: Base,
    offset: Goldilocks,
}

/// The public values: the offset is common; a state is a number and an `x`.
fn step_values() -> StepValues {
    StepValues::new(vec![0], vec![1, 2], vec![3, 4]).expect("states have two values")
}

impl Walk {
    fn new() -> Self {
        let base = Base::new(|builder| {
            let [offset, number, x, next_number, next] =
                std::array::from_fn(|_| builder.add_public_input());
            let expected = builder.mul_add(x, x, offset);
            builder.assert_eq(next, expected).named("next");
            let expected = builder.add(number, 1);
            builder.assert_eq(next_number, expected).named("number");
        });
        Self { base, offset: Goldilocks::from_u64(5) }
    }

    /// The state after `count` steps from `(0, 3)`.
    fn state(&self, count: u64) -> [Goldilocks; 2] {
        let x = (0..count).fold(Goldilocks::from_u64(3), |x, _| x * x + self.offset);
        [Goldilocks::from_u64(count), x]
    }

    /// The proof of a step from a state.
    fn step(&self, offset: Goldilocks, [number, x]: [Goldilocks; 2]) -> Leaf<P> {
        self.base.leaf(&[offset, number, x, number + Goldilocks::ONE, x * x + offset])
    }

    fn steps(&self, count: u64) -> Vec<Leaf<P>> {
        (0..count).map(|number| self.step(self.offset, self.state(number))).collect()
    }

    fn tree(&self) -> Tree<P> {
        let heights = self.steps(1)[0].proof.log_heights().to_vec();
        let claims = Claims::Steps(step_values());
        Tree::new(self.base.verifier.key(), &heights, claims, &Config::testing()).expect("a tree")
    }

    /// What to expect of going from the first state to the one after `count` steps.
    fn expected(&self, count: u64) -> Expected<Digest<Goldilocks2>> {
        StepValues::expect::<Goldilocks2>(&[self.offset], &self.state(0), &self.state(count))
    }
}

#[test]
fn any_number_of_linked_steps_becomes_one_step() {
    let walk = Walk::new();
    let tree = walk.tree();
    let key = walk.base.verifier.key();
    let mut sizes = Vec::new();
    for count in [1, 3, 4, 9] {
        let root = tree.prove(key, &walk.steps(count), &|_| {}).expect("the steps are linked");
        tree.verify_claim(walk.expected(count), &root.proof).expect("the step is proven");
        sizes.push(root.proof.to_bytes().len());
        // Another end, another start, other common values, another number of steps.
        let (first, last) = (walk.state(0), walk.state(count));
        let one = Goldilocks::ONE;
        for claim in [
            walk.expected(count + 1),
            walk.expected(0),
            StepValues::expect::<Goldilocks2>(&[walk.offset], &walk.state(1), &last),
            StepValues::expect::<Goldilocks2>(&[walk.offset], &first, &[last[0], last[1] + one]),
            StepValues::expect::<Goldilocks2>(&[walk.offset + one], &first, &last),
            StepValues::expect::<Goldilocks2>(&[walk.offset], &last, &first),
        ] {
            let verdict = tree.verify_claim(claim, &root.proof);
            assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{claim:?}: {verdict:?}");
        }
    }
    // The height does not show in the proof but for the paths that queries happen to share.
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    assert!(least.zip(most).is_some_and(|(least, most)| most - least < least / 10), "{sizes:?}");
}

#[test]
fn steps_that_do_not_follow_each_other_are_not_joined() {
    let walk = Walk::new();
    let tree = walk.tree();
    let key = walk.base.verifier.key();
    for (what, order) in [
        ("left out", &[0, 2, 3][..]),
        ("exchanged", &[0, 2, 1, 3]),
        ("repeated", &[0, 0]),
        ("none", &[]),
    ] {
        let steps = walk.steps(4);
        let steps = order.iter().map(|&number: &usize| {
            let Leaf { publics, proof } = &steps[number];
            let proof = Proof::from_bytes(key, &proof.to_bytes()).expect("a proof is read back");
            Leaf { publics: publics.clone(), proof }
        });
        let verdict = tree.prove(key, &steps.collect::<Vec<_>>(), &|_| {});
        assert!(verdict.is_err(), "{what}");
    }
}

/// A proof of a layer over steps.
struct Proven {
    statement: Statement<Digest<Goldilocks2>>,
    proof: Proof<P>,
}

#[test]
fn a_circuit_joins_no_steps_that_do_not_follow_each_other() {
    let walk = Walk::new();
    let tree = walk.tree();
    let key = walk.base.verifier.key();
    let (first, pair) = (tree.level(1), tree.level(2));
    let prove = |leaf: &Leaf<P>| {
        let root = tree.keys().root();
        let (inputs, statement) = first
            .inputs_over(key, &leaf.publics, &leaf.proof, root, false)
            .expect("the proof has the shape");
        Proven { statement, proof: first.prove(&inputs).expect("the step is valid") }
    };
    let inputs = |children: &[&Proven]| {
        let children: Vec<Child<'_, P>> = children
            .iter()
            .map(|child| Child {
                key: first.key(),
                statement: child.statement,
                proof: &child.proof,
            })
            .collect();
        pair.inputs_above(&children, tree.keys(), true).expect("the steps are linked")
    };
    // The left proof of one run and the right proof of another, with a claim that fits neither or both.
    let spliced = |left: &Inputs,
                   right: &Inputs,
                   single: bool,
                   statement: &Statement<Digest<Goldilocks2>>| {
        let (data, privates) = (left.data.len() / 2, left.privates.len() / 2);
        let mut inputs = right.clone();
        inputs.data[..data].clone_from_slice(&left.data[..data]);
        inputs.privates[..privates].clone_from_slice(&left.privates[..privates]);
        inputs.privates[2 * privates] = vec![u64::from(single)];
        inputs.publics = publics(statement);
        pair.prove(&inputs)
    };

    let steps: Vec<Proven> = walk.steps(4).iter().map(prove).collect();
    let (one, two) = (inputs(&[&steps[0], &steps[1]]), inputs(&[&steps[2], &steps[3]]));
    let to = |count: u64| Statement { claim: walk.expected(count).claim(), ..one.1 };
    // The splices are those of honest proofs: what fails below is what is claimed.
    let honest = spliced(&one.0, &one.0, false, &to(2)).expect("the steps are linked");
    pair.verify(tree.keys(), walk.expected(2), &honest).expect("two steps");
    let single = spliced(&one.0, &two.0, true, &to(1)).expect("one step, and one unused");
    pair.verify(tree.keys(), walk.expected(1), &single).expect("one step");

    // Steps 1 and 4, without those in between; step 1 twice, whether as one step or as two.
    let repeated = inputs(&[&steps[0]]);
    for (right, single, claimed) in [
        (&two, false, to(4)),
        (&two, true, to(4)),
        (&two, false, to(1)),
        (&one, true, to(2)),
        (&one, false, to(1)),
        (&repeated, false, to(1)),
        (&repeated, false, to(2)),
    ] {
        let verdict = spliced(&one.0, &right.0, single, &claimed);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{claimed:?}");
    }

    // A step that follows, with another offset: its own predecessor is √(x − offset) away.
    let [number, x] = walk.state(1);
    let other = x - Goldilocks::from_u64(4);
    let before = [number - Goldilocks::ONE, Goldilocks::TWO];
    let strange = [before, [number, x]].map(|state| prove(&walk.step(other, state)));
    let strange = inputs(&[&strange[0], &strange[1]]);
    let end = [number + Goldilocks::ONE, x * x + other];
    for common in [walk.offset, other] {
        let claim = StepValues::claim::<Goldilocks2>(&[common], &walk.state(0), &end);
        let claimed = Statement { claim, ..one.1 };
        let verdict = spliced(&one.0, &strange.0, false, &claimed);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{claimed:?}");
    }

    // An incomplete proof is no result.
    let verdict = tree.verify_claim(walk.expected(1), &steps[0].proof);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    let verdict = first.verify(tree.keys(), walk.expected(1), &steps[0].proof);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    first.verify_incomplete(tree.keys(), walk.expected(1), &steps[0].proof).expect("it is a part");
}

#[test]
fn two_values_of_one_part_are_compared_in_the_circuit() {
    // A state before, the same once more, and the state after; the circuit demands nothing.
    let base = Base::new(|builder| {
        for _ in 0..3 {
            let value = builder.add_public_input();
            builder.mul(value, value);
        }
    });
    let step = |common: &[usize]| StepValues::new(common.to_vec(), vec![0], vec![2]);
    let strict = step(&[]).expect("states of one value").with_equal(vec![(0, 1)]);
    let loose = step(&[1]).expect("states of one value");
    let of = |values: [u64; 3]| values.map(Goldilocks::from_u64);
    let leaf = base.leaf(&of([1, 2, 3]));
    let (key, heights) = (base.verifier.key(), leaf.proof.log_heights());
    let [strict, loose] = [strict, loose].map(|values| {
        Layer::over(key, heights, &Claims::Steps(values), &Config::testing()).expect("a layer")
    });
    let keys = KeySet::new([&strict]).expect("one key");
    let inputs = |layer: &Layer<P>, leaf: &Leaf<P>| {
        layer.inputs_over(key, &leaf.publics, &leaf.proof, keys.root(), true)
    };
    let verdict = inputs(&strict, &leaf);
    let unequal = StepError::Unequal { first: 0, second: 1 };
    assert!(matches!(verdict, Err(LayerError::Step(error)) if error == unequal));

    // What the layer would be given, by way of one that does not compare them.
    let claim = StepValues::claim::<P>(&[], &of([1, 0, 0])[..1], &of([3, 0, 0])[..1]);
    let forged = |leaf: &Leaf<P>| {
        let (inputs, statement) = inputs(&loose, leaf).expect("the proof has the shape");
        strict.prove(&Inputs { publics: publics(&Statement { claim, ..statement }), ..inputs })
    };
    forged(&base.leaf(&of([1, 1, 3]))).expect("both are one");
    let verdict = forged(&leaf);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{:?}", verdict.err());
}

#[test]
fn every_public_value_belongs_to_a_step() {
    let values = [1, 2, 3].map(Goldilocks::from_u64);
    let of = |common: &[usize], start: &[usize], end: &[usize]| {
        StepValues::new(common.to_vec(), start.to_vec(), end.to_vec())
            .and_then(|step| Claims::Steps(step).of::<Goldilocks2>(&values))
    };
    assert!(of(&[0], &[1], &[2]).is_ok());
    assert!(of(&[], &[0, 0], &[1, 2]).is_ok());
    assert_eq!(of(&[0], &[1], &[1]), Err(StepError::Unbound(2)));
    assert_eq!(of(&[3], &[0, 1], &[1, 2]), Err(StepError::Missing { position: 3, count: 3 }));
    assert_eq!(of(&[0], &[1], &[1, 2]), Err(StepError::States { start: 1, end: 2 }));
}
