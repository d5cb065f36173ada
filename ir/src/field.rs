//! The fields that the IR speaks of.
//!
//! An IR text names its field (`over goldilocks^2`): the base field, and the degree of the extension
//! that extension values live in. Constants are stored as canonical integers, so the data structures of
//! the IR carry no type parameter; only code that computes is generic, over [`FieldPair`], and
//! [`with_field!`](crate::with_field) picks the instance.

use std::fmt;
use std::str::FromStr;

use p3_field::extension::QuinticTrinomialExtensionField;
use p3_field::extension::{BinomialExtensionField, CubicTrinomialExtensionField};
use p3_field::{BasedVectorSpace, ExtensionField, PrimeField64};
use p3_goldilocks::Goldilocks;
use p3_koala_bear::KoalaBear;

use crate::compiled::Compiled;

/// A base field and the degree of its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Field {
    /// `p = 2^64 − 2^32 + 1`, extended by `X² − 7`.
    #[default]
    Goldilocks2,
    /// `p = 2^64 − 2^32 + 1`, extended by `X³ − X − 1`.
    Goldilocks3,
    /// `p = 2^31 − 2^24 + 1`, extended by `X⁴ − 3`.
    KoalaBear4,
    /// `p = 2^31 − 2^24 + 1`, extended by `X⁵ + X² − 1`.
    KoalaBear5,
}

impl Field {
    /// Every field, in the order of the documentation.
    pub const ALL: [Self; 4] =
        [Self::Goldilocks2, Self::Goldilocks3, Self::KoalaBear4, Self::KoalaBear5];

    /// The order of the base field.
    pub const fn modulus(self) -> u64 {
        match self {
            Self::Goldilocks2 | Self::Goldilocks3 => Goldilocks::ORDER_U64,
            Self::KoalaBear4 | Self::KoalaBear5 => KoalaBear::ORDER_U64,
        }
    }

    /// The number of bits that every base-field element's canonical form fits in.
    pub const fn bits(self) -> u32 {
        u64::BITS - self.modulus().leading_zeros()
    }

    /// The degree of the extension.
    pub const fn degree(self) -> usize {
        match self {
            Self::Goldilocks2 => 2,
            Self::Goldilocks3 => 3,
            Self::KoalaBear4 => 4,
            Self::KoalaBear5 => 5,
        }
    }

    /// The coefficients of `X^degree`, lowest first, as small signed integers.
    pub const fn reduction(self) -> &'static [i64] {
        match self {
            Self::Goldilocks2 => &[7, 0],
            Self::Goldilocks3 => &[1, 1, 0],
            Self::KoalaBear4 => &[3, 0, 0, 0],
            Self::KoalaBear5 => &[1, 0, -1, 0, 0],
        }
    }

    /// The canonical form of a signed integer.
    pub const fn reduce(self, value: i128) -> u64 {
        value.rem_euclid(self.modulus() as i128) as u64
    }

    /// How a canonical integer is printed: small negatives as such (`-1`, not `p − 1`).
    pub const fn signed(self, value: u64) -> i128 {
        let negative = self.modulus() - value;
        if value != 0 && negative <= 1 << 16 { -(negative as i128) } else { value as i128 }
    }

    const fn base_name(self) -> &'static str {
        match self {
            Self::Goldilocks2 | Self::Goldilocks3 => "goldilocks",
            Self::KoalaBear4 | Self::KoalaBear5 => "koala-bear",
        }
    }
}

impl fmt::Display for Field {
    /// `goldilocks^2`: the name of the base field and the extension degree.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}^{}", self.base_name(), self.degree())
    }
}

/// The text is not the name of a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown field `{0}`; known are goldilocks^2, goldilocks^3, koala-bear^4 and koala-bear^5")]
pub struct UnknownField(pub String);

impl FromStr for Field {
    type Err = UnknownField;

    /// Reads a field's name. Without a degree, the smallest one is meant.
    fn from_str(text: &str) -> Result<Self, UnknownField> {
        Self::ALL
            .into_iter()
            .find(|field| text == field.base_name() || text == field.to_string())
            .ok_or_else(|| UnknownField(text.to_owned()))
    }
}

/// A base field together with its extension, for code that computes.
pub trait FieldPair: Compiled + Copy + Send + Sync + 'static {
    /// The base field.
    type Base: PrimeField64;
    /// The extension field.
    type Ext: ExtensionField<Self::Base> + BasedVectorSpace<Self::Base>;
    /// The name of the pair in the IR.
    const FIELD: Field;
}

