//! The permutation Poseidon2 of 16 elements of Goldilocks, the parameters those of `p3-goldilocks`.
//!
//! Rounds are loops, everything in a round is unrolled, and nothing is called:
//!
//! - **Full rounds** go from one S-box to the next: a row of the matrix, the round constant and the S-box are computed
//!   without storing anything in between. With `S` the 4 × 4 matrix times the sum of the four blocks, an element is a row
//!   of that matrix times its block, plus an element of `S`: seven products by small numbers for each word, and one
//!   reduction.
//! - **Partial rounds** multiply by small numbers, and by powers of 1/2, which are shifts. A negative multiple of `x` is made
//!   of the complement of `x`, and so is the part that is shifted out. The constants by which these are wrong are known, and
//!   are in the round constants that follow.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_16_INTERNAL, Goldilocks,
};

use super::execute::DATA;
use super::goldilocks::{
    ONE, Pair, begin_product, end_product, offset, product, settle, sum, words,
};
use chipwright_mips_isa::{
    A0, A1, A2, A3, Assembler, GP, Register, S0, S1, S2, S3, S4, S5, S6, S7, T0, T1, T2, T3, T4,
    T8, T9, V0, V1, ZERO,
};

/// The number of elements.
pub(super) const WIDTH: usize = 16;
/// The bytes of a record: the state, and room for four elements.
pub(super) const RECORD: i16 = 160;

/// Full rounds before, and after, the partial rounds.
const HALF: usize = GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL.len();
/// Partial rounds.
const PARTIAL: usize = GOLDILOCKS_POSEIDON2_RC_16_INTERNAL.len();
/// The bytes of a state.
const STATE: i16 = offset(WIDTH);

/// What an element is multiplied by in a partial round, besides being added in the sum of all.
#[derive(Clone, Copy, Debug)]
enum Factor {
    /// A small number.
    Times(u8),
    /// Less a small number.
    Minus(u8),
    /// `1/2^k`
    Half(u8),
    /// `−1/2^k`
    MinusHalf(u8),
    /// `1/2^32`
    HalfWord,
}

/// The diagonal of the matrix of partial rounds.
const DIAGONAL: [Factor; WIDTH] = {
    use Factor::{Half, HalfWord, Minus, MinusHalf, Times};
    [
        Minus(2),
        Times(1),
        Times(2),
        Half(1),
        Times(3),
        Times(4),
        MinusHalf(1),
        Minus(3),
        Minus(4),
        Half(3),
        Half(4),
        Half(5),
        MinusHalf(3),
        MinusHalf(4),
        MinusHalf(5),
        HalfWord,
    ]
};

impl Factor {
    fn value(self) -> Goldilocks {
        match self {
            Self::Times(k) => Goldilocks::from_u8(k),
            Self::Minus(k) => -Goldilocks::from_u8(k),
            Self::Half(k) => Goldilocks::ONE.div_2exp_u64(k.into()),
            Self::MinusHalf(k) => -Goldilocks::ONE.div_2exp_u64(k.into()),
            Self::HalfWord => Goldilocks::ONE.div_2exp_u64(32),
        }
    }

    /// What [`multiple`] adds to the product, besides the sum.
    fn excess(self) -> Goldilocks {
        // The complement of `x` is `2^64 − 1 − x`, and that of a word in the upper one is `ε − word`.
        let complement = Goldilocks::from_u64(u32::MAX.into()) - Goldilocks::ONE;
        let word = Goldilocks::from_u64(u64::from(u32::MAX) << 32);
        match self {
            Self::Times(_) => Goldilocks::ZERO,
            Self::Minus(_) => -self.value() * complement,
            Self::Half(_) | Self::HalfWord => word,
            Self::MinusHalf(_) => word - self.value() * complement,
        }
    }
}

/// The round constants as the routine takes them: words, in the order of the rounds.
pub(super) fn round_constants() -> Vec<u32> {
    // What has to be added to each element to get the true one.
    let mut missing = [Goldilocks::ZERO; WIDTH];
    let mut constants: Vec<Goldilocks> =
        GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL.as_flattened().to_vec();
    for constant in GOLDILOCKS_POSEIDON2_RC_16_INTERNAL {
        constants.push(constant + missing[0]);
        missing[0] = Goldilocks::ZERO;
        let sum: Goldilocks = missing.into_iter().sum();
        for (missing, factor) in missing.iter_mut().zip(DIAGONAL) {
            *missing = sum + factor.value() * *missing - factor.excess();
        }
    }
    let [first, others @ ..] = &GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL;
    constants.extend(first.iter().zip(missing).map(|(&constant, missing)| constant + missing));
    constants.extend(others.as_flattened());
    words(&constants.iter().map(Goldilocks::as_canonical_u64).collect::<Vec<_>>())
}

