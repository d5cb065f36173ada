//! Rows that a malicious prover would like to have.
//!
//! Each case is a row with some cells forged, and everything that follows from them: one rule, or one table, objects and
//! nothing else does.

use chipwright_dsl::{Cells, Field, Schema};
use chipwright_mips::machine::bus::register;
use chipwright_mips::machine::program::{Decode, decode, power, power_entry};
use chipwright_mips_isa::{A0, A1, Assembler, Instruction, Label, RA, V0, ZERO};

use crate::DATA;
use crate::single::{Single, alone, chips_of, instruction};

/// Emits an instruction.
type Emit = fn(&mut Assembler);

const MIN: u32 = 0x8000_0000;
const MAX: u32 = 0x7fff_ffff;
const WORD: i128 = 1 << 32;
const INVERSE: &str = "or has an inverse";

#[test]
fn carries_are_those_of_the_sum() {
    let sum = Single::of(|asm| asm.addu(V0, A0, A1), [5, 7]);
    sum.refuses(&[("carry", 1)], "u16");
    let wrapped = Single::of(|asm| asm.addu(V0, A0, A1), [u32::MAX, 1]);
    wrapped.refuses(&[("carry", 0)], "u16");
    let difference = Single::of(|asm| asm.subu(V0, A0, A1), [5, 7]);
    difference.refuses(&[("carry", 0)], "u16");
    let constant = Single::of(|asm| asm.addiu(V0, A0, -1), [5, 0]);
    constant.refuses(&[("carry", 0)], "u16");
}

#[test]
fn m_14_an_overflow_has_no_proof() {
    let sums: [(Emit, [u32; 2]); 5] = [
        (|asm| asm.add(V0, A0, A1), [MAX, 1]),
        (|asm| asm.add(V0, A0, A1), [MIN, u32::MAX]),
        (|asm| asm.sub(V0, A0, A1), [MIN, 1]),
        (|asm| asm.sub(V0, A0, A1), [0, MIN]),
        (|asm| asm.addi(V0, A0, 1), [MAX, 0]),
    ];
    for (emit, operands) in sums {
        let (rows, executed) = chips_of(instruction(emit), operands, |_| {});
        assert!(!executed, "it overflows");
        rows[0].is_refused("u16");
        // Nor if an operand or the result has another sign.
        for cell in ["negative[0]", "negative[1]", "below"] {
            for value in [0, 1] {
                assert!(!rows[0].objections(&[(cell, value)]).is_empty(), "{cell} = {value}");
            }
        }
    }
    let sound = Single::of(|asm| asm.add(V0, A0, A1), [5, u32::MAX]);
    sound.refuses(&[("negative[1]", 0)], "u16");
    sound.refuses(&[("below", 1)], "u16");
}

#[test]
fn conjunctions_are_those_of_the_table() {
    let xor = Single::of(|asm| asm.xor(V0, A0, A1), [0x0f0f_0f0f, 0x00ff_00ff]);
    xor.refuses(&[("and[0]", 0)], "table");
    // The operand as other numbers than bytes.
    xor.refuses(&[("x[0]", 0x0f0f), ("x[1]", 0)], "table");
}

#[test]
fn comparisons_have_one_answer() {
    let less = Single::of(|asm| asm.slt(V0, A0, A1), [MIN, 1]);
    less.refuses(&[("less", 0)], "u16");
    less.refuses(&[("negative[0]", 0)], "u16");
    let unsigned = Single::of(|asm| asm.sltu(V0, A0, A1), [MIN, 1]);
    unsigned.refuses(&[("less", 1)], "u16");
    unsigned.refuses(&[("negative[0]", 1)], "u16");
}

