//! Cutting a value into parts.

use std::panic::Location;

use chipwright_ir::chip::{Cell as IrCell, FillOp};

use super::{Builder, Rule};
use crate::cell::{Bit, Limb, U32};
use crate::expr::{Binary, Expr};
use crate::recording::ErrorKind;

/// Cells that a value can be cut into, the lowest first; their widths come from their types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how many bits it has",
    note = "parts are bits, limbs, words, and tuples, arrays and slices of these"
)]
pub trait Parts {
    /// Appends the cells with their widths in bits.
    fn parts(&self, out: &mut Vec<(IrCell, u8)>);
}

impl Parts for Bit {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        out.push((self.0.cell, 1));
    }
}

impl<const BITS: usize> Parts for Limb<BITS> {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        out.push((self.0.cell, BITS as u8));
    }
}

impl Parts for U32 {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        self.0.parts(out);
    }
}

impl<P: Parts> Parts for [P] {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        for part in self {
            part.parts(out);
        }
    }
}

impl<P: Parts, const N: usize> Parts for [P; N] {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        self.as_slice().parts(out);
    }
}

impl<P: Parts> Parts for Vec<P> {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        self.as_slice().parts(out);
    }
}

impl<P: Parts + ?Sized> Parts for &P {
    fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
        (**self).parts(out);
    }
}

macro_rules! tuple_parts {
    ($($type:ident $index:tt),*) => {
        impl<$($type: Parts),*> Parts for ($($type,)*) {
            fn parts(&self, out: &mut Vec<(IrCell, u8)>) {
                $(self.$index.parts(out);)*
            }
        }
    };
}

tuple_parts!(A 0);
tuple_parts!(A 0, B 1);
tuple_parts!(A 0, B 1, C 2);
tuple_parts!(A 0, B 1, C 2, D 3);
tuple_parts!(A 0, B 1, C 2, D 3, E 4);

impl Builder {
    /// Demands `value = Σ part · 2^offset`, the lowest part first, and cuts the value into the parts.
    ///
    /// Recording fails unless the value is known, from the types of what it reads, to fit the parts, and the
    /// parts to fit the field: then the parts are the only ones possible.
    #[track_caller]
    pub fn split(&self, value: impl Into<Expr>, parts: impl Parts) -> Rule {
        let location = Location::caller();
        let value = self.node(value.into(), location);
        let mut widths = Vec::new();
        parts.parts(&mut widths);
        Rule::around(self, || {
            self.arena.with(|state| {
                let bits: u32 = widths.iter().map(|part| u32::from(part.1)).sum();
                let modulus = state.field.modulus();
                let max = 1_u128.checked_shl(bits).map_or(u128::MAX, |bound| bound - 1);
                if max >= u128::from(modulus) {
                    state.error(Some(location.into()), ErrorKind::SplitWraps { bits, modulus });
                }
                match state.interval(value) {
                    Ok((low, high)) if low < 0 || high as u128 > max => {
                        let kind = ErrorKind::SplitRange { low, high, max };
                        state.error(Some(location.into()), kind);
                    }
                    Ok(_) => {}
                    Err(what) => {
                        state.error(Some(location.into()), ErrorKind::SplitUnbounded { what });
                    }
                }
                let place = state.here();
                let label = state.label(location.into());
                let mut sum = state.constant(0);
                let mut offset = 0_u32;
                for &(cell, width) in &widths {
                    let weight = state.constant(1_i128.checked_shl(offset).unwrap_or(0));
                    let part = state.cell(cell);
                    let term = state.binary(Binary::Mul, weight, part);
                    sum = state.binary(Binary::Add, sum, term);
                    offset += u32::from(width);
                }
                state.fill(&place, FillOp::Split { parts: widths, value }, &label);
                state.rule(&place, value, sum, &label);
            });
        })
    }
}
