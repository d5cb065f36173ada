//! Goldilocks arithmetic, `p = 2^64 − 2^32 + 1`, in instructions that routines are made of.
//!
//! An element is two words, and any number below 2^64: it is not reduced below `p` until somebody compares it. `HI:LO`
//! does the carries: adding a word to 64 bits is one `maddu` by one. Since `2^64 = 2^32 − 1 = ε` and `2^96 = −1`, a product
//! of four words is `p1:p0 + ε·p2 − p3`, and the one overflow of that sum is again an `ε`. What happens once in 2^32 cases is
//! branched to, and is behind the routine.
//!
//! | | cycles |
//! |---|---|
//! | product | 25 |
//! | product and one or two sums | 27 or 29 |
//! | sum, difference | 11 |

use chipwright_mips_isa::{AT, Assembler, K0, K1, Register, T0, T1, T2, T3, T4, T5, T6, ZERO};

/// Holds 1 in all routines.
pub(super) const ONE: Register = K0;
/// Holds `ε = 2^32 − 1` in all routines.
pub(super) const EPSILON: Register = K1;

/// The two words of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The lower word.
    pub(super) lo: Register,
    /// The upper word.
    pub(super) hi: Register,
}

impl Pair {
    /// Two registers.
    pub(super) const fn new(lo: Register, hi: Register) -> Self {
        Self { lo, hi }
    }

    /// Loads the element at an address.
    pub(super) fn load(self, asm: &mut Assembler, offset: i16, base: Register) {
        asm.lw(self.lo, offset, base);
        asm.lw(self.hi, offset + 4, base);
    }

    /// Stores the element at an address.
    pub(super) fn store(self, asm: &mut Assembler, offset: i16, base: Register) {
        asm.sw(self.lo, offset, base);
        asm.sw(self.hi, offset + 4, base);
    }
}

/// The words of elements, the lower one of each first.
pub(super) fn words(elements: &[u64]) -> Vec<u32> {
    elements.iter().flat_map(|&element| [element as u32, (element >> 32) as u32]).collect()
}

/// Where an element is among others, in bytes.
pub(super) const fn offset(element: usize) -> i16 {
    (8 * element as u16).cast_signed()
}

/// Sets the registers that hold constants.
pub(super) fn constants(asm: &mut Assembler) {
    asm.li(ONE, 1);
    asm.li(EPSILON, u32::MAX);
}

/// `out = a·b + Σ addends`, of which there are two at most. Uses `$t0` to `$t6`.
pub(super) fn product(asm: &mut Assembler, out: Pair, a: Pair, b: Pair, addends: &[Pair]) {
    begin_product(asm, a, b);
    end_product(asm, out, a, b, addends);
}

/// The first instruction of a [`product`].
pub(super) fn begin_product(asm: &mut Assembler, a: Pair, b: Pair) {
    asm.multu(a.lo, b.lo);
}

/// The other instructions of a [`product`].
///
/// # Panics
///
/// Panics if there are more than two addends: the sums of words would have more than 64 bits.
pub(super) fn end_product(asm: &mut Assembler, out: Pair, a: Pair, b: Pair, addends: &[Pair]) {
    assert!(addends.len() <= 2, "{} addends do not fit", addends.len());
    let [p0, p1, p2, p3, carry, before, middle] = [T0, T1, T2, T3, T4, T5, T6];
    addends.iter().for_each(|addend| asm.maddu(addend.lo, ONE));
    asm.mflo(p0);
    asm.mfhi(middle);
    // 2^32 · 2^32 and all that is added fit 64 bits; the other product does not, but is too small to overflow to an
    // upper word that is not smaller.
    asm.multu(a.lo, b.hi);
    asm.maddu(middle, ONE);
    addends.iter().take(1).for_each(|addend| asm.maddu(addend.hi, ONE));
    asm.mfhi(before);
    asm.maddu(a.hi, b.lo);
    addends.iter().skip(1).for_each(|addend| asm.maddu(addend.hi, ONE));
    asm.mflo(p1);
    asm.mfhi(middle);
    asm.sltu(carry, middle, before);
    asm.multu(a.hi, b.hi);
    asm.maddu(middle, ONE);
    asm.mflo(p2);
    asm.mfhi(p3);
    asm.addu(p3, p3, carry);

    let (rare, done) = (asm.label(), asm.label());
    asm.mthi(p1);
    asm.mtlo(p0);
    asm.maddu(p2, EPSILON);
    asm.mfhi(middle);
    asm.beq(middle, ZERO, rare);
    asm.sltu(carry, middle, p1);
    asm.maddu(carry, EPSILON);
    asm.msubu(p3, ONE);
    asm.mfhi(out.hi);
    asm.mflo(out.lo);
    asm.place(done);
    // With no upper word the last difference can be negative, and then `p = 2^64 − ε` is added.
    asm.behind(move |asm| {
        asm.place(rare);
        asm.maddu(carry, EPSILON);
        asm.msubu(p3, ONE);
        asm.mfhi(out.hi);
        asm.bne(out.hi, EPSILON, done);
        asm.mflo(out.lo);
        asm.msubu(ONE, EPSILON);
        asm.mflo(out.lo);
        asm.j(done);
        asm.mfhi(out.hi);
    });
}