#[test]
fn m_17_a_branch_is_taken_if_and_only_if_its_condition_holds() {
    let equal = Single::of(|asm| asm.push(branch(|asm, to| asm.beq(ZERO, ZERO, to))), [0, 0]);
    equal.refuses(&[("taken", 0)], "others have one");
    let unequal = Single::of(|asm| asm.push(branch(|asm, to| asm.beq(A0, A1, to))), [1, 2]);
    unequal.refuses(&[("taken", 1), ("inverse", 0)], "equal operands have no difference");
    let bne = Single::of(|asm| asm.push(branch(|asm, to| asm.bne(A0, A1, to))), [1, 2]);
    bne.refuses(&[("taken", 0), ("inverse", 0)], "equal operands have no difference");

    let bltz = Single::of(|asm| asm.push(branch(|asm, to| asm.bltz(A0, to))), [MIN, 0]);
    bltz.refuses(&[("negative", 0)], "u16");
    let bgez = Single::of(|asm| asm.push(branch(|asm, to| asm.bgez(A0, to))), [5, 0]);
    bgez.refuses(&[("negative", 1)], "u16");
    let blez = Single::of(|asm| asm.push(branch(|asm, to| asm.blez(A0, to))), [0, 0]);
    blez.refuses(&[("zero", 0)], INVERSE);
    let bgtz = Single::of(|asm| asm.push(branch(|asm, to| asm.bgtz(A0, to))), [5, 0]);
    bgtz.refuses(&[("zero", 1), ("inverse", 0)], "what counts as zero is");
    // Zero does not count for `bltz`.
    let bltz = Single::of(|asm| asm.push(branch(|asm, to| asm.bltz(A0, to))), [0, 0]);
    bltz.refuses(&[("zero", 1)], INVERSE);

    let beql = Single::of(|asm| asm.push(branch(|asm, to| asm.beql(A0, A1, to))), [3, 3]);
    beql.refuses(&[("equal", 0)], "others have one");
    beql.refuses(&[("taken", 0)], "taken");
    let bgezal = Single::of(|asm| asm.push(branch(|asm, to| asm.bgezal(A0, to))), [MIN, 0]);
    bgezal.refuses(&[("negative", 0)], "u16");
}

/// A branch two instructions further.
fn branch(emit: impl FnOnce(&mut Assembler, Label)) -> Instruction {
    instruction(|asm| {
        let label = asm.label();
        emit(asm, label);
        asm.nop();
        asm.nop();
        asm.place(label);
    })
}

#[test]
fn m_17_a_branch_in_a_delay_slot_has_no_proof() {
    // The state that is taken goes on at `pc + 4`, whatever the cells are.
    let single = Single::of(|asm| asm.push(branch(|asm, to| asm.bltz(A0, to))), [MIN, 0]);
    let taken = single.messages("state", &[]).into_iter().find(|(_, balance)| *balance < 0);
    let (state, _) = taken.expect("a state is taken");
    assert_eq!(state[2], state[1] + 4);
}

#[test]
fn traps_that_would_trap_have_no_proof() {
    let traps: [(Emit, [u32; 2], &str); 12] = [
        (|asm| asm.teq(A0, A1, 7), [3, 3], "the numbers differ"),
        (|asm| asm.teqi(A0, -1), [u32::MAX, 0], "the numbers differ"),
        (|asm| asm.tne(A0, A1, 7), [4, 3], "equal numbers have no difference"),
        (|asm| asm.tnei(A0, 3), [4, 0], "equal numbers have no difference"),
        (|asm| asm.tge(A0, A1, 7), [4, 4], "u16"),
        (|asm| asm.tge(A0, A1, 7), [4, MIN], "u16"),
        (|asm| asm.tgeu(A0, A1, 7), [MIN, 4], "u16"),
        (|asm| asm.tlt(A0, A1, 7), [MIN, 4], "u16"),
        (|asm| asm.tltu(A0, A1, 7), [4, MIN], "u16"),
        (|asm| asm.tgeiu(A0, -1), [u32::MAX, 0], "u16"),
        (|asm| asm.tlti(A0, 0), [MIN, 0], "u16"),
        (|asm| asm.tltiu(A0, -1), [5, 0], "u16"),
    ];
    for (emit, operands, culprit) in traps {
        let (rows, executed) = chips_of(instruction(emit), operands, |_| {});
        assert!(!executed, "it traps");
        rows[0].is_refused(culprit);
    }
}

#[test]
fn bytes_and_halves_have_their_signs() {
    let lb = Single::of(|asm| asm.lb(V0, 6, A0), [DATA, 0]);
    lb.refuses(&[("negative", 0)], "table");
    let lbu = Single::of(|asm| asm.lbu(V0, 6, A0), [DATA, 0]);
    lbu.refuses(&[("negative", 1)], "table");
    let lh = Single::of(|asm| asm.lh(V0, 6, A0), [DATA, 0]);
    lh.refuses(&[("negative", 0)], "u16");
    let lhu = Single::of(|asm| asm.lhu(V0, 6, A0), [DATA, 0]);
    lhu.refuses(&[("negative", 1)], "without a sign nothing is negative");
    let seb = Single::of(|asm| asm.seb(V0, A0), [0x180, 0]);
    seb.refuses(&[("negative", 0)], "table");
    let seh = Single::of(|asm| asm.seh(V0, A0), [0x7fff, 0]);
    seh.refuses(&[("negative", 1)], "table");
}

