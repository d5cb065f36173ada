//! What a permutation is not: a hash of elements that anybody may choose.

use chipwright_chips::library;
use chipwright_chips::recursion::{Leaf, RowKind, RowSpec, Script};
use chipwright_ir::Field;
use chipwright_ir::audit::Rng;
use chipwright_ir::circuit::{
    ChipCall, ChipLibrary, Environment, Form, Graph, Inputs, ValueType, lower_to_slots,
    lower_to_tables,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{check, fill};
use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL, GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL,
    GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL, GOLDILOCKS_POSEIDON2_RC_16_INTERNAL, Goldilocks,
    MATRIX_DIAG_8_GOLDILOCKS, MATRIX_DIAG_16_GOLDILOCKS, default_goldilocks_poseidon2_8,
    default_goldilocks_poseidon2_16,
};
use p3_symmetric::Permutation;

use crate::forging::Run;

const FIELD: Field = Field::Goldilocks2;
const P: u64 = Goldilocks::ORDER_U64;

/// A permutation by its constants, to be undone.
struct Poseidon2<const W: usize> {
    initial: [[Goldilocks; W]; 4],
    partial: [Goldilocks; 22],
    terminal: [[Goldilocks; W]; 4],
    diagonal: [Goldilocks; W],
}

fn width_8() -> Poseidon2<8> {
    Poseidon2 {
        initial: GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
        partial: GOLDILOCKS_POSEIDON2_RC_8_INTERNAL,
        terminal: GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL,
        diagonal: MATRIX_DIAG_8_GOLDILOCKS,
    }
}

fn width_16() -> Poseidon2<16> {
    Poseidon2 {
        initial: GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL,
        partial: GOLDILOCKS_POSEIDON2_RC_16_INTERNAL,
        terminal: GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL,
        diagonal: MATRIX_DIAG_16_GOLDILOCKS,
    }
}

/// The layer of full rounds: `circ(2, 3, 1, 1)` on each block, and the sum of all blocks added to each.
fn external<const W: usize>(state: [Goldilocks; W]) -> [Goldilocks; W] {
    let mixed: [Goldilocks; W] = std::array::from_fn(|i| {
        let at = |offset: usize| state[i / 4 * 4 + (i + offset) % 4];
        at(0).double() + at(1).double() + at(1) + at(2) + at(3)
    });
    let sum = |i: usize| -> Goldilocks { mixed.iter().skip(i % 4).step_by(4).copied().sum() };
    std::array::from_fn(|i| mixed[i] + sum(i))
}

/// The state that a linear layer makes `image` of.
fn solve<const W: usize>(
    layer: impl Fn([Goldilocks; W]) -> [Goldilocks; W],
    image: [Goldilocks; W],
) -> [Goldilocks; W] {
    let columns: [[Goldilocks; W]; W] =
        std::array::from_fn(|i| layer(std::array::from_fn(|k| Goldilocks::from_bool(k == i))));
    let mut rows: Vec<Vec<Goldilocks>> = (0..W)
        .map(|i| columns.iter().map(|column| column[i]).chain([image[i]]).collect())
        .collect();
    for pivot in 0..W {
        let found = (pivot..W).find(|&row| !rows[row][pivot].is_zero());
        rows.swap(pivot, found.expect("the layer can be undone"));
        let scale = rows[pivot][pivot].inverse();
        rows[pivot].iter_mut().for_each(|cell| *cell *= scale);
        let pivot_row = rows[pivot].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(row, _)| *row != pivot) {
            let factor = row[pivot];
            row.iter_mut().zip(&pivot_row).for_each(|(cell, &other)| *cell -= factor * other);
        }
    }
    std::array::from_fn(|i| rows[i][W])
}

/// The seventh root: to the power of the inverse of 7 modulo the order of the group.
fn seventh_root(x: Goldilocks) -> Goldilocks {
    let order = u128::from(P - 1);
    let multiple = (1..=7).map(|k| k * order + 1).find(|multiple| multiple % 7 == 0);
    x.exp_u64((multiple.expect("7 is prime to the order") / 7) as u64)
}

impl<const W: usize> Poseidon2<W> {
    fn invert(&self, after: [Goldilocks; W]) -> [Goldilocks; W] {
        let full = |state: [Goldilocks; W], constants: &[Goldilocks; W]| {
            let state = solve(external, state);
            std::array::from_fn(|i| seventh_root(state[i]) - constants[i])
        };
        let internal = |state: [Goldilocks; W]| {
            let sum: Goldilocks = state.into_iter().sum();
            std::array::from_fn(|i| sum + self.diagonal[i] * state[i])
        };
        let mut state = self.terminal.iter().rev().fold(after, full);
        for &constant in self.partial.iter().rev() {
            state = solve(internal, state);
            state[0] = seventh_root(state[0]) - constant;
        }
        solve(external, self.initial.iter().rev().fold(state, full))
    }

    /// Elements whose permutation begins with a digest, and goes on as one likes.
    fn under(&self, digest: [u64; 4], other: u64) -> [u64; W] {
        let after = std::array::from_fn(|i| {
            Goldilocks::from_u64(digest.get(i).copied().unwrap_or(other + i as u64))
        });
        self.invert(after).map(|x| x.as_canonical_u64())
    }
}

const DIGEST: [u64; 4] = [1, 2, 3, 4];

fn evaluated(chip: &str, inputs: &[u64]) -> Vec<u64> {
    let mut outputs = Vec::new();
    let result = library(FIELD).evaluate(&ChipCall::new(chip), inputs, &[], &mut outputs);
    result.expect("the chip computes");
    outputs
}

