//! Runs are proven shard by shard, and verified by the program's key.

use std::sync::LazyLock;

use chipwright_backend_stark::config::Config;
use chipwright_mips::prove::{CoreProof, MipsProver, Options};
use chipwright_mips::{Input, Program};
use chipwright_mips_isa::{A0, A1, Assembler, S0, S1, T0, T1, T2, V0, ZERO};

static PROVER: LazyLock<MipsProver> =
    LazyLock::new(|| MipsProver::new(Config::testing()).expect("the chips fit together"));

/// Sums an array, and commits to the sum.
fn program() -> Program {
    let mut asm = Assembler::new();
    asm.routine("main");
    asm.li(S0, 0x2000);
    asm.addiu(S1, S0, 40);
    asm.addu(T0, ZERO, ZERO);
    let next = asm.here();
    asm.lw(T1, 0, S0);
    asm.addu(T0, T0, T1);
    asm.sll(T2, T0, 3);
    asm.xor(T0, T0, T2);
    asm.addiu(S0, S0, 4);
    asm.bne(S0, S1, next);
    asm.sw(T0, -4, S0);
    asm.li(A0, 2);
    asm.addu(A1, T0, ZERO);
    asm.li(V0, 0x10);
    asm.syscall(0);
    asm.li(A0, 9);
    asm.li(V0, 0);
    asm.syscall(0);
    let code = asm.finish(0x1000).expect("labels have places");
    Program::assembled(&code, (0x2000, &[3, 1, 4, 1, 5, 9, 2, 6, 5, 3])).expect("it is sound")
}

fn proven(shard: u64) -> CoreProof {
    let options = Options { shard, ..Options::default() };
    PROVER.prove_core(&program(), &Input::default(), &options).expect("the run is proven")
}

#[test]
fn m_04_a_run_is_proven_in_shards_of_any_length() {
    let key = PROVER.setup(&program());
    let whole = PROVER.verify_core(&key, &proven(u64::MAX >> 1)).expect("one shard");
    assert_eq!((whole.exit_code, whole.committed.iter().flatten().count()), (9, 1));
    for shard in [40, 17] {
        let proof = proven(shard);
        assert_eq!(proof.shards.len() as u64, whole.instructions.div_ceil(shard));
        let proof = CoreProof::from_bytes(&proof.to_bytes()).expect("it reads back");
        assert_eq!(PROVER.verify_core(&key, &proof).expect("all shards"), whole);
    }
}