#[test]
fn parts_of_words_are_bounded() {
    // The other byte has what belongs to this one.
    let lb = Single::of(|asm| asm.lbu(V0, 1, A0), [DATA, 0]);
    lb.refuses(&[("byte", 0x20), ("rest.other", 0x110)], "u8");
    let sb = Single::of(|asm| asm.sb(A1, 1, A0), [DATA, 0x1234_5678]);
    sb.refuses(&[("stored", 0x77), ("above", 0x3456)], "u8");
    let sh = Single::of(|asm| asm.sh(A1, 2, A0), [DATA, 0x1234_5678]);
    sh.refuses(&[("stored", 0x5677)], "u16");
}

/// The addresses that a row takes from the bus of registers and memory and that are no registers.
fn taken(single: &Single, forged: &[(&str, i128)]) -> Vec<u64> {
    assert!(single.objections(forged).is_empty(), "{:?}", single.report(forged));
    let messages = single.messages("memory", forged).into_iter();
    let taken = messages.filter(|(_, balance)| *balance < 0).map(|(tuple, _)| tuple[0]);
    taken.filter(|&address| !(register(0)..=register(63)).contains(&address)).collect()
}

#[test]
fn m_16_an_address_that_is_not_the_effective_one_is_nowhere() {
    // What the row itself does not refuse: it takes from where nothing is.
    let sealed = 1 << 32..3 << 32;
    for (emit, cell) in [
        ((|asm| asm.lw(V0, 4, A0)) as Emit, "carry"),
        (|asm| asm.sw(A1, 4, A0), "carry"),
        (|asm| asm.lb(V0, 4, A0), "carry"),
        (|asm| asm.sh(A1, 4, A0), "carry"),
        (|asm| asm.swl(A1, 4, A0), "carry"),
        (|asm| asm.ll(A1, 4, A0), "carry"),
    ] {
        let single = Single::of(emit, [DATA, 0]);
        let [address] = taken(&single, &[(cell, 1)])[..] else { panic!("one address") };
        assert!(address >= 4 << 32, "{address:#x} is below zero");
    }
    for (emit, cell) in [
        ((|asm| asm.lw(V0, -4, A0)) as Emit, "carry"),
        (|asm| asm.sb(A1, -4, A0), "carry"),
        (|asm| asm.lwr(A1, -4, A0), "carry"),
    ] {
        let single = Single::of(emit, [DATA + 8, 0]);
        let [address] = taken(&single, &[(cell, 0)])[..] else { panic!("one address") };
        assert!(sealed.contains(&address), "{address:#x} is in no part of memory");
    }
    for (emit, lanes) in [
        ((|asm| asm.lb(V0, 1, A0)) as Emit, [("lane[0]", 0), ("lane[1]", 0)]),
        (|asm| asm.lb(V0, 1, A0), [("lane[0]", 1), ("lane[1]", 1)]),
        (|asm| asm.sb(A1, 2, A0), [("lane[0]", 1), ("lane[1]", 0)]),
        (|asm| asm.lwl(A1, 3, A0), [("lane[0]", 0), ("lane[1]", 1)]),
        (|asm| asm.swr(A1, 0, A0), [("lane[0]", 1), ("lane[1]", 1)]),
    ] {
        let single = Single::of(emit, [DATA, 0]);
        let [address] = taken(&single, &lanes)[..] else { panic!("one address") };
        assert_ne!(address % 4, 0, "{address:#x} is not aligned");
    }
}

#[test]
fn unaligned_words_and_halves_have_no_proof() {
    for emit in
        [(|asm| asm.lh(V0, 1, A0)) as Emit, |asm| asm.lhu(V0, 3, A0), |asm| asm.sh(A1, 1, A0)]
    {
        let (rows, executed) = chips_of(instruction(emit), [DATA, 0], |_| {});
        assert!(!executed, "it is not aligned");
        for lane in [0, 1] {
            let [address] = taken(&rows[0], &[("lane", lane)])[..] else { panic!("one address") };
            assert_ne!(address % 4, 0, "{address:#x} is not aligned");
        }
    }
    for emit in [(|asm| asm.lw(V0, 2, A0)) as Emit, |asm| asm.sw(A1, 1, A0)] {
        let (rows, executed) = chips_of(instruction(emit), [DATA, 0], |_| {});
        assert!(!executed, "it is not aligned");
        let [address] = taken(&rows[0], &[])[..] else { panic!("one address") };
        assert_ne!(address % 4, 0, "{address:#x} is not aligned");
    }
}

