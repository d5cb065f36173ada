//! Hints: values that the prover computes outside of the circuit.
//!
//! A hint constrains nothing. It is advice, and sound only if rules of the circuit bind its results:
//! `bits 2(x)` gives two numbers, and it takes two `assert_bit` and one recombination to make them the
//! bits of `x`. The built-in kinds can be printed, parsed and interpreted; `extern "name"` is looked up
//! in a [`HintRegistry`] when the witness is generated.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use p3_field::{BasedVectorSpace, Field as _, PrimeCharacteristicRing, PrimeField64};

use super::value::{ValueType, element};
use crate::field::{Field, FieldPair};

/// What a hint computes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HintKind {
    /// `1/x`, or 0 for 0. One input of any type, one output of the same.
    InverseOrZero,
    /// The lowest bits of the canonical integer of a base element, least significant first.
    Bits(u32),
    /// The lowest limbs of the canonical integer of a base element, least significant first.
    Limbs {
        /// Bits per limb, 1 to 63.
        width: u32,
        /// Number of limbs.
        count: u32,
    },
    /// The coefficients of an extension element, lowest first.
    Coefficients,
    /// The canonical integer of a base element divided by a constant, rounded down.
    Quotient(u64),
    /// The canonical integer of a base element modulo a constant.
    Remainder(u64),
    /// 1 if two values are equal, else 0.
    Equal,
    /// A function of the [`HintRegistry`].
    Extern {
        /// The name in the registry.
        name: String,
        /// The types of the outputs.
        outputs: Vec<ValueType>,
    },
}

impl HintKind {
    /// The types of the inputs, or `None` if any will do.
    pub fn inputs(&self) -> Option<Vec<ValueType>> {
        match self {
            Self::InverseOrZero | Self::Coefficients => Some(vec![ValueType::Ext]),
            Self::Bits(_) | Self::Limbs { .. } | Self::Quotient(_) | Self::Remainder(_) => {
                Some(vec![ValueType::Felt])
            }
            Self::Equal => Some(vec![ValueType::Ext; 2]),
            Self::Extern { .. } => None,
        }
    }

    /// The types of the outputs, given those of the inputs.
    pub fn outputs(&self, field: Field, inputs: &[ValueType]) -> Vec<ValueType> {
        match self {
            Self::InverseOrZero => {
                vec![inputs.first().map_or(ValueType::Felt, |ty| ty.without_bit())]
            }
            Self::Bits(count) | Self::Limbs { count, .. } => vec![ValueType::Felt; *count as usize],
            Self::Coefficients => vec![ValueType::Felt; field.degree()],
            Self::Quotient(_) | Self::Remainder(_) | Self::Equal => vec![ValueType::Felt],
            Self::Extern { outputs, .. } => outputs.clone(),
        }
    }

    /// Whether the parameters make sense: limbs of 1 to 63 bits, no division by 0.
    pub fn is_well_formed(&self) -> bool {
        match self {
            Self::Limbs { width, .. } => (1..64).contains(width),
            Self::Quotient(divisor) | Self::Remainder(divisor) => *divisor != 0,
            _ => true,
        }
    }

