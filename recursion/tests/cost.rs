//! What the steady layer costs is counted, and may not grow unseen.

use chipwright_backend_stark::config::Config;
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_recursion::batch::RecursiveField;
use chipwright_recursion::chain::Chain;
use chipwright_recursion::claims::Claims;
use chipwright_recursion::layer::Layer;
use chipwright_recursion::tree::Tree;
use chipwright_tests::Square;

/// A steady layer: permutations, permutations a query, the base-2 logarithm of the rows, main-trace and
/// preprocessed columns, cells.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    permutations: usize,
    per_query: usize,
    log_height: usize,
    main: usize,
    fixed: usize,
    cells: usize,
}

/// The counts of the level of a tree that verifies two proofs of itself.
fn steady_pair<P: RecursiveField>(config: &Config) -> Counts {
    let square = Square::<P>::new(config);
    let (key, proof) = (square.verifier.key(), square.prove());
    let tree = Tree::<P>::new(key, proof.log_heights(), Claims::Facts, &config.for_pairs())
        .expect("it can be built");
    let level = tree.height(1);
    assert!(level <= 5, "{}: the fixed point is at {level}", config.name);
    counts(tree.level(level))
}

/// The counts of the steady layer over a small circuit, whose chain reaches its fixed point by the fourth layer.
fn steady<P: RecursiveField>(config: &Config) -> Counts {
    let square = Square::<P>::new(config);
    let (key, proof) = (square.verifier.key(), square.prove());
    let chain = Chain::<P>::new(key, proof.log_heights(), &config.for_layers(), 6)
        .expect("it can be built");
    let at = chain.fixed_point_at().expect("there is a fixed point");
    assert!(at <= 4, "{}: the fixed point is at {at}", config.name);
    counts(chain.layer(at))
}

fn counts<P: RecursiveField>(layer: &Layer<P>) -> Counts {
    let cost = layer.cost().expect("the layout is that of the library");
    let layout = cost.layout.expect("layers have a layout");
    println!("{}{layout}", cost.hashes);
    assert_eq!(cost.hashes.total(), layer.permutations());
    Counts {
        permutations: cost.hashes.total(),
        per_query: layer.shapes()[0].permutations_per_query(),
        log_height: layout.log_height,
        main: layout.main,
        fixed: layout.fixed,
        cells: layout.cells,
    }
}

#[test]
fn a_steady_layer_of_the_default_fits_2_to_the_12_rows() {
    let counts = steady::<Goldilocks2>(&Config::proven_100());
    assert!(counts.per_query <= 66, "the budget is 66 permutations a query: {counts:?}");
    let expected = Counts {
        permutations: 3831,
        per_query: 60,
        log_height: 12,
        main: 197,
        fixed: 93,
        cells: 929_792,
    };
    assert_eq!(counts, expected);
}

#[test]
fn a_steady_layer_of_plonky2_s_parameters_fits_2_to_the_11_rows() {
    let expected = Counts {
        permutations: 1886,
        per_query: 57,
        log_height: 11,
        main: 205,
        fixed: 103,
        cells: 485_376,
    };
    assert_eq!(steady::<Goldilocks2>(&Config::peer_plonky2()), expected);
}

#[test]
fn a_steady_layer_of_the_parameters_of_plonky3_s_recursion_has_under_a_million_cells() {
    let expected = Counts {
        permutations: 3470,
        per_query: 61,
        log_height: 12,
        main: 197,
        fixed: 93,
        cells: 929_792,
    };
    assert_eq!(steady::<Goldilocks2>(&Config::peer_plonky3_recursion()), expected);
}

/// Over the cubic extension, layers of blowup 8 that are laid out greedily end with three hash lanes and half as many
/// rows, which is dearer.
#[test]
fn a_steady_layer_of_128_bits_is_one_hash_lane_of_2_to_the_13_rows() {
    let expected = Counts {
        permutations: 8053,
        per_query: 68,
        log_height: 13,
        main: 210,
        fixed: 94,
        cells: 2_088_960,
    };
    assert_eq!(steady::<Goldilocks3>(&Config::proven_128()), expected);
}

#[test]
fn a_steady_layer_over_koala_bear_fits_2_to_the_12_rows() {
    let expected = Counts {
        permutations: 3727,
        per_query: 53,
        log_height: 12,
        main: 284,
        fixed: 133,
        cells: 1_458_176,
    };
    assert_eq!(steady::<KoalaBear4>(&Config::proven_100_over_koala_bear()), expected);
}

#[test]
fn a_steady_pair_of_the_default_fits_2_to_the_13_rows() {
    let expected = Counts {
        permutations: 7644,
        per_query: 62,
        log_height: 13,
        main: 199,
        fixed: 96,
        cells: 1_875_968,
    };
    assert_eq!(steady_pair::<Goldilocks2>(&Config::proven_100()), expected);
}

/// With three rounds of folding it would be 4214 permutations, and twice the rows.
#[test]
fn a_steady_pair_of_plonky2_s_parameters_fits_2_to_the_12_rows() {
    let expected = Counts {
        permutations: 3894,
        per_query: 61,
        log_height: 12,
        main: 215,
        fixed: 116,
        cells: 1_011_712,
    };
    assert_eq!(steady_pair::<Goldilocks2>(&Config::peer_plonky2()), expected);
}