#[test]
fn unaligned_parts_are_those_of_the_table() {
    let lwl = Single::of(|asm| asm.lwl(A1, 1, A0), [DATA, 0xaabb_ccdd]);
    lwl.refuses(&[("result", 0x2110_cccc)], "bytes of both");
}

#[test]
fn a_store_is_conditional_on_its_link() {
    let linked = Single::after(|asm| asm.sc(A1, 0, A0), [DATA, 7], |state| state.link = DATA + 1);
    linked.refuses(&[("linked", 0)], "or another one");
    let other = Single::after(|asm| asm.sc(A1, 0, A0), [DATA, 7], |state| state.link = DATA + 5);
    other.refuses(&[("linked", 1), ("inverse", 0)], "what is linked is this address");
    let none = Single::of(|asm| asm.sc(A1, 0, A0), [DATA, 7]);
    none.refuses(&[("linked", 1), ("inverse", 0)], "what is linked is this address");
}

#[test]
fn shifts_are_cut_in_one_way() {
    let sll = Single::of(|asm| asm.sll(V0, A0, 4), [0x1234_5678, 0]);
    sll.refuses(&[("product.low[0]", 0x6780 + (1 << 16)), ("product.low[1]", 0x2344)], "u16");
    // The product and the modulus: 2^64 − 2^32 + 1 more.
    let alias = [
        ("product.low[0]", 0x6781),
        ("product.low[1]", 0x2345),
        ("product.high", 0),
        ("product.top", (3 << 13) + (1 << 16)),
    ];
    sll.refuses(&alias, "u16");
    let sra = Single::of(|asm| asm.sra(V0, A0, 4), [0x9234_5678, 0]);
    sra.refuses(&[("negative", 0)], "u16");
    let sllv = Single::of(|asm| asm.sllv(V0, A1, A0), [0x0123_4565, 9]);
    sllv.refuses(&[("amount", 6), ("factor", 64)], "u16");
    // An amount that is congruent, but no amount.
    sllv.refuses(&[("amount", 37), ("factor", 1 << 37)], "powers");
    sllv.refuses(&[("factor", 1)], "powers");
    let srav = Single::of(|asm| asm.srav(V0, A1, A0), [4, MIN]);
    srav.refuses(&[("negative", 0)], "u16");
    let srlv = Single::of(|asm| asm.srlv(V0, A1, A0), [4, MIN]);
    srlv.refuses(&[("negative", 1)], "u16");
}

#[test]
fn m_15_products_below_the_modulus_have_no_alias() {
    let mul = Single::of(|asm| asm.mul(V0, A0, A1), [3, 5]);
    // 15 + p = 2^32·(2^32 − 1) + 16.
    mul.refuses(&[("high", WORD - 1)], "the product is below the modulus");
    let largest = Single::of(|asm| asm.mul(V0, A0, A1), [u32::MAX, u32::MAX]);
    // −2^32 is congruent to the product: the upper half would be −1.
    largest.refuses(&[("high", -1)], "u16");
    let multu = Single::of(|asm| asm.multu(A0, A1), [3, 5]);
    multu.refuses(&[("high", WORD - 1)], "the product is below the modulus");
    let mult = Single::of(|asm| asm.mult(A0, A1), [u32::MAX, 1]);
    mult.refuses(&[("negative[0]", 0)], "u16");
    mult.refuses(&[("carry[1]", 0)], "u16");
    let maddu = Single::after(|asm| asm.maddu(A0, A1), [1, 1], |state| state.lo = u32::MAX);
    maddu.refuses(&[("carry[0]", 0)], "u16");
    // A lower half that is larger by one.
    let fraction = -inverse_of_word();
    let forged = [("carry[0]", 1 + fraction), ("carry[1]", 1)];
    maddu.refuses(&forged, "a carry is −1, 0 or 1");
}

/// `2^−32` in the field.
fn inverse_of_word() -> i128 {
    // 2^64 = 2^32 − 1, so 2^32·(1 − 2^32) = 2^32 − 2^64 = 1.
    1 - WORD
}

