//! The parameters of Poseidon2 over Goldilocks: those of `p3-goldilocks`.

use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL, GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL, GOLDILOCKS_POSEIDON2_RC_12_INTERNAL,
    GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_16_INTERNAL, Goldilocks, MATRIX_DIAG_8_GOLDILOCKS,
    MATRIX_DIAG_12_GOLDILOCKS, MATRIX_DIAG_16_GOLDILOCKS,
};

/// A field with a Poseidon2 permutation of `W` elements.
pub trait Width<const W: usize> {
    /// Round constants of the full rounds before the partial ones.
    const INITIAL: [[Goldilocks; W]; 4];
    /// Round constants of the partial rounds.
    const PARTIAL: [Goldilocks; 22];
    /// Round constants of the full rounds after the partial ones.
    const TERMINAL: [[Goldilocks; W]; 4];
    /// The matrix of the partial rounds is all ones, plus this on its diagonal.
    const DIAGONAL: [Goldilocks; W];
}

macro_rules! width {
    ($width:literal, $initial:ident, $partial:ident, $terminal:ident, $diagonal:ident) => {
        impl Width<$width> for Goldilocks {
            const INITIAL: [[Goldilocks; $width]; 4] = $initial;
            const PARTIAL: [Goldilocks; 22] = $partial;
            const TERMINAL: [[Goldilocks; $width]; 4] = $terminal;
            const DIAGONAL: [Goldilocks; $width] = $diagonal;
        }
    };
}

width! {
    8,
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL,
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL,
    MATRIX_DIAG_8_GOLDILOCKS
}
width! {
    12,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_12_INTERNAL,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL,
    MATRIX_DIAG_12_GOLDILOCKS
}
width! {
    16,
    GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_16_INTERNAL,
    GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL,
    MATRIX_DIAG_16_GOLDILOCKS
}