/// The element `HI:LO + 2^32·out.hi + 2^64·top`, where the upper words `top` and `HI` are small. `then` is an instruction
/// for the delay slot. It may be executed twice, first with the wrong element. Uses `$at`, and changes `top`.
pub(super) fn settle(
    asm: &mut Assembler,
    out: Pair,
    top: Register,
    then: impl Fn(&mut Assembler) + 'static,
) {
    let (rare, done) = (asm.label(), asm.label());
    // `2^64·top = 2^32·top − top`. If that makes `HI:LO` negative, `top` is at least one, so the sum of both is not.
    asm.msubu(top, ONE);
    asm.mflo(out.lo);
    asm.mfhi(AT);
    asm.addu(top, top, AT);
    asm.addu(out.hi, out.hi, top);
    asm.sltu(AT, out.hi, top);
    asm.bne(AT, ZERO, rare);
    then(asm);
    asm.place(done);
    asm.behind(move |asm| {
        let borrow = asm.label();
        asm.place(rare);
        asm.beq(out.lo, ZERO, borrow);
        asm.addiu(out.lo, out.lo, -1);
        asm.addiu(out.hi, out.hi, 1);
        asm.place(borrow);
        asm.j(done);
        then(asm);
    });
}

/// `out = a + b`, where `b` is below `p` and in other registers than `out`. Uses `$t0` and `$t1`.
pub(super) fn sum(asm: &mut Assembler, out: Pair, a: Pair, b: Pair) {
    let [carry, overflow] = [T0, T1];
    asm.addu(out.lo, a.lo, b.lo);
    asm.sltu(carry, out.lo, b.lo);
    asm.addu(out.hi, a.hi, b.hi);
    asm.sltu(overflow, out.hi, b.hi);
    asm.addu(out.hi, out.hi, carry);
    asm.sltu(carry, out.hi, carry);
    asm.or(overflow, overflow, carry);
    asm.sltu(carry, out.lo, overflow);
    asm.subu(out.lo, out.lo, overflow);
    asm.addu(out.hi, out.hi, overflow);
    asm.subu(out.hi, out.hi, carry);
}

/// `out = a − b`, where `b` is below `p` and in other registers than `out`. Uses `$t0` to `$t2`.
pub(super) fn difference(asm: &mut Assembler, out: Pair, a: Pair, b: Pair) {
    let [borrow, overflow, second] = [T0, T1, T2];
    asm.sltu(borrow, a.lo, b.lo);
    asm.subu(out.lo, a.lo, b.lo);
    asm.sltu(overflow, a.hi, b.hi);
    asm.subu(out.hi, a.hi, b.hi);
    asm.sltu(second, out.hi, borrow);
    asm.subu(out.hi, out.hi, borrow);
    asm.or(overflow, overflow, second);
    asm.addu(out.lo, out.lo, overflow);
    asm.sltu(borrow, out.lo, overflow);
    asm.subu(out.hi, out.hi, overflow);
    asm.addu(out.hi, out.hi, borrow);
}

#[cfg(test)]
mod tests {
    use super::super::execute::DATA;
    use super::super::routines::tests::{elements, memory_after};
    use super::*;
    use chipwright_mips_isa::{A0, T7, V0, V1};

    /// `LO`, `HI`, an upper word and `top`, settled.
    fn settled(words: [u32; 4]) -> u64 {
        let emit = |asm: &mut Assembler| {
            let (out, top) = (Pair::new(V0, V1), T7);
            asm.routine("settled");
            out.load(asm, 0, A0);
            asm.mtlo(out.lo);
            asm.mthi(out.hi);
            asm.lw(out.hi, 8, A0);
            asm.lw(top, 12, A0);
            settle(asm, out, top, Assembler::nop);
            out.store(asm, 0, A0);
            asm.ret();
            asm.nop();
        };
        elements(&memory_after("settled", emit, DATA, &words).0)[0]
    }

    #[test]
    fn carries_of_carries_are_settled() {
        const P: u128 = 0xffff_ffff_0000_0001;
        let words = [0, 1, 2, 8, 9, u32::MAX - 8, u32::MAX - 1, u32::MAX];
        for lo in words {
            for hi in [0, 1, 9] {
                for upper in words {
                    for top in [0, 1, 2, 9] {
                        let value = u128::from(lo)
                            + ((u128::from(hi) + u128::from(upper)) << 32)
                            + (u128::from(top) << 64);
                        let found = u128::from(settled([lo, hi, upper, top])) % P;
                        assert_eq!(found, value % P, "{hi}:{lo}, {upper}, {top}");
                    }
                }
            }
        }
    }
}