/// The element that goes through S-boxes.
const X: Pair = Pair::new(V0, V1);
/// Its square, and fourth power.
const Q: Pair = Pair::new(A3, GP);
/// A block of four elements.
const BLOCK: [Pair; 4] =
    [Pair::new(S0, S1), Pair::new(S2, S3), Pair::new(S4, S5), Pair::new(T8, T9)];
const TWO: Register = S6;
const THREE: Register = S7;

/// The address of the state.
const AT_STATE: Register = A0;
/// The address of the constants of the round.
const AT_CONSTANTS: Register = A1;
/// Where the constants end.
const END: Register = A2;

/// The routine `permutation`: `$a0` is the address of a state, which is replaced by its permutation, with room for four
/// elements behind it. The [`round_constants`] are at [`DATA`].
pub(super) fn permutation(asm: &mut Assembler) {
    asm.routine("permutation");
    asm.li(TWO, 2);
    asm.li(THREE, 3);
    asm.li(AT_CONSTANTS, DATA);
    full_rounds(asm, HALF);
    matrix(asm);
    asm.sw(X.hi, STATE - 4, AT_STATE);
    partial_rounds(asm);
    for i in 0..WIDTH {
        let (place, constant) = (offset(i), Pair::new(T2, T3));
        constant.load(asm, place, AT_CONSTANTS);
        X.load(asm, place, AT_STATE);
        sum(asm, X, X, constant);
        begin_product(asm, X, X);
        end_s_box(asm);
        X.store(asm, place, AT_STATE);
    }
    asm.addiu(AT_CONSTANTS, AT_CONSTANTS, STATE);
    full_rounds(asm, HALF - 1);
    matrix(asm);
    asm.ret();
    asm.sw(X.hi, STATE - 4, AT_STATE);
}

/// The matrix, a round's constants, and its S-boxes, several times.
fn full_rounds(asm: &mut Assembler, rounds: usize) {
    asm.addiu(END, AT_CONSTANTS, offset(WIDTH * rounds));
    let round = asm.here();
    block_sums(asm);
    for block in 0..4 {
        load_block(asm, block);
        for row in 0..4 {
            let place = offset(4 * block + row);
            let constant = Pair::new(T1, T2);
            constant.load(asm, place, AT_CONSTANTS);
            element(asm, row, Some(constant), |asm| begin_product(asm, X, X));
            end_s_box(asm);
            asm.sw(X.lo, place, AT_STATE);
            if place + 8 == STATE {
                asm.addiu(AT_CONSTANTS, AT_CONSTANTS, STATE);
                asm.bne(AT_CONSTANTS, END, round);
            }
            asm.sw(X.hi, place + 4, AT_STATE);
        }
    }
}

/// The matrix of full rounds. The very last word is left in its register.
fn matrix(asm: &mut Assembler) {
    block_sums(asm);
    for block in 0..4 {
        load_block(asm, block);
        for row in 0..4 {
            let place = offset(4 * block + row);
            element(asm, row, None, move |asm| asm.sw(X.lo, place, AT_STATE));
            if place + 8 < STATE {
                asm.sw(X.hi, place + 4, AT_STATE);
            }
        }
    }
}

fn load_block(asm: &mut Assembler, block: usize) {
    for (i, pair) in BLOCK.into_iter().enumerate() {
        pair.load(asm, offset(4 * block + i), AT_STATE);
    }
}

/// `X`: an element of the block after the matrix, and plus a constant.
fn element(
    asm: &mut Assembler,
    row: usize,
    constant: Option<Pair>,
    then: impl Fn(&mut Assembler) + 'static,
) {
    let (top, sum) = (T0, Pair::new(T3, T4));
    sum.load(asm, offset(WIDTH + row), AT_STATE);
    block_row(asm, row, |pair| pair.hi);
    asm.maddu(sum.hi, ONE);
    if let Some(constant) = constant {
        asm.maddu(constant.hi, ONE);
    }
    asm.mflo(X.hi);
    asm.mfhi(top);
    block_row(asm, row, |pair| pair.lo);
    asm.maddu(sum.lo, ONE);
    if let Some(constant) = constant {
        asm.maddu(constant.lo, ONE);
    }
    settle(asm, X, top, then);
}

