//! The routines of the arithmetic of a verifier, for Goldilocks and its quadratic extension by `x² = 7`.
//!
//! Registers are used as it suits them, and none is saved: nobody but a loop calls them.

use super::goldilocks::{ONE, Pair, difference, offset, product, settle, sum};
use chipwright_mips_isa::{
    A0, A1, A2, A3, AT, Assembler, GP, Register, S0, S1, S2, S3, S4, S5, S6, S7, T0, T7, T8, T9,
    V0, V1, ZERO,
};

/// A routine of three operands. Its argument `$a0` is the address of a record: `a`, `b`, `c` and room for the result, two
/// elements each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Arithmetic {
    /// `a·b + c`
    ExtMulAdd,
    /// `a·b`
    ExtMul,
    /// `a·b + c`, where `b` is a base element.
    ScaleAdd,
    /// `a·b`, where `b` is a base element.
    Scale,
    /// `a·b + c` of base elements.
    BaseMulAdd,
    /// `a·b` of base elements.
    BaseMul,
    /// `a + b`
    ExtAdd,
    /// `a − b`
    ExtSub,
    /// `a + b` of base elements.
    BaseAdd,
    /// `a − b` of base elements.
    BaseSub,
}

impl Arithmetic {
    /// The bytes of a record.
    pub(super) const RECORD: i16 = 64;

    /// The name of the routine.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ExtMulAdd => "ext_mul_add",
            Self::ExtMul => "ext_mul",
            Self::ScaleAdd => "scale_add",
            Self::Scale => "scale",
            Self::BaseMulAdd => "base_mul_add",
            Self::BaseMul => "base_mul",
            Self::ExtAdd => "ext_add",
            Self::ExtSub => "ext_sub",
            Self::BaseAdd => "base_add",
            Self::BaseSub => "base_sub",
        }
    }

    /// Appends the routine.
    pub(super) fn emit(self, asm: &mut Assembler) {
        asm.routine(self.name());
        match self {
            Self::ExtMulAdd => ext_product(asm, true),
            Self::ExtMul => ext_product(asm, false),
            Self::ScaleAdd => scaled(asm, 2, true),
            Self::Scale => scaled(asm, 2, false),
            Self::BaseMulAdd => scaled(asm, 1, true),
            Self::BaseMul => scaled(asm, 1, false),
            Self::ExtAdd => by_coefficient(asm, 2, sum),
            Self::ExtSub => by_coefficient(asm, 2, difference),
            Self::BaseAdd => by_coefficient(asm, 1, sum),
            Self::BaseSub => by_coefficient(asm, 1, difference),
        }
    }
}

const A: [Pair; 2] = [Pair::new(S0, S1), Pair::new(S2, S3)];
const B: [Pair; 2] = [Pair::new(S4, S5), Pair::new(S6, S7)];
const C: [Pair; 2] = [Pair::new(V0, V1), Pair::new(T8, T9)];
const PARTIAL: Pair = Pair::new(A2, A3);
const SEVEN: Register = GP;

/// Where the operands and the result are in a record.
const PLACES: [i16; 4] = [0, 16, 32, 48];

/// `a0·b0 + 7·a1·b1 + c0` and `a0·b1 + a1·b0 + c1`.
fn ext_product(asm: &mut Assembler, add: bool) {
    let [a, b, c, out] = PLACES;
    for (pair, place) in [(A[1], a + 8), (B[1], b + 8)] {
        pair.load(asm, place, A0);
    }
    product(asm, PARTIAL, A[1], B[1], &[]);
    asm.li(SEVEN, 7);
    let top = T0;
    if add {
        C[0].load(asm, c, A0);
    }
    asm.multu(PARTIAL.hi, SEVEN);
    if add {
        asm.maddu(C[0].hi, ONE);
    }
    asm.mflo(PARTIAL.hi);
    asm.mfhi(top);
    asm.multu(PARTIAL.lo, SEVEN);
    if add {
        asm.maddu(C[0].lo, ONE);
    }
    settle(asm, PARTIAL, top, move |asm| asm.lw(A[0].lo, a, A0));
    asm.lw(A[0].hi, a + 4, A0);
    B[0].load(asm, b, A0);
    product(asm, PARTIAL, A[0], B[0], &[PARTIAL]);
    PARTIAL.store(asm, out, A0);
    product(asm, PARTIAL, A[0], B[1], &[]);
    if add {
        C[1].load(asm, c + 8, A0);
    }
    let addends = [PARTIAL, C[1]];
    product(asm, PARTIAL, A[1], B[0], &addends[..=usize::from(add)]);
    asm.sw(PARTIAL.lo, out + 8, A0);
    asm.ret();
    asm.sw(PARTIAL.hi, out + 12, A0);
}