#[test]
fn m_15_quotients_are_largest_and_remainders_least() {
    let divu = Single::of(|asm| asm.divu(A0, A1), [7, 2]);
    divu.refuses(&[("quotient", 2), ("remainder", 3)], "u16");
    divu.refuses(&[("quotient", 4), ("remainder", -1)], "u16");
    // x + 2^32·(2^32 − 1) = x − 1 + p.
    let alias = Single::of(|asm| asm.divu(A0, A1), [9, u32::MAX]);
    let forged = [("quotient", -WORD), ("remainder", 8), ("quotient_wraps", 1)];
    alias.refuses(&forged, "without a sign, it is the magnitude");

    let div = Single::of(|asm| asm.div(A0, A1), [7_u32.wrapping_neg(), 2]);
    div.refuses(&[("negative[0]", 0)], "u16");
    div.refuses(&[("quotient_wraps", 0)], "u16");
    div.refuses(&[("remainder_wraps", 0)], "u16");
    div.refuses(&[("quotient", 4), ("remainder", -1)], "u16");
    let least = Single::of(|asm| asm.div(A0, A1), [MIN, u32::MAX]);
    least.refuses(&[("negative[1]", 0)], "u16");
}

#[test]
fn m_15_a_division_by_zero_has_no_proof() {
    let (a, b) = (7, 2);
    for signed in [false, true] {
        let emit = |asm: &mut Assembler| if signed { asm.div(A0, A1) } else { asm.divu(A0, A1) };
        let single = Single::of(emit, [a, b]);
        for (quotient, remainder) in [(0, 7), (WORD - 1, 7), (1, 7), (0, 0)] {
            let forged = [("second.value", 0), ("quotient", quotient), ("remainder", remainder)];
            assert!(single.objections(&forged).contains("u16"));
        }
    }
}

#[test]
fn bits_are_counted_as_they_are() {
    let clz = Single::of(|asm| asm.clz(V0, A0), [0x1234, 0]);
    let entry = |count| power_entry(power::COUNT, count, 0).expect("an entry");
    for count in [18, 20, 32] {
        let (low, high) = entry(count);
        let forged =
            [("count", count.into()), ("bounds[0]", low.into()), ("bounds[1]", high.into())];
        clz.refuses(&forged, "u16");
    }
    clz.refuses(&[("count", 20)], "powers");
}

#[test]
fn fields_of_bits_are_cut_in_one_way() {
    let ext = Single::of(|asm| asm.ext(V0, A0, 4, 8), [0x1234_5678, 0]);
    ext.refuses(&[("rotated[0]", 0x68), ("inserted[0]", 0x68)], "rotated");
    ext.refuses(&[("inserted[0]", 0x66)], "table");
    assert_eq!(power_entry(power::EXTRACT, 4, 28), None, "a field beyond the word");
    assert_eq!(power_entry(power::INSERT, 4, 3), None, "a field of a negative size");
}

#[test]
fn a_move_depends_on_its_condition() {
    let stays = Single::of(|asm| asm.movz(V0, A0, A1), [1, 2]);
    stays.refuses(&[("moved", 1), ("inverse", 0)], "what counts as zero is");
    let moves = Single::of(|asm| asm.movz(V0, A0, A1), [1, 0]);
    moves.refuses(&[("moved", 0)], INVERSE);
}

#[test]
fn time_grows() {
    for emit in [
        (|asm| asm.addu(V0, A0, A1)) as Emit,
        |asm| asm.lbu(V0, 0, A0),
        |asm| asm.sc(V0, 0, A0),
        |asm| asm.mul(V0, A0, A1),
    ] {
        let single = Single::of(emit, [DATA, DATA]);
        // What is read now is left later.
        single.refuses(&[("first.elapsed", -8)], "u16");
    }
    let load = Single::of(|asm| asm.lbu(V0, 0, A0), [DATA, DATA]);
    load.refuses(&[("since[0]", -8)], "u16");
    let product = Single::of(|asm| asm.mult(A0, A1), [3, 4]);
    product.refuses(&[("hi.elapsed", -8)], "u16");
}

#[test]
fn m_17_a_link_to_the_register_that_is_read_has_no_proof() {
    let jalr = instruction(|asm| asm.jalr(A0, A0));
    let label = branch(|asm, to| asm.bgezal(RA, to));
    for unpredictable in [jalr, label] {
        assert!(unpredictable.is_unpredictable());
        let record = decode(0x1000, &unpredictable).expect("its word is that of an opcode");
        let mut row = Vec::new();
        let mut cells = Cells::new(Field::Goldilocks2, &mut row);
        Decode::store(&record, &mut cells);
        let single = Single { chip: "decode".to_owned(), row };
        assert!(alone("decode").position("decode").is_some());
        single
            .is_refused("the target is not the register that is read, where that is unpredictable");
        assert!(!single.objections(&[("apart", 1)]).is_empty());
    }
}