/// A row of `circ(2, 3, 1, 1)` times words of the block, in `HI:LO`.
fn block_row(asm: &mut Assembler, row: usize, word: fn(Pair) -> Register) {
    let words: [Register; 4] = std::array::from_fn(|i| word(BLOCK[(row + i) % 4]));
    asm.multu(words[0], TWO);
    asm.maddu(words[1], THREE);
    asm.maddu(words[2], ONE);
    asm.maddu(words[3], ONE);
}

/// The 4 × 4 matrix times the sum of the blocks, behind the state.
fn block_sums(asm: &mut Assembler) {
    let top = T0;
    let blocks = [T1, T2, T3, T4];
    let load = move |asm: &mut Assembler, block: usize, place: i16| {
        asm.lw(blocks[block], offset(4 * block) + place, AT_STATE);
    };
    let add = |asm: &mut Assembler, place: i16| {
        (1..4).for_each(|block| load(asm, block, place));
        asm.multu(blocks[0], ONE);
        blocks[1..].iter().for_each(|&register| asm.maddu(register, ONE));
    };
    load(asm, 0, 4);
    for (i, out) in BLOCK.into_iter().enumerate() {
        let place = offset(i);
        add(asm, place + 4);
        asm.mflo(out.hi);
        asm.mfhi(top);
        load(asm, 0, place);
        add(asm, place);
        settle(asm, out, top, move |asm| match i {
            3 => asm.nop(),
            _ => load(asm, 0, place + 12),
        });
    }
    for row in 0..4 {
        block_row(asm, row, |pair| pair.hi);
        asm.mflo(X.hi);
        asm.mfhi(top);
        block_row(asm, row, |pair| pair.lo);
        let place = offset(WIDTH + row);
        settle(asm, X, top, move |asm| asm.sw(X.lo, place, AT_STATE));
        asm.sw(X.hi, place + 4, AT_STATE);
    }
}

/// `X^7`, after the first instruction of `X²`.
fn end_s_box(asm: &mut Assembler) {
    end_product(asm, Q, X, X, &[]);
    product(asm, X, Q, X, &[]);
    product(asm, Q, Q, Q, &[]);
    product(asm, X, X, Q, &[]);
}

/// The sum of all elements.
const SUM: Pair = Pair::new(S0, S1);
/// An element.
const Y: Pair = Pair::new(S2, S3);
const FOUR: Register = S4;

fn partial_rounds(asm: &mut Assembler) {
    let constant = Pair::new(T2, T3);
    asm.li(FOUR, 4);
    asm.addiu(END, AT_CONSTANTS, offset(PARTIAL));
    X.load(asm, 0, AT_STATE);
    constant.load(asm, 0, AT_CONSTANTS);
    let round = asm.here();
    sum(asm, X, X, constant);
    begin_product(asm, X, X);
    end_s_box(asm);

    let top = T0;
    let words = |asm: &mut Assembler, first: Register, word: i16| {
        asm.multu(first, ONE);
        for i in 1..WIDTH {
            asm.lw(T1, offset(i) + word, AT_STATE);
            asm.maddu(T1, ONE);
        }
    };
    words(asm, X.hi, 4);
    asm.mflo(SUM.hi);
    asm.mfhi(top);
    words(asm, X.lo, 0);
    settle(asm, SUM, top, |asm| asm.lw(Y.lo, 8, AT_STATE));
    for (i, factor) in DIAGONAL.into_iter().enumerate().skip(1) {
        let place = offset(i);
        if i > 1 {
            asm.lw(Y.lo, place, AT_STATE);
        }
        asm.lw(Y.hi, place + 4, AT_STATE);
        multiple(asm, Y, factor, move |asm| asm.sw(Y.lo, place, AT_STATE));
        asm.sw(Y.hi, place + 4, AT_STATE);
    }
    asm.addiu(AT_CONSTANTS, AT_CONSTANTS, 8);
    multiple(asm, X, DIAGONAL[0], move |asm| asm.lw(constant.lo, 0, AT_CONSTANTS));
    asm.bne(AT_CONSTANTS, END, round);
    asm.lw(constant.hi, 4, AT_CONSTANTS);
    X.store(asm, 0, AT_STATE);
}

