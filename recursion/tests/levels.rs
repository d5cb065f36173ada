//! What a proof is worth is the least of all that it stands on, and what it is to say comes from its verifier.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::HeightsError;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::batch::{BatchShape, ShapeError};
use chipwright_recursion::chain::Chain;
use chipwright_recursion::claims::{Claims, StepValues, joined};
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::{Child, Layer, LayerError};
use chipwright_recursion::level::InsufficientLevel;
use chipwright_recursion::tree::{Leaf, Tree};
use chipwright_tests::Square;
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

type P = Goldilocks2;

/// The cheap configuration with so many queries, and a target.
fn config(queries: usize, target: Option<u32>) -> Config {
    let mut config = Config { target, ..Config::testing() };
    config.parameters.queries = queries;
    // Lower tables prove nothing, however many queries there are.
    config.parameters.min_log_height = 5;
    config
}

/// A circuit under a configuration, with a proof of it.
fn base(queries: usize) -> (Square<P>, Proof<P>, u32) {
    let square = Square::<P>::new(&config(queries, None));
    let proof = square.prove();
    let report = proof.security(square.verifier.key()).expect("a report");
    (square, proof, report.proven_bits)
}

fn layer(below: &(Square<P>, Proof<P>, u32), config: &Config) -> Result<Layer<P>, LayerError> {
    Layer::over(below.0.verifier.key(), below.1.log_heights(), &Claims::Facts, config)
}

#[test]
fn h_05_a_key_whose_proofs_are_refused_has_no_circuit() {
    // Nothing is wrong with the proofs but that they are worth less than what their own key demands.
    let square = Square::<P>::new(&config(2, Some(100)));
    let (_, heights) = (square.prover.key(), base(2).1.log_heights().to_vec());
    let key = square.verifier.key();
    let shape = BatchShape::new(key.shape(), &heights);
    let Err(ShapeError::Heights(HeightsError::Security(error))) = &shape else {
        panic!("{shape:?}")
    };
    assert_eq!(error.required, 100);
    assert!(error.proven < 10, "{error}");
    let layer = Layer::over(key, &heights, &Claims::Facts, &Config::testing());
    assert!(matches!(layer, Err(LayerError::Shape(ShapeError::Heights(_)))));
}

#[test]
fn h_05_a_layer_over_less_than_its_target_is_refused_with_both_numbers() {
    let weak = base(2);
    for target in [weak.2 + 1, 100] {
        let error = layer(&weak, &config(40, Some(target))).expect_err("it stands on less");
        let LayerError::Level(error) = error else { panic!("{error}") };
        assert_eq!(error, InsufficientLevel { target, below: weak.2 });
        let expected =
            format!("the layer is to prove {target} bits, what it stands on proves {}", weak.2);
        assert_eq!(error.to_string(), expected);
    }
    // Trees and chains are layers.
    let (key, heights) = (weak.0.verifier.key(), weak.1.log_heights());
    let demanding = Config::proven_100().for_pairs();
    let tree = Tree::new(key, heights, Claims::Facts, &demanding).map(|_| ());
    assert!(matches!(tree, Err(LayerError::Level(_))), "{tree:?}");
    let chain = Chain::new(key, heights, &demanding, 1).map(|_| ());
    assert!(matches!(chain, Err(LayerError::Level(_))), "{chain:?}");
}

#[test]
fn h_05_a_layer_of_less_than_its_own_target_is_refused() {
    let strong = base(60);
    assert!(strong.2 > 20, "{}", strong.2);
    let error = layer(&strong, &config(2, Some(20))).expect_err("two queries are few");
    let LayerError::Shape(ShapeError::Heights(HeightsError::Security(error))) = error else {
        panic!("{error}")
    };
    assert_eq!(error.required, 20);
}

#[test]
fn h_05_what_a_layer_proves_is_the_least_of_all_below_it() {
    let (weak, strong) = (base(2), base(30));
    assert!(weak.2 < strong.2);
    let [one, many] = [config(1, None), config(30, None)];
    let level = |below, config| layer(below, config).expect("no target").level().proven;
    assert_eq!(level(&weak, &many), weak.2);
    let own = level(&strong, &one);
    assert!(own < weak.2, "{own}");
    // A weak leaf, and layers that are stronger: what is told is the leaf's, at every height.
    let first = layer(&weak, &many).expect("no target");
    let above = Layer::above(&[&first], &many).expect("no target");
    assert_eq!(above.level().proven, weak.2);
    let keys = KeySet::new([&first, &above]).expect("two keys");
    assert_eq!(keys.level().proven, weak.2);
}