macro_rules! field_pair {
    ($name:ident, $base:ty, $ext:ty) => {
        #[doc = concat!("The computing counterpart of [`Field::", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl FieldPair for $name {
            type Base = $base;
            type Ext = $ext;
            const FIELD: Field = Field::$name;
        }
    };
}

field_pair!(Goldilocks2, Goldilocks, BinomialExtensionField<Goldilocks, 2>);
field_pair!(Goldilocks3, Goldilocks, CubicTrinomialExtensionField<Goldilocks>);
field_pair!(KoalaBear4, KoalaBear, BinomialExtensionField<KoalaBear, 4>);
field_pair!(KoalaBear5, KoalaBear, QuinticTrinomialExtensionField<KoalaBear>);

/// Runs an expression with a type parameter bound to the [`FieldPair`] of a [`Field`] value:
/// `with_field!(field, P => evaluate::<P>(circuit))`.
#[macro_export]
macro_rules! with_field {
    ($field:expr, $pair:ident => $body:expr) => {
        match $field {
            $crate::field::Field::Goldilocks2 => {
                type $pair = $crate::field::Goldilocks2;
                $body
            }
            $crate::field::Field::Goldilocks3 => {
                type $pair = $crate::field::Goldilocks3;
                $body
            }
            $crate::field::Field::KoalaBear4 => {
                type $pair = $crate::field::KoalaBear4;
                $body
            }
            $crate::field::Field::KoalaBear5 => {
                type $pair = $crate::field::KoalaBear5;
                $body
            }
        }
    };
}

/// A number that is no element's canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not below the modulus {modulus}")]
pub struct NotCanonical {
    /// The number.
    pub value: u64,
    /// The order of the base field.
    pub modulus: u64,
}

/// The element whose canonical form a number is: the gate for numbers from outside, none of which is reduced.
///
/// # Errors
///
/// Fails if the number is not below the modulus.
pub fn canonical_element<F: PrimeField64>(value: u64) -> Result<F, NotCanonical> {
    if value < F::ORDER_U64 {
        Ok(from_canonical(value))
    } else {
        Err(NotCanonical { value, modulus: F::ORDER_U64 })
    }
}

/// The element that a number stands for, which is known to be below the modulus; [`canonical_element`] is for those that
/// are not. Fields of 31 bits reduce numbers of 64 bits slowly, but those that are canonical have no more than 32.
pub fn from_canonical<F: PrimeField64>(value: u64) -> F {
    match u32::try_from(value) {
        Ok(small) => F::from_u32(small),
        Err(_) => F::from_u64(value),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;

    #[test]
    fn a_name_reads_back() {
        for field in Field::ALL {
            assert_eq!(field.to_string().parse(), Ok(field));
        }
        assert_eq!("goldilocks".parse(), Ok(Field::Goldilocks2));
        assert!("goldilocks^7".parse::<Field>().is_err());
    }

    #[test]
    fn the_reduction_is_the_extension_that_plonky3_computes_with() {
        fn check<P: FieldPair>() {
            let degree = P::FIELD.degree();
            let x = P::Ext::ith_basis_element(1).expect("degree at least two");
            let power = x.exp_u64(degree as u64);
            let expected: Vec<P::Base> = P::FIELD
                .reduction()
                .iter()
                .map(|&c| P::Base::from_u64(P::FIELD.reduce(c.into())))
                .collect();
            assert_eq!(power.as_basis_coefficients_slice(), expected.as_slice());
        }
        for field in Field::ALL {
            with_field!(field, P => check::<P>());
        }
    }

    #[test]
    fn h_09_a_number_that_is_not_below_the_modulus_is_no_element() {
        fn check<P: FieldPair>() {
            let modulus = P::FIELD.modulus();
            for value in [0, 1, u64::from(u32::MAX).min(modulus - 1), modulus - 1] {
                let element: P::Base = canonical_element(value).expect("a canonical number");
                assert_eq!(element.as_canonical_u64(), value);
            }
            for value in [modulus, modulus + 1, u64::MAX] {
                let refused = canonical_element::<P::Base>(value);
                assert_eq!(refused, Err(NotCanonical { value, modulus }));
            }
        }
        for field in Field::ALL {
            with_field!(field, P => check::<P>());
        }
    }

    #[test]
    fn small_negatives_print_as_such() {
        let field = Field::Goldilocks2;
        assert_eq!(field.signed(field.reduce(-1)), -1);
        assert_eq!(field.signed(0), 0);
        assert_eq!(field.signed(field.modulus() / 2), i128::from(field.modulus() / 2));
    }
}