/// An element times its factor, plus [`SUM`] and what [`Factor::excess`] says.
fn multiple(
    asm: &mut Assembler,
    out: Pair,
    factor: Factor,
    then: impl Fn(&mut Assembler) + 'static,
) {
    let top = T0;
    if let Factor::Minus(_) | Factor::MinusHalf(_) = factor {
        asm.nor(out.lo, out.lo, ZERO);
        asm.nor(out.hi, out.hi, ZERO);
    }
    match factor {
        Factor::Times(1) => {
            asm.addu(out.hi, out.hi, SUM.hi);
            asm.sltu(top, out.hi, SUM.hi);
            asm.multu(out.lo, ONE);
        }
        Factor::Times(k) | Factor::Minus(k) => {
            let k = [TWO, THREE, FOUR][usize::from(k) - 2];
            asm.multu(out.hi, k);
            asm.maddu(SUM.hi, ONE);
            asm.mflo(out.hi);
            asm.mfhi(top);
            asm.multu(out.lo, k);
        }
        // With `2^(−k) = 2^(32 − k) − 2^(64 − k)`, what is shifted out of the lower word counts there, and is subtracted
        // from the upper one.
        Factor::Half(k) | Factor::MinusHalf(k) => {
            let [shifted_out, lower, upper, complement] = [T1, T2, T3, T4];
            asm.sll(shifted_out, out.lo, 32 - k);
            asm.srl(lower, out.lo, k);
            asm.ins(lower, out.hi, 32 - k, k);
            asm.srl(upper, out.hi, k);
            asm.nor(complement, shifted_out, ZERO);
            asm.multu(upper, ONE);
            asm.maddu(complement, ONE);
            asm.maddu(SUM.hi, ONE);
            asm.mflo(out.hi);
            asm.mfhi(top);
            asm.multu(lower, ONE);
            asm.maddu(shifted_out, ONE);
        }
        Factor::HalfWord => {
            let complement = T1;
            asm.nor(complement, out.lo, ZERO);
            asm.multu(out.hi, ONE);
            asm.maddu(out.lo, ONE);
            asm.addu(out.hi, SUM.hi, complement);
            asm.sltu(top, out.hi, complement);
        }
    }
    asm.maddu(SUM.lo, ONE);
    settle(asm, out, top, then);
}

#[cfg(test)]
mod tests {
    use p3_goldilocks::{MATRIX_DIAG_16_GOLDILOCKS, default_goldilocks_poseidon2_16};
    use p3_symmetric::Permutation;
    use proptest::prelude::*;

    use super::super::routines::tests::{EDGES, elements, memory_after};
    use super::*;

    fn permuted(state: [u64; WIDTH]) -> [Goldilocks; WIDTH] {
        let mut memory = round_constants();
        let at = memory.len() as u32;
        memory.extend(state.iter().flat_map(|&element| [element as u32, (element >> 32) as u32]));
        memory.extend([0; RECORD as usize / 4 - 2 * WIDTH]);
        let (memory, _) = memory_after("permutation", permutation, DATA + 4 * at, &memory);
        let elements = elements(&memory[at as usize..]);
        std::array::from_fn(|i| Goldilocks::from_u64(elements[i]))
    }

    fn native(state: [u64; WIDTH]) -> [Goldilocks; WIDTH] {
        default_goldilocks_poseidon2_16().permute(state.map(Goldilocks::from_u64))
    }

    #[test]
    fn factors_are_the_diagonal() {
        assert_eq!(DIAGONAL.map(Factor::value), MATRIX_DIAG_16_GOLDILOCKS);
    }

    #[test]
    fn a_permutation_of_edge_values_is_the_native_one() {
        for element in EDGES {
            let mut states = vec![[element; WIDTH]];
            for i in 0..WIDTH {
                let mut state = [0; WIDTH];
                state[i] = element;
                states.push(state);
            }
            for state in states {
                assert_eq!(permuted(state), native(state), "{state:?}");
            }
        }
    }

    #[test]
    fn a_permutation_takes_some_30_thousand_cycles() {
        let mut memory = round_constants();
        let at = DATA + 4 * memory.len() as u32;
        memory.extend((0..RECORD as u32 / 4).map(|i| i.wrapping_mul(0x9e37_79b9)));
        let (_, cycles) = memory_after("permutation", permutation, at, &memory);
        assert_eq!(cycles, 30_226);
    }

    proptest! {
        #[test]
        fn a_permutation_is_the_native_one(state: [u64; WIDTH]) {
            prop_assert_eq!(permuted(state), native(state));
        }
    }
}
