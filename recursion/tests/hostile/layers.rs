//! Layers and trees that pass off what was not proven: keys, claims, and whether a proof is the last one.

use std::ops::Range;

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::circuit::{Form, Graph, Inputs, ValueType};
use chipwright_recursion::batch::Digest;
use chipwright_recursion::claims::{Claims, Expected, StepValues, expect_joined};
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::{Child, Layer, LayerError, Statement};
use chipwright_recursion::level::Level;
use chipwright_tests::{Compiled, FIELD};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

use crate::forging::{Forgeable, Lie, P, deaf, incurious};

/// The rule that a value is a bit, which has no name.
const BIT: &str = "/";

/// A private value that is another one as well: its row has no name.
const SAID_TWICE: &str = "/";

/// Circuits that say that a number is a square, and layers over them.
struct Layers {
    offset: u64,
    below: Compiled,
    first: Layer<P>,
    keys: KeySet<Digest<P>>,
}

/// A layer's proof, and what it says.
struct Proven {
    statement: Statement<Digest<P>>,
    proof: Proof<P>,
}

impl Layers {
    fn new() -> Self {
        Self::over(0)
    }

    /// Layers over a circuit that says that a number is a square and an offset.
    fn over(offset: u64) -> Self {
        let mut graph = Graph::new("square", FIELD);
        let claimed = graph.public(ValueType::Felt);
        let root = graph.private(ValueType::Felt);
        let constant = graph.constant(offset);
        let square = graph.mul_add(root, root, constant);
        graph.assert_eq(square, claimed);
        let below = Compiled::new(&graph, Form::Fused);
        let proof = below.prove(&Inputs::publics([9 + offset]).with_privates([3]));
        let (key, heights) = (below.verifier.key(), proof.log_heights());
        let first = Layer::over(key, heights, &Claims::Facts, &Config::testing()).expect("a layer");
        let keys = KeySet::new([&first]).expect("one key");
        Self { offset, below, first, keys }
    }

    /// The public values of a proof that the root of a number is known.
    fn publics(&self, root: u64) -> Vec<Vec<Goldilocks>> {
        let square = Goldilocks::from_u64(root * root + self.offset);
        self.below.verifier.key().tables().iter().map(|t| vec![square; t.publics]).collect()
    }

    /// What to expect of a layer over it.
    fn expected(&self, root: u64) -> Expected<Digest<P>> {
        Claims::Facts.expect::<P>(&self.publics(root).concat()).expect("facts")
    }

    /// What the first layer needs to verify a proof that the root of a number is known, and what it says then.
    fn inputs(
        &self,
        root: u64,
        keys: &KeySet<Digest<P>>,
        complete: bool,
    ) -> (Inputs, Statement<Digest<P>>) {
        let square = root * root + self.offset;
        let proof = self.below.prove(&Inputs::publics([square]).with_privates([root]));
        let key = self.below.verifier.key();
        self.first
            .inputs_over(key, &self.publics(root), &proof, keys.root(), complete)
            .expect("the proof has the shape")
    }

    /// The first layer over a proof that the root of a number is known.
    fn prove(&self, root: u64, keys: &KeySet<Digest<P>>, complete: bool) -> Proven {
        let (inputs, statement) = self.inputs(root, keys, complete);
        let proof = self.first.prove(&inputs).expect("the proof is valid");
        let expected = self.expected(root);
        let verdict = if complete {
            self.first.verify(keys, expected, &proof)
        } else {
            self.first.verify_incomplete(keys, expected, &proof)
        };
        verdict.expect("the layer is honest");
        Proven { statement, proof }
    }

    fn child<'a>(&'a self, proven: &'a Proven) -> Child<'a, P> {
        Child { key: self.first.key(), statement: proven.statement, proof: &proven.proof }
    }
}