/// The coefficients of `a` times the base element `b`, plus those of `c`.
fn scaled(asm: &mut Assembler, coefficients: usize, add: bool) {
    let [a, b, c, out] = PLACES;
    B[0].load(asm, b, A0);
    for i in 0..coefficients {
        let place = offset(i);
        A[0].load(asm, a + place, A0);
        if add {
            C[0].load(asm, c + place, A0);
        }
        product(asm, PARTIAL, A[0], B[0], &C[..usize::from(add)]);
        store_and_return(asm, out + place, i + 1 == coefficients);
    }
}

fn by_coefficient(
    asm: &mut Assembler,
    coefficients: usize,
    operation: fn(&mut Assembler, Pair, Pair, Pair),
) {
    let [a, b, _, out] = PLACES;
    for i in 0..coefficients {
        let place = offset(i);
        A[0].load(asm, a + place, A0);
        B[0].load(asm, b + place, A0);
        operation(asm, PARTIAL, A[0], B[0]);
        store_and_return(asm, out + place, i + 1 == coefficients);
    }
}

/// Stores the result; returns with the last word of the last one.
fn store_and_return(asm: &mut Assembler, place: i16, last: bool) {
    asm.sw(PARTIAL.lo, place, A0);
    if last {
        asm.ret();
    }
    asm.sw(PARTIAL.hi, place + 4, A0);
}

/// The bytes of a record of [`combine`] before its elements.
pub(super) const COMBINE_HEADER: i16 = 48;

/// The routine `combine`: `Σ point^(n − 1 − i)·element[i]`, Horner's rule with a point in the extension. `$a0` is the address
/// of a record: the result, the point, seven times the point's second coefficient, the address of the last element, a
/// word that is not used, and the base elements, one at least. It returns with `$a0` at the end.
pub(super) fn combine(asm: &mut Assembler) {
    let (value, point, seven, last, result) = (A, B, C[0], A1, AT);
    let (element, first, second) = (C[1], PARTIAL, Pair::new(T7, GP));
    let (next, done) = (asm.label(), asm.label());
    asm.routine("combine");
    for (pair, place) in [(point[0], 16), (point[1], 24), (seven, 32), (value[0], 48)] {
        pair.load(asm, place, A0);
    }
    asm.lw(last, 40, A0);
    asm.or(result, A0, ZERO);
    asm.addiu(A0, A0, COMBINE_HEADER);
    asm.or(value[1].lo, ZERO, ZERO);
    asm.or(value[1].hi, ZERO, ZERO);
    asm.beq(A0, last, done);
    asm.addiu(A0, A0, 8);
    asm.place(next);
    element.load(asm, 0, A0);
    product(asm, first, value[1], seven, &[]);
    product(asm, second, value[0], point[1], &[]);
    product(asm, value[0], value[0], point[0], &[first, element]);
    product(asm, value[1], value[1], point[0], &[second]);
    asm.bne(A0, last, next);
    asm.addiu(A0, A0, 8);
    asm.place(done);
    value[0].store(asm, 0, result);
    asm.sw(value[1].lo, 8, result);
    asm.ret();
    asm.sw(value[1].hi, 12, result);
}

#[cfg(test)]
pub(super) mod tests {
    use p3_field::{PrimeCharacteristicRing, PrimeField64};
    use p3_goldilocks::Goldilocks;
    use proptest::prelude::*;

    use super::super::execute::{CODE, DATA, program, run};
    use super::super::goldilocks::{constants, words};
    use super::super::work::{Ext, ext};
    use super::*;

    const P: u64 = 0xffff_ffff_0000_0001;
    const WORD: u64 = 1 << 32;

    /// Elements at which words are full, empty, or overflow; some are not below `p`.
    pub(in super::super) const EDGES: [u64; 16] = [
        0,
        1,
        2,
        7,
        WORD - 2,
        WORD - 1,
        WORD,
        WORD + 1,
        2 * WORD - 1,
        1 << 63,
        P - WORD,
        P - 2,
        P - 1,
        P,
        P + 1,
        u64::MAX,
    ];

    /// The memory after a call of a routine with an address, and the cycles within it.
    pub(in super::super) fn memory_after(
        name: &'static str,
        emit: impl FnOnce(&mut Assembler),
        address: u32,
        memory: &[u32],
    ) -> (Vec<u32>, u64) {
        let mut asm = Assembler::new();
        asm.routine("main");
        constants(&mut asm);
        asm.jal(name);
        asm.nop();
        asm.stop();
        emit(&mut asm);
        let code = asm.finish(CODE).expect("the program is sound");
        let program = program(&code, memory).expect("code and data do not overlap");
        let finished = run(&program, memory.len(), address).expect("the routine returns");
        let cycles = finished.counts.of_routine(name);
        (finished.memory, cycles)
    }

    pub(in super::super) fn elements(words: &[u32]) -> Vec<u64> {
        let pairs = words.as_chunks().0;
        pairs.iter().map(|&[lo, hi]| u64::from(lo) | u64::from(hi) << 32).collect()
    }

