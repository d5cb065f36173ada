//! A small virtual machine on `recursion::shard`: proven in shards of two kinds, verified, and made one proof.

// The chips of the machine explain themselves.
#![allow(missing_docs)]

mod chain;
mod circuit;
mod tree;
pub mod vm;

use std::sync::LazyLock;

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::shard::{Menu, ProvenShard, ShardTree, VirtualMachine};
use vm::{Instruction, Loaded, Op, StackMachine, State};

/// Multiplies one by three, as often as the top of the stack says.
const PROGRAM: [Instruction; 10] = [
    (Op::Push, 1),
    (Op::Swap, 0),
    (Op::Swap, 0),
    (Op::Push, 3),
    (Op::Mul, 0),
    (Op::Swap, 0),
    (Op::Push, 1),
    (Op::Sub, 0),
    (Op::Dup, 0),
    (Op::Jump, 2),
];

/// Does the same, but is another program: nobody reads the argument of its second instruction.
const OTHER: [Instruction; 10] = {
    let mut program = PROGRAM;
    program[1] = (Op::Swap, 1);
    program
};

/// The keys of all shards.
static MENU: LazyLock<Menu<'static, StackMachine>> = LazyLock::new(|| {
    Menu::new(&StackMachine, &Config::testing()).expect("a menu").with_in_flight(2)
});

/// The circuits over them.
static TREE: LazyLock<ShardTree<Goldilocks2>> =
    LazyLock::new(|| MENU.tree(&Config::testing()).expect("a tree"));

/// 530 cycles: four long shards, and a short one.
static RUN: LazyLock<Run> = LazyLock::new(|| Run::new(&PROGRAM, 66));

/// A run with its proofs.
struct Run {
    common: Loaded,
    shards: Vec<ProvenShard<StackMachine>>,
}

impl Run {
    fn new(program: &[Instruction], times: u64) -> Self {
        let start = State { pc: 0, stack: [times, 0, 0, 0] };
        let common = StackMachine.common(program, &start);
        let shards = MENU.prove(program, &start, &()).expect("the run is proven");
        Self { common, shards }
    }

    fn first(&self) -> &State {
        &self.shards[0].before
    }

    fn last(&self) -> &State {
        &self.shards[self.shards.len() - 1].after
    }
}

/// The same proof.
fn copy(shard: &ProvenShard<StackMachine>) -> ProvenShard<StackMachine> {
    let ProvenShard { kind, before, after, proof } = shard;
    let key = MENU.kind(*kind).expect("a kind of the menu").key();
    let proof = Proof::from_bytes(key, &proof.to_bytes()).expect("a proof is read back");
    ProvenShard { kind: *kind, before: before.clone(), after: after.clone(), proof }
}

/// Some shards of a run, by their numbers.
fn pick(run: &Run, numbers: &[usize]) -> Vec<ProvenShard<StackMachine>> {
    numbers.iter().map(|&number| copy(&run.shards[number])).collect()
}