/// Whether a layer can be proven over some proofs.
fn provable(
    layer: &Layer<P>,
    children: &[Child<'_, P>],
    keys: &KeySet<Digest<P>>,
) -> Result<Proven, LayerError> {
    let (inputs, statement) = layer.inputs_above(children, keys, true)?;
    let proof = layer.prove(&inputs)?;
    Ok(Proven { statement, proof })
}

#[test]
fn n_17_a_tree_is_of_one_set_of_keys_of_incomplete_children_and_a_complete_root() {
    let (layers, other) = (Layers::new(), Layers::over(1));
    let keys = &layers.keys;
    let others = KeySet::new([&layers.first, &other.first]).expect("two keys");
    let strangers = KeySet::new([&other.first]).expect("one key");
    let pair = Layer::pair(&layers.first, &Config::testing()).expect("a layer");

    let (three, four) = (layers.prove(3, keys, false), layers.prove(4, keys, false));
    let honest = [layers.child(&three), layers.child(&four)];
    let root = provable(&pair, &honest, keys).expect("the children are honest");
    let claims = [layers.expected(3), layers.expected(4)];
    let result = |keys: &KeySet<Digest<P>>, expected| pair.verify(keys, expected, &root.proof);
    let rejected = |verdict: Result<Level, LayerError>| {
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    };
    let joined = |claims: &[Expected<Digest<P>>]| {
        expect_joined::<P>(claims).expect("facts are joined in any order")
    };
    result(keys, joined(&claims)).expect("the tree is honest");
    assert_eq!(joined(&claims).claim(), root.statement.claim);

    // Swapped children are another claim; so is a single child, or one twice.
    rejected(result(keys, joined(&[claims[1], claims[0]])));
    rejected(result(keys, claims[0]));
    rejected(result(keys, joined(&[claims[0], claims[0]])));

    // Another set of keys at the root, be it a larger one.
    rejected(result(&others, joined(&claims)));
    rejected(result(&strangers, joined(&claims)));

    // Incomplete at the root, and complete where a part is asked for.
    rejected(layers.first.verify(keys, claims[0], &three.proof));
    rejected(pair.verify_incomplete(keys, joined(&claims), &root.proof));

    // A complete child, said so or relabelled.
    let complete = layers.prove(3, keys, true);
    let mut child = layers.child(&complete);
    assert!(provable(&pair, &[child, layers.child(&four)], keys).is_err());
    child = layers.child(&complete);
    child.statement.complete = false;
    assert!(provable(&pair, &[child, layers.child(&four)], keys).is_err());

    // Siblings of different sets, said so or relabelled.
    let foreign = layers.prove(4, &others, false);
    for keys in [keys, &others] {
        let children = [layers.child(&three), layers.child(&foreign)];
        assert!(provable(&pair, &children, keys).is_err());
    }
    let mut child = layers.child(&foreign);
    child.statement.keys = keys.root();
    assert!(provable(&pair, &[layers.child(&three), child], keys).is_err());

    // A key that is not in the set, and one that is not the proof's.
    let verdict = provable(&pair, &honest, &strangers);
    assert!(matches!(verdict, Err(LayerError::Keys(_))));
    let mut child = layers.child(&four);
    child.key = pair.key();
    assert!(provable(&pair, &[layers.child(&three), child], keys).is_err());
    // The path of one set below the root of another.
    let (mut inputs, _) = pair.inputs_above(&honest, keys, true).expect("honest inputs");
    for (value, root) in inputs.publics.iter_mut().zip(strangers.root()) {
        *value = vec![root.as_canonical_u64()];
    }
    assert!(pair.prove(&inputs).is_err());
    // The claim of other children.
    let (mut inputs, _) = pair.inputs_above(&honest, keys, true).expect("honest inputs");
    inputs.publics[4][0] ^= 1;
    assert!(pair.prove(&inputs).is_err());
}

/// A forged run of a layer: what it violates, and what is read that was not said. Its proof is made, and must be
/// rejected.
fn forged(layer: &Layer<P>, inputs: &Inputs, lie: &Lie) -> [Vec<String>; 2] {
    let circuit = Forgeable::of_layer(layer, lie);
    let forged = circuit.force(inputs);
    let violated = forged.violated();
    let misread = forged.misread().into_iter().map(|(_, port)| port).collect();
    let proof = circuit.prove(forged);
    assert!(!circuit.accepts(inputs, &proof), "accepted, although {violated:?}");
    [violated, misread]
}

/// What a forged run of a layer violates.
fn violated(layer: &Layer<P>, inputs: &Inputs) -> Vec<String> {
    let [violated, _] = forged(layer, inputs, &incurious());
    violated
}

/// A layer over one layer.
fn above(layers: &Layers) -> Layer<P> {
    Layer::above(&[&layers.first], &Config::testing()).expect("a layer")
}

/// What a layer over another one needs to verify a proof of any layers of its shape.
fn inputs_above(
    layer: &Layer<P>,
    layers: &Layers,
    proven: &Proven,
    keys: &KeySet<Digest<P>>,
) -> Inputs {
    let child = layers.child(proven);
    layer.inputs_above(&[child], keys, true).expect("the proof has the shape").0
}

#[test]
fn the_key_of_a_child_is_a_member_of_the_set() {
    let (layers, strangers) = (Layers::new(), Layers::over(1));
    assert_eq!(layers.first.key().tables(), strangers.first.key().tables());
    assert_ne!(layers.first.key(), strangers.first.key());
    let above = above(&layers);
    // A layer of others, of the same shape: it says that it is about the set of these, and so does the layer above.
    let proven = strangers.prove(3, &layers.keys, false);
    let mut inputs = inputs_above(&above, &strangers, &proven, &strangers.keys);
    for (value, root) in inputs.publics.iter_mut().zip(layers.keys.root()) {
        *value = vec![root.as_canonical_u64()];
    }
    assert_eq!(violated(&above, &inputs), ["bus cap"]);
}

#[test]
fn a_layer_claims_what_its_proofs_prove() {
    let layers = Layers::new();
    let (mut inputs, _) = layers.inputs(3, &layers.keys, false);
    inputs.publics[4][0] ^= 1;
    assert_eq!(violated(&layers.first, &inputs), ["/claim"]);

    let pair = Layer::pair(&layers.first, &Config::testing()).expect("a layer");
    let [three, four] = [3, 4].map(|root| layers.prove(root, &layers.keys, false));
    for children in [vec![layers.child(&three)], vec![layers.child(&three), layers.child(&four)]] {
        let (mut inputs, _) =
            pair.inputs_above(&children, &layers.keys, true).expect("honest inputs");
        inputs.publics[4][0] ^= 1;
        assert_eq!(violated(&pair, &inputs), ["/claim"]);
    }
}

#[test]
fn whether_a_layer_is_complete_or_over_a_single_proof_is_a_bit() {
    let layers = Layers::new();
    let (mut inputs, _) = layers.inputs(3, &layers.keys, false);
    inputs.publics[8] = vec![2];
    assert_eq!(violated(&layers.first, &inputs), [BIT]);

    let pair = Layer::pair(&layers.first, &Config::testing()).expect("a layer");
    let [three, four] = [3, 4].map(|root| layers.prove(root, &layers.keys, false));
    let children = [layers.child(&three), layers.child(&four)];
    let (mut inputs, statement) =
        pair.inputs_above(&children, &layers.keys, true).expect("honest inputs");
    *inputs.privates.last_mut().expect("whether it is a single one") = vec![2];
    // Twice the claim of a single proof, less the claim of both.
    let [single, both]: [Vec<Goldilocks>; 2] =
        [&three.statement, &statement].map(Statement::publics);
    for place in 4..8 {
        inputs.publics[place] = vec![(single[place].double() - both[place]).as_canonical_u64()];
    }
    assert_eq!(violated(&pair, &inputs), [BIT]);
}

/// Transcripts that hear the public values of a child wherever another one's are said that agrees in some places.
fn hearing(publics: &[Goldilocks], agreeing: Range<usize>) -> Lie {
    let heard: Vec<u64> = publics.iter().map(PrimeField64::as_canonical_u64).collect();
    deaf(move |elements| {
        for at in 0..elements.len().saturating_sub(heard.len()) {
            let said = &mut elements[at..at + heard.len()];
            if said[agreeing.clone()] == heard[agreeing.clone()] {
                said.copy_from_slice(&heard);
            }
        }
    })
}

/// What a child and its layer have in common is one slot of the circuit. So a child with another value is not its
/// transcript's, nor its constraints', and each of these two is checked.
fn is_another_value([mut violated, misread]: [Vec<String>; 2], elements: usize) {
    violated.retain(|name| name != "bus witness");
    assert_eq!(violated, ["verify/constraints/fused/fused"]);
    assert_eq!(misread.len(), elements, "{misread:?}");
    // What is absorbed is compared with what it should be, by a row of arithmetic in any lane.
    let absorbed = |port: &String| port.starts_with("alu") && port.ends_with(": a");
    assert!(misread.iter().all(absorbed), "{misread:?}");
}

#[test]
fn a_child_is_incomplete_and_about_the_same_keys() {
    let (layers, others) = (Layers::new(), Layers::over(1));
    let above = above(&layers);
    for (keys, complete, elements) in [(&layers.keys, true, 1), (&others.keys, false, 4)] {
        let proven = layers.prove(3, keys, complete);
        let inputs = inputs_above(&above, &layers, &proven, &layers.keys);
        let lie = hearing(&proven.statement.publics(), 4..8);
        is_another_value(forged(&above, &inputs, &lie), elements);
    }
}

/// Steps from a number to its sum with an offset, and layers over them.
struct Steps {
    below: Compiled,
    first: Layer<P>,
    pair: Layer<P>,
    keys: KeySet<Digest<P>>,
}

impl Steps {
    fn new() -> Self {
        let mut graph = Graph::new("step", FIELD);
        let [offset, before, after] = std::array::from_fn(|_| graph.public(ValueType::Felt));
        let one = graph.constant(1);
        let sum = graph.mul_add(before, one, offset);
        graph.assert_eq(sum, after);
        let below = Compiled::new(&graph, Form::Fused);
        let proof = below.prove(&Inputs::publics([5, 0, 5]));
        let values = StepValues::new(vec![0], vec![1], vec![2]).expect("states have one value");
        let (key, claims) = (below.verifier.key(), Claims::Steps(values));
        let first =
            Layer::over(key, proof.log_heights(), &claims, &Config::testing()).expect("a layer");
        let pair = Layer::pair(&first, &Config::testing()).expect("a layer");
        let keys = KeySet::new([&first]).expect("one key");
        Self { below, first, pair, keys }
    }

    /// What a layer needs that verifies the proof of a step, and once more the same.
    fn twice(&self, offset: u64, before: u64) -> Inputs {
        let values = [offset, before, before + offset];
        let proof = self.below.prove(&Inputs::publics(values));
        let key = self.below.verifier.key();
        let values = values.map(Goldilocks::from_u64);
        let publics: Vec<Vec<Goldilocks>> =
            key.tables().iter().map(|table| values[..table.publics].to_vec()).collect();
        let (inputs, statement) = self
            .first
            .inputs_over(key, &publics, &proof, self.keys.root(), false)
            .expect("the proof has the shape");
        let proof = self.first.prove(&inputs).expect("the proof is valid");
        let child = Child { key: self.first.key(), statement, proof: &proof };
        self.pair.inputs_above(&[child], &self.keys, true).expect("the proof has the shape").0
    }

    /// What a layer over two steps needs, whether they follow each other or not.
    fn both(first: &Inputs, second: &Inputs) -> Inputs {
        let mut both = first.clone();
        let (data, privates) = (both.data.len(), both.privates.len() - 1);
        both.data[data / 2..].clone_from_slice(&second.data[data / 2..]);
        both.privates[privates / 2..].clone_from_slice(&second.privates[privates / 2..]);
        // There are two, and the state after is the one after the second.
        both.privates[privates] = vec![0];
        both.publics[12..16].clone_from_slice(&second.publics[12..16]);
        both
    }
}

#[test]
fn a_step_starts_where_the_one_before_ends() {
    let steps = Steps::new();
    let first = steps.twice(5, 0);
    let honest = Steps::both(&first, &steps.twice(5, 5));
    steps.pair.prove(&honest).expect("the steps follow each other");
    let apart = Steps::both(&first, &steps.twice(5, 6));
    assert_eq!(violated(&steps.pair, &apart), ["/steps are linked"]);
}

#[test]
fn steps_have_their_common_values_in_common() {
    let steps = Steps::new();
    let (first, second) = (steps.twice(5, 0), steps.twice(6, 5));
    let inputs = Steps::both(&first, &second);
    let mut child: Vec<Goldilocks> =
        second.publics.iter().map(|value| Goldilocks::from_u64(value[0])).collect();
    child[16] = Goldilocks::ZERO;
    // Two private values are one slot: that they differ is what is wrong with the rows that say them.
    let [mut violated, misread] = forged(&steps.pair, &inputs, &hearing(&child, 8..16));
    violated.retain(|name| name != SAID_TWICE);
    is_another_value([violated, misread], 4);
}