#[test]
fn h_05_a_verifier_of_layers_is_told_the_least_level_and_refuses_less_than_the_target() {
    let below = base(2);
    let (key, publics) = (below.0.verifier.key(), below.0.publics());
    let tree =
        Tree::new(key, below.1.log_heights(), Claims::Facts, &config(3, None)).expect("a tree");
    let leaf = Leaf { publics: publics.clone(), proof: below.0.prove() };
    let root = tree.prove(key, &[leaf], &|_| {}).expect("the leaf is valid");
    let level =
        tree.verify(std::slice::from_ref(&publics), &root.proof).expect("the tree is valid");
    assert_eq!(level.proven, below.2);
    assert!(tree.level(1).key().security(&[12]).expect("a report").proven_bits >= below.2);

    // Layers that target what their leaf proves; below them any key of a set that has a weaker one.
    let target = config(3, Some(below.2));
    let first = layer(&below, &target).expect("the target is reached");
    let above = Layer::above(&[&first], &target).expect("the target is reached");
    let weak = layer(&base(1), &config(3, None)).expect("no target");
    assert!(weak.level().proven < below.2);
    let expected = Chain::<P>::expected(&publics).expect("facts");
    let weaker = KeySet::new([&first, &weak]).expect("two keys");
    let verdict = above.verify(&weaker, expected, &root.proof);
    let Err(LayerError::Level(error)) = verdict else { panic!("{verdict:?}") };
    assert_eq!(error, InsufficientLevel { target: below.2, below: weak.level().proven });
    let keys = KeySet::new([&first]).expect("one key");
    let verdict = above.verify(&keys, expected, &root.proof);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
}

#[test]
fn h_11_a_layer_is_verified_against_what_its_verifier_knows() {
    let below = base(2);
    let (key, publics) = (below.0.verifier.key(), below.0.publics());
    let chain = Chain::new(key, below.1.log_heights(), &Config::testing(), 2).expect("layers");
    for count in [1, 2] {
        let (said, proof) = chain.prove(key, &publics, &below.1, count).expect("it is valid");
        let level = chain.verify(&publics, count, &proof).expect("what was proven");
        assert_eq!(level, chain.layer(count).level());
        // What the proof says is the same, and does not matter: other values are not what it proves.
        let expected = Chain::<P>::expected(&publics).expect("facts");
        assert_eq!(said.claim, expected.claim());
        let mut others = publics.clone();
        *others.iter_mut().flatten().next().expect("a public value") += Goldilocks::ONE;
        let verdict = chain.verify(&others, count, &proof);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
        // Another set of keys than the one that the layers were proven with.
        let keys = KeySet::new([chain.layer(1)]).expect("one key");
        let verdict = chain.layer(count).verify(&keys, expected, &proof);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
        let verdict = chain.layer(count).verify_incomplete(chain.keys(), expected, &proof);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    }
}

#[test]
fn layers_of_different_claims_and_other_numbers_of_proofs_are_refused() {
    let below = base(2);
    let (key, publics) = (below.0.verifier.key(), below.0.publics());
    let config = Config::testing();
    let facts = layer(&below, &config).expect("a layer");
    let values = StepValues::new(Vec::new(), vec![0], vec![0]).expect("states have one value");
    let claims = Claims::Steps(values);
    let steps = Layer::over(key, below.1.log_heights(), &claims, &config).expect("a layer");
    let mixed = Layer::above(&[&facts, &steps], &config);
    assert!(matches!(mixed, Err(LayerError::Mixed)));
    let none = Layer::<P>::above(&[], &config);
    assert!(matches!(none, Err(LayerError::Children { expected: 1, got: 0 })));
    assert!(matches!(joined::<P>(&[]), Err(LayerError::Children { expected: 1, got: 0 })));

    // A layer over one layer takes one proof, and none of what is below the first layer; the first takes no layers.
    let above = Layer::above(&[&facts], &config).expect("a layer");
    let keys = KeySet::new([&facts]).expect("one key");
    let (inputs, statement) = facts
        .inputs_over(key, &publics, &below.1, keys.root(), false)
        .expect("the proof has the shape");
    let proof = facts.prove(&inputs).expect("the proof is valid");
    let child = || Child { key: facts.key(), statement, proof: &proof };
    let refused = |layer: &Layer<P>, children: &[Child<'_, P>]| {
        layer.inputs_above(children, &keys, true).map(|_| ()).expect_err("another number")
    };
    let error = refused(&above, &[]);
    assert!(matches!(error, LayerError::Children { expected: 1, got: 0 }), "{error}");
    let error = refused(&above, &[child(), child()]);
    assert!(matches!(error, LayerError::Children { expected: 1, got: 2 }), "{error}");
    let error = refused(&facts, &[child()]);
    assert!(matches!(error, LayerError::Children { expected: 0, got: 1 }), "{error}");
    let refused = above.inputs_over(key, &publics, &below.1, keys.root(), true).map(|_| ());
    assert!(matches!(refused, Err(LayerError::Children { expected: 1, got: 0 })), "{refused:?}");
    // Public values of other tables, or too few of them.
    for publics in [vec![], vec![Vec::new(); publics.len()]] {
        let refused = facts.inputs_over(key, &publics, &below.1, keys.root(), true).map(|_| ());
        assert!(matches!(refused, Err(LayerError::Witness(_))), "{refused:?}");
    }
}