    const ALL: [Arithmetic; 10] = [
        Arithmetic::ExtMulAdd,
        Arithmetic::ExtMul,
        Arithmetic::ScaleAdd,
        Arithmetic::Scale,
        Arithmetic::BaseMulAdd,
        Arithmetic::BaseMul,
        Arithmetic::ExtAdd,
        Arithmetic::ExtSub,
        Arithmetic::BaseAdd,
        Arithmetic::BaseSub,
    ];

    /// What a routine makes of operands, and in how many cycles.
    fn result(routine: Arithmetic, operands: [[u64; 2]; 3]) -> (Ext, u64) {
        let mut memory = words(operands.as_flattened());
        memory.extend([0; 4]);
        let (memory, cycles) = memory_after(routine.name(), |asm| routine.emit(asm), DATA, &memory);
        (ext(&elements(&memory[12..])), cycles)
    }

    /// What it should be.
    fn native(routine: Arithmetic, operands: [[u64; 2]; 3]) -> Ext {
        let [a, b, c] = operands.map(|operand| ext(&operand));
        let [[a0, _], [b0, _], [c0, _]] = operands.map(|operand| operand.map(Goldilocks::from_u64));
        match routine {
            Arithmetic::ExtMulAdd => a * b + c,
            Arithmetic::ExtMul => a * b,
            Arithmetic::ScaleAdd => a * b0 + c,
            Arithmetic::Scale => a * b0,
            Arithmetic::BaseMulAdd => (a0 * b0 + c0).into(),
            Arithmetic::BaseMul => (a0 * b0).into(),
            Arithmetic::ExtAdd => a + b,
            Arithmetic::ExtSub => a - b,
            Arithmetic::BaseAdd => (a0 + b0).into(),
            Arithmetic::BaseSub => (a0 - b0).into(),
        }
    }

    /// The second operand of sums and differences has to be below `p`.
    fn admissible(routine: Arithmetic, operands: [[u64; 2]; 3]) -> [[u64; 2]; 3] {
        use Arithmetic::{BaseAdd, BaseSub, ExtAdd, ExtSub};
        let [a, b, c] = operands;
        match routine {
            ExtAdd | ExtSub | BaseAdd | BaseSub => [a, b.map(|element| element % P), c],
            _ => operands,
        }
    }

    #[test]
    fn arithmetic_of_edge_values_is_the_native_one() {
        for routine in ALL {
            for a in EDGES {
                for b in EDGES {
                    for c in [0, 1, P - 1, u64::MAX] {
                        let operands = admissible(routine, [[a, b], [b, a], [c, a]]);
                        let (result, _) = result(routine, operands);
                        assert_eq!(result, native(routine, operands), "{routine:?} {operands:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn arithmetic_takes_the_cycles_of_its_products_loads_and_stores() {
        let operands = [[P / 3, P / 5], [P / 7, P / 11], [P / 13, P / 17]];
        let cycles = ALL.map(|routine| (routine.name(), result(routine, operands).1));
        let expected = [
            ("ext_mul_add", 137),
            ("ext_mul", 129),
            ("scale_add", 69),
            ("scale", 61),
            ("base_mul_add", 36),
            ("base_mul", 32),
            ("ext_add", 35),
            ("ext_sub", 35),
            ("base_add", 18),
            ("base_sub", 18),
        ];
        assert_eq!(cycles, expected);
    }

    fn combined(point: [u64; 2], terms: &[u64]) -> Ext {
        let seven = Goldilocks::from_u64(point[1]) * Goldilocks::from_u64(7);
        let last = DATA + COMBINE_HEADER as u32 + 8 * (terms.len() as u32 - 1);
        let header = [0, 0, point[0], point[1], seven.as_canonical_u64(), u64::from(last)];
        let memory = [words(&header), words(terms)].concat();
        let (memory, _) = memory_after("combine", combine, DATA, &memory);
        ext(&elements(&memory))
    }

    fn natively_combined(point: [u64; 2], terms: &[u64]) -> Ext {
        terms.iter().fold(Ext::ZERO, |sum, &term| sum * ext(&point) + Goldilocks::from_u64(term))
    }

    #[test]
    fn one_element_is_its_own_combination() {
        assert_eq!(combined([P - 1, 5], &[3]), Ext::from_u64(3));
    }

    proptest! {
        #[test]
        fn arithmetic_is_the_native_one(operands: [[u64; 2]; 3]) {
            for routine in ALL {
                let operands = admissible(routine, operands);
                prop_assert_eq!(result(routine, operands).0, native(routine, operands));
            }
        }

        #[test]
        fn combinations_are_the_native_ones(point: [u64; 2], terms in prop::collection::vec(any::<u64>(), 1..20)) {
            prop_assert_eq!(combined(point, &terms), natively_combined(point, &terms));
        }
    }
}