    /// Computes the hint. Inputs and outputs are lifted to the extension; `types` are those of the
    /// inputs.
    ///
    /// # Errors
    ///
    /// A sentence, if an external function is missing, fails, or gives a wrong number of values.
    pub fn evaluate<P: FieldPair>(
        &self,
        registry: &HintRegistry,
        inputs: &[P::Ext],
        types: &[ValueType],
        outputs: &mut Vec<P::Ext>,
    ) -> Result<(), String> {
        let base =
            |i: usize| inputs.get(i).map_or(P::Base::ZERO, |x| x.as_basis_coefficients_slice()[0]);
        let integer = || base(0).as_canonical_u64();
        let lift = |value: u64| P::Ext::from(P::Base::from_u64(value));
        if !self.is_well_formed() {
            return Err(format!("the parameters of `{self}` make no sense"));
        }
        match self {
            Self::InverseOrZero => {
                let x = inputs.first().copied().unwrap_or(P::Ext::ZERO);
                outputs.push(x.try_inverse().unwrap_or(P::Ext::ZERO));
            }
            Self::Bits(count) => {
                let x = integer();
                outputs.extend((0..*count).map(|i| lift(x.checked_shr(i).unwrap_or(0) & 1)));
            }
            Self::Limbs { width, count } => {
                let x = integer();
                let mask = (1u64 << width) - 1;
                let limb = |i: u32| x.checked_shr(i.saturating_mul(*width)).unwrap_or(0) & mask;
                outputs.extend((0..*count).map(|i| lift(limb(i))));
            }
            Self::Coefficients => {
                let x = inputs.first().copied().unwrap_or(P::Ext::ZERO);
                outputs.extend(x.as_basis_coefficients_slice().iter().map(|&c| P::Ext::from(c)));
            }
            Self::Quotient(divisor) => outputs.push(lift(integer() / divisor)),
            Self::Remainder(divisor) => outputs.push(lift(integer() % divisor)),
            Self::Equal => outputs.push(lift(u64::from(inputs.first() == inputs.get(1)))),
            Self::Extern { name, outputs: output_types } => {
                let function = registry
                    .functions
                    .get(name)
                    .ok_or_else(|| format!("no external hint is registered as \"{name}\""))?;
                let arguments = flatten::<P>(inputs, types);
                let mut results = Vec::new();
                function(&arguments, &mut results)?;
                unflatten::<P>(&results, output_types, outputs)?;
            }
        }
        Ok(())
    }
}

/// The canonical integers of the coefficients of `values`, one after the other: one for each base
/// element, as many as the degree for each extension element.
pub(crate) fn flatten<P: FieldPair>(values: &[P::Ext], types: &[ValueType]) -> Vec<u64> {
    let mut flat = Vec::with_capacity(values.len());
    for (value, ty) in values.iter().zip(types) {
        let width = ty.width(P::FIELD);
        let coefficients = &value.as_basis_coefficients_slice()[..width];
        flat.extend(coefficients.iter().map(PrimeField64::as_canonical_u64));
    }
    flat
}

/// The inverse of [`flatten`].
pub(crate) fn unflatten<P: FieldPair>(
    flat: &[u64],
    types: &[ValueType],
    values: &mut Vec<P::Ext>,
) -> Result<(), String> {
    let expected: usize = types.iter().map(|ty| ty.width(P::FIELD)).sum();
    if flat.len() != expected {
        return Err(format!("{expected} base elements were expected, {} came", flat.len()));
    }
    if let Some(value) = flat.iter().find(|&&value| value >= P::FIELD.modulus()) {
        return Err(format!("{value} is not a canonical element of {}", P::FIELD));
    }
    let mut rest = flat;
    for ty in types {
        let (head, tail) = rest.split_at(ty.width(P::FIELD));
        values.push(element::<P>(head));
        rest = tail;
    }
    Ok(())
}

impl fmt::Display for HintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InverseOrZero => f.write_str("inverse_or_zero"),
            Self::Bits(count) => write!(f, "bits {count}"),
            Self::Limbs { width, count } => write!(f, "limbs {width} {count}"),
            Self::Coefficients => f.write_str("coefficients"),
            Self::Quotient(divisor) => write!(f, "quotient {divisor}"),
            Self::Remainder(divisor) => write!(f, "remainder {divisor}"),
            Self::Equal => f.write_str("equal"),
            Self::Extern { name, .. } => write!(f, "extern \"{name}\""),
        }
    }
}

/// A function behind an external hint: from the canonical integers of the inputs' coefficients (one
/// after the other) to those of the outputs.
pub type HintFunction = dyn Fn(&[u64], &mut Vec<u64>) -> Result<(), String> + Send + Sync;

/// The external hints, by name.
#[derive(Clone, Default)]
pub struct HintRegistry {
    functions: BTreeMap<String, Arc<HintFunction>>,
}

impl HintRegistry {
    /// A registry without functions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function; a former one of the same name is replaced.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        function: impl Fn(&[u64], &mut Vec<u64>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert(name.into(), Arc::new(function));
        self
    }
}

impl fmt::Debug for HintRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.functions.keys()).finish()
    }
}
