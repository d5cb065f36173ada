//! The parameters of Poseidon2: those of `p3-goldilocks` and `p3-koala-bear`.

use chipwright_dsl::Field;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL, GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL, GOLDILOCKS_POSEIDON2_RC_12_INTERNAL,
    GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_16_INTERNAL, MATRIX_DIAG_8_GOLDILOCKS, MATRIX_DIAG_12_GOLDILOCKS,
    MATRIX_DIAG_16_GOLDILOCKS,
};
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL,
    KOALABEAR_POSEIDON2_RC_24_EXTERNAL_FINAL, KOALABEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
    KOALABEAR_POSEIDON2_RC_24_INTERNAL, KOALABEAR_POSEIDON2_RC_32_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_32_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_32_INTERNAL, KoalaBear,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;

/// A Poseidon2 permutation. Constants are canonical integers.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    pub(super) field: Field,
    /// The exponent of the S-box: 3 or 7.
    pub(super) exponent: u32,
    /// Round constants of the full rounds before the partial ones.
    pub(super) initial: Vec<Vec<u64>>,
    /// Round constants of the partial rounds.
    pub(super) partial: Vec<u64>,
    /// Round constants of the full rounds after the partial ones.
    pub(super) terminal: Vec<Vec<u64>>,
    /// The matrix of the partial rounds is all ones, plus this on its diagonal.
    pub(super) diagonal: Vec<u64>,
}

impl Parameters {
    /// The permutation of `width` elements over a field, if there is one.
    pub(crate) fn of(field: Field, width: usize) -> Option<Self> {
        let new = match (field, width) {
            (Field::Goldilocks2 | Field::Goldilocks3, 8) => Self::new(
                7,
                &GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
                &GOLDILOCKS_POSEIDON2_RC_8_INTERNAL,
                &GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL,
                &MATRIX_DIAG_8_GOLDILOCKS,
            ),
            (Field::Goldilocks2 | Field::Goldilocks3, 12) => Self::new(
                7,
                &GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL,
                &GOLDILOCKS_POSEIDON2_RC_12_INTERNAL,
                &GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL,
                &MATRIX_DIAG_12_GOLDILOCKS,
            ),
            (Field::Goldilocks2 | Field::Goldilocks3, 16) => Self::new(
                7,
                &GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_INITIAL,
                &GOLDILOCKS_POSEIDON2_RC_16_INTERNAL,
                &GOLDILOCKS_POSEIDON2_RC_16_EXTERNAL_FINAL,
                &MATRIX_DIAG_16_GOLDILOCKS,
            ),
            (Field::KoalaBear4 | Field::KoalaBear5, 16) => Self::new(
                3,
                &KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
                &KOALABEAR_POSEIDON2_RC_16_INTERNAL,
                &KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
                &diagonal::<16>(),
            ),
            (Field::KoalaBear4 | Field::KoalaBear5, 24) => Self::new(
                3,
                &KOALABEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
                &KOALABEAR_POSEIDON2_RC_24_INTERNAL,
                &KOALABEAR_POSEIDON2_RC_24_EXTERNAL_FINAL,
                &diagonal::<24>(),
            ),
            (Field::KoalaBear4 | Field::KoalaBear5, 32) => Self::new(
                3,
                &KOALABEAR_POSEIDON2_RC_32_EXTERNAL_INITIAL,
                &KOALABEAR_POSEIDON2_RC_32_INTERNAL,
                &KOALABEAR_POSEIDON2_RC_32_EXTERNAL_FINAL,
                &diagonal::<32>(),
            ),
            _ => return None,
        };
        Some(Self { field, ..new })
    }

    fn new<F: PrimeField64, const W: usize>(
        exponent: u32,
        initial: &[[F; W]],
        partial: &[F],
        terminal: &[[F; W]],
        diagonal: &[F; W],
    ) -> Self {
        let row = |row: &[F]| row.iter().map(PrimeField64::as_canonical_u64).collect();
        let rows = |rows: &[[F; W]]| rows.iter().map(|constants| row(constants)).collect();
        Self {
            field: Field::default(),
            exponent,
            initial: rows(initial),
            partial: row(partial),
            terminal: rows(terminal),
            diagonal: row(diagonal),
        }
    }

    /// How many full rounds lie between two states in columns: as many as stay within a degree of 9, which is what a
    /// blowup of 8 has room for. One of degree 7, two of degree 3.
    pub(super) fn rounds_together(&self) -> usize {
        if self.exponent == 3 { 2 } else { 1 }
    }
}

/// What `p3-koala-bear` adds to the matrix of ones: it gives the matrix as code only.
fn diagonal<const W: usize>() -> [KoalaBear; W]
where
    GenericPoseidon2LinearLayersKoalaBear: GenericPoseidon2LinearLayers<W>,
{
    std::array::from_fn(|i| {
        let mut state = [KoalaBear::ZERO; W];
        state[i] = KoalaBear::ONE;
        GenericPoseidon2LinearLayersKoalaBear::internal_linear_layer(&mut state);
        state[i] - KoalaBear::ONE
    })
}
