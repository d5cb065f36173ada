//! What a circuit computes with: typed values and constants.
//!
//! A value is a base-field element (`felt`), a base-field element that its producer guarantees to be 0
//! or 1 (`bit`), or an element of the extension (`ext`). Constants are canonical integers, one per
//! coefficient, so that no data structure of the IR needs a type parameter.

use std::fmt;
use std::str::FromStr;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Serialize};

use crate::field::{Field, FieldPair};

/// The type of a value. The order is that of inclusion: every bit is a base element, and every base
/// element is lifted to an extension element where one is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ValueType {
    /// 0 or 1, by guarantee of the producer.
    Bit,
    /// A base-field element: one cell on the bus.
    Felt,
    /// An extension element: as many cells as the degree of the extension.
    Ext,
}

impl ValueType {
    /// The smallest type of a sum of two values.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        self.max(other).max(Self::Felt)
    }

    /// The number of base-field elements of a value.
    pub fn width(self, field: Field) -> usize {
        if self == Self::Ext { field.degree() } else { 1 }
    }

    /// Whether a value is an extension element.
    pub fn is_ext(self) -> bool {
        self == Self::Ext
    }

    /// `felt` or `ext`: what the bus distinguishes.
    #[must_use]
    pub fn without_bit(self) -> Self {
        self.max(Self::Felt)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bit => "bit",
            Self::Felt => "felt",
            Self::Ext => "ext",
        })
    }
}

/// The text is not the name of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown type `{0}`; known are bit, felt and ext")]
pub struct UnknownType(pub String);

impl FromStr for ValueType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        match text {
            "bit" => Ok(Self::Bit),
            "felt" => Ok(Self::Felt),
            "ext" => Ok(Self::Ext),
            _ => Err(UnknownType(text.to_owned())),
        }
    }
}

/// A constant: the canonical integers of its coefficients, lowest first. One coefficient makes a base
/// element, as many as the degree of the extension make an extension element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constant(Box<[u64]>);

impl Constant {
    /// The base element 0.
    pub fn zero() -> Self {
        Self::felt(0)
    }

    /// The base element 1.
    pub fn one() -> Self {
        Self::felt(1)
    }

    /// A base element.
    pub fn felt(value: u64) -> Self {
        Self(Box::new([value]))
    }

    /// An extension element.
    pub fn ext(coefficients: impl Into<Box<[u64]>>) -> Self {
        Self(coefficients.into())
    }

    /// An extension element of a computing field.
    pub fn from_ext<P: FieldPair>(value: P::Ext) -> Self {
        let coefficients = value.as_basis_coefficients_slice();
        Self(coefficients.iter().map(PrimeField64::as_canonical_u64).collect())
    }

    /// A base element of a computing field.
    pub fn from_base<P: FieldPair>(value: P::Base) -> Self {
        Self::felt(value.as_canonical_u64())
    }

    /// The coefficients, lowest first.
    pub fn coefficients(&self) -> &[u64] {
        &self.0
    }

    /// The value as an element of the extension; missing coefficients are 0.
    pub fn to_ext<P: FieldPair>(&self) -> P::Ext {
        element::<P>(&self.0)
    }

    /// The type of the constant: the integers 0 and 1 are bits.
    pub fn ty(&self) -> ValueType {
        match &*self.0 {
            [0 | 1] => ValueType::Bit,
            [_] => ValueType::Felt,
            _ => ValueType::Ext,
        }
    }

    /// The same value with the smallest type: an extension element with no upper coefficient is the
    /// base element that it lifts.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        match &*self.0 {
            [low, upper @ ..] if upper.iter().all(|&c| c == 0) => Self::felt(*low),
            _ => self.clone(),
        }
    }

    /// Whether the value is 0.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&c| c == 0)
    }

    /// Whether the value is 1.
    pub fn is_one(&self) -> bool {
        matches!(&*self.0, [1, upper @ ..] if upper.iter().all(|&c| c == 0))
    }

    /// Whether this is a constant of `field`: canonical, with one coefficient or `degree` of them.
    pub fn belongs_to(&self, field: Field) -> bool {
        (self.0.len() == 1 || self.0.len() == field.degree())
            && self.0.iter().all(|&c| c < field.modulus())
    }

    /// The text of the constant in `field`: `-1`, `[1, 2]`.
    pub fn display(&self, field: Field) -> impl fmt::Display + '_ {
        std::fmt::from_fn(move |f| {
            if let [value] = *self.0 {
                return write!(f, "{}", signed(field, value));
            }
            f.write_str("[")?;
            for (i, &c) in self.0.iter().enumerate() {
                let separator = if i == 0 { "" } else { ", " };
                write!(f, "{separator}{}", signed(field, c))?;
            }
            f.write_str("]")
        })
    }
}

/// A non-canonical integer prints as itself, so that the verifier's message can show it.
fn signed(field: Field, value: u64) -> i128 {
    if value < field.modulus() { field.signed(value) } else { value.into() }
}

impl From<u64> for Constant {
    fn from(value: u64) -> Self {
        Self::felt(value)
    }
}

/// The extension element with the given coefficients, lowest first; missing ones are 0, those beyond
/// the degree are ignored.
pub fn element<P: FieldPair>(coefficients: &[u64]) -> P::Ext {
    if let [value] = *coefficients {
        return P::Ext::from(P::Base::from_u64(value));
    }
    P::Ext::from_basis_coefficients_fn(|i| {
        coefficients.get(i).map_or(P::Base::ZERO, |&c| P::Base::from_u64(c))
    })
}
