//! Small components of circuits: bits, inverses, selection, powers, coefficients.

use chipwright_ir::circuit::{BinaryOp, HintKind};

use super::builder::CircuitBuilder;
use super::built::BuildError;
use super::target::{AnyTarget, BitTarget, ExtTarget, Join, Operand, Target, TargetType};

impl CircuitBuilder {
    /// The inverse of a value, which must not be zero.
    #[track_caller]
    pub fn inverse<T: TargetType + Operand<Type = T> + Join<T>>(&mut self, a: T) -> T {
        self.here();
        let one = 1.node(&mut self.graph);
        T::of(self.graph.binary(BinaryOp::Div, one, a.id()))
    }

    /// One exactly if the value is zero: `a · inverse = 1 − zero` and `a · zero = 0`.
    #[track_caller]
    pub fn is_zero<A: Operand>(&mut self, a: A) -> BitTarget {
        self.here();
        let a = self.node(a);
        let inverse = self.graph.hint(HintKind::InverseOrZero, &[a])[0];
        let product = self.graph.binary(BinaryOp::Mul, a, inverse);
        let (one, nothing) = (1.node(&mut self.graph), 0.node(&mut self.graph));
        let zero = self.graph.hint(HintKind::Equal, &[a, nothing])[0];
        let complement = self.graph.binary(BinaryOp::Sub, one, zero);
        self.graph.assert_eq(product, complement);
        let both = self.graph.binary(BinaryOp::Mul, a, zero);
        self.graph.assert_zero(both);
        BitTarget(zero)
    }

    /// `then` where the bit is one, else `otherwise`.
    #[track_caller]
    pub fn select<A: Operand, B: Operand>(
        &mut self,
        bit: BitTarget,
        then: A,
        otherwise: B,
    ) -> <A::Type as Join<B::Type>>::Output
    where
        A::Type: Join<B::Type>,
    {
        self.here();
        let (then, otherwise) = (self.node(then), self.node(otherwise));
        let difference = self.graph.binary(BinaryOp::Sub, then, otherwise);
        TargetType::of(self.graph.mul_add(bit.0, difference, otherwise))
    }

    /// `1 − bit`
    #[track_caller]
    pub fn not(&mut self, bit: BitTarget) -> BitTarget {
        self.here();
        let one = 1.node(&mut self.graph);
        BitTarget(self.graph.binary(BinaryOp::Sub, one, bit.0))
    }

    /// `a` to a constant power, by squaring.
    #[track_caller]
    pub fn exp<T: TargetType + Operand<Type = T>>(&mut self, a: T, exponent: u64) -> T {
        self.here();
        let mut result = None;
        let mut base = a.id();
        let mut left = exponent;
        while left > 0 {
            if left & 1 == 1 {
                result = Some(match result {
                    Some(result) => self.graph.binary(BinaryOp::Mul, result, base),
                    None => base,
                });
            }
            left >>= 1;
            if left > 0 {
                base = self.graph.binary(BinaryOp::Mul, base, base);
            }
        }
        T::of(result.unwrap_or_else(|| 1.node(&mut self.graph)))
    }

    /// The lowest `count` bits of a value that has no others, least significant first.
    ///
    /// A value with more bits has no witness. Building fails if `count` bits can represent an element in two
    /// ways, that is, unless `2^count` is at most the field's order.
    #[track_caller]
    pub fn bits(&mut self, a: Target, count: u32) -> Vec<BitTarget> {
        self.here();
        if count >= self.field().bits() {
            self.errors.push(BuildError::TooManyBits { count, field_bits: self.field().bits() });
        }
        let bits = self.graph.hint(HintKind::Bits(count), &[a.0]);
        for &bit in &bits {
            self.graph.assert_bit(bit);
        }
        let bits: Vec<BitTarget> = bits.into_iter().map(BitTarget).collect();
        let sum = self.from_bits(&bits);
        self.graph.assert_eq(sum.0, a.0);
        bits
    }

    /// `Σ bit · 2^i`, least significant first.
    #[track_caller]
    pub fn from_bits(&mut self, bits: &[BitTarget]) -> Target {
        self.here();
        let (two, mut sum) = (2.node(&mut self.graph), 0.node(&mut self.graph));
        for bit in bits.iter().rev() {
            sum = self.graph.mul_add(sum, two, bit.0);
        }
        Target(sum)
    }

    /// The coefficients of an extension element, the constant one first.
    #[track_caller]
    pub fn coefficients(&mut self, a: ExtTarget) -> Vec<Target> {
        self.here();
        if !self.value_type(a.0).is_ext() {
            // A lifted base element: its other coefficients are zero.
            let zero = Target(0.node(&mut self.graph));
            let mut coefficients = vec![zero; self.field().degree()];
            coefficients[0] = Target(a.0);
            return coefficients;
        }
        self.graph.coefficients(a.0).into_iter().map(Target).collect()
    }

    /// The extension element with given coefficients, the constant one first; missing ones are zero.
    ///
    /// More coefficients than the degree are an error of the build.
    #[track_caller]
    pub fn from_coefficients(&mut self, coefficients: &[Target]) -> ExtTarget {
        self.here();
        let degree = self.field().degree();
        if coefficients.len() > degree {
            let count = coefficients.len();
            self.errors.push(BuildError::TooManyCoefficients { count, degree });
        }
        let mut nodes: Vec<_> = coefficients.iter().take(degree).map(|target| target.0).collect();
        while nodes.len() < degree {
            nodes.push(0.node(&mut self.graph));
        }
        ExtTarget(self.graph.from_coefficients(&nodes))
    }

    /// `Σ factorᵏ · value_k`: a combination by powers, evaluated by Horner's rule.
    #[track_caller]
    pub fn combine<F: Operand>(
        &mut self,
        factor: F,
        values: &[impl Into<AnyTarget> + Copy],
    ) -> ExtTarget {
        self.here();
        let factor = self.node(factor);
        let mut sum = None;
        for &value in values.iter().rev() {
            let value: AnyTarget = value.into();
            sum = Some(match sum {
                Some(sum) => self.graph.mul_add(sum, factor, value.0),
                None => value.0,
            });
        }
        ExtTarget(sum.unwrap_or_else(|| 0.node(&mut self.graph)))
    }
}