#[test]
fn h_10_the_permutation_alone_has_any_digest_of_many_inputs_and_with_feed_forward_it_has_not() {
    let (one, other) = (width_16().under(DIGEST, 7), width_16().under(DIGEST, 8));
    assert_ne!(one, other);
    for elements in [one, other] {
        let native = default_goldilocks_poseidon2_16().permute(elements.map(Goldilocks::from_u64));
        assert_eq!(native[..4], DIGEST.map(Goldilocks::from_u64));
        assert_eq!(evaluated("poseidon2_16", &elements)[..4], DIGEST);
        let expected: Vec<u64> = DIGEST
            .iter()
            .zip(elements)
            .map(|(&d, x)| (Goldilocks::from_u64(d) + Goldilocks::from_u64(x)).as_canonical_u64())
            .collect();
        assert_eq!(evaluated("feed_forward_16", &elements), expected);
    }
    assert_ne!(evaluated("feed_forward_16", &one), evaluated("feed_forward_16", &other));
}

#[test]
fn h_10_a_node_of_chosen_children_is_not_any_digest() {
    let (one, other) = (width_8().under(DIGEST, 7), width_8().under(DIGEST, 8));
    for children in [one, other] {
        let native = default_goldilocks_poseidon2_8().permute(children.map(Goldilocks::from_u64));
        assert_eq!(native[..4], DIGEST.map(Goldilocks::from_u64));
        assert_ne!(evaluated("compress", &children), DIGEST);
    }
    assert_ne!(evaluated("compress", &one), evaluated("compress", &other));
}

#[test]
fn h_10_a_leaf_that_anybody_chooses_is_not_in_every_tree() {
    let children = width_8().under(DIGEST, 7);
    let library = library(FIELD);
    let mut graph = Graph::new("membership", FIELD);
    let root: Vec<_> = (0..4).map(|_| graph.public(ValueType::Felt)).collect();
    let inputs: Vec<_> = (0..5).map(|_| graph.private(ValueType::Felt)).collect();
    let call = ChipCall::new("merkle_path");
    let signature = library.signature(&call).expect("a path of one level");
    let found = graph.call(call, &signature, &inputs).outputs;
    found.into_iter().zip(root).for_each(|(found, claimed)| graph.assert_eq(found, claimed));
    let tables = lower_to_tables(lower_to_slots(&graph, Form::Fused).expect("consistent"));
    let environment = Environment { chips: &library, hints: None };
    let run = |root: &[u64]| {
        let inputs =
            Inputs::publics(root.to_vec()).with_privates(children[..4].to_vec()).with_privates([0]);
        let inputs = Inputs { data: vec![children[4..].to_vec()], ..inputs };
        tables.program.execute::<Goldilocks2>(&inputs, environment)
    };
    assert!(run(&DIGEST).is_err());
    // The root that the leaf is under, and a witness that claims the other one.
    let mut witness = run(&evaluated("compress", &children)).expect("the path leads there");
    let assembly = tables.assemble(&library).expect("the library has every chip");
    let holds = |witness: &_| {
        let trace = fill::<Goldilocks2>(&assembly.machine, &assembly.input(witness));
        check::<Goldilocks2>(&assembly.machine, &trace.expect("every cell has a value")).is_ok()
    };
    assert!(holds(&witness));
    for (slot, digest) in tables.program.publics.iter().zip(DIGEST) {
        witness.values[slot.index()] = Goldilocks::from_u64(digest).into();
    }
    assert!(!holds(&witness));
}

#[test]
fn h_10_the_hash_chip_has_no_digest_of_sixteen_chosen_elements() {
    let library = library(FIELD);
    let chosen = width_16().under(DIGEST, 7);
    // A node has four children; one of them is the digest of the row before, which would have to be chosen, too.
    let first = width_16().under([0, 1, 2, 3].map(|i| chosen[i]), 9);
    let rest = RowSpec::new(RowKind::Rest, 0);
    let node = RowSpec { end: true, ..RowSpec::new(RowKind::Parent4, 0) };
    let echo = RowSpec { written: 15, ..RowSpec::new(RowKind::Echo, 0) };
    let raw = Script { tree: 1, rows: vec![rest, node] };
    let mut run = Run::<Goldilocks2>::honest(&raw, &mut Rng::new(1));
    run.move_to(0);
    run.set_state(0, &first);
    run.set_state(1, &chosen);
    assert!(run.is_accepted(), "no rule binds a row that does nothing");
    assert_eq!(run.state_after(1)[..4], DIGEST);
    assert!(library.signature(&raw.call()).is_none());

    // A leaf and a transcript take twelve elements: the capacity is not the prover's.
    let leaf = RowSpec { leaf: Leaf::Plain, enter: true, ..RowSpec::new(RowKind::Leaf, 12) };
    let begin = RowSpec { written: 0xfff, ..RowSpec::new(RowKind::Begin, 12) };
    for row in [leaf, begin] {
        let script = Script { tree: 0, rows: vec![row, echo] };
        assert!(library.signature(&script.call()).is_some());
        let mut run = Run::<Goldilocks2>::honest(&script, &mut Rng::new(1));
        assert!(run.is_accepted());
        run.set_state(0, &chosen);
        run.refollow();
        assert_eq!(run.state_after(0)[..4], DIGEST);
        assert!(!run.is_accepted());
    }
}
