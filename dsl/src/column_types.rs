//! The column types of the library: base-field elements, bits, limbs, words, arrays and tuples.

use chipwright_ir::chip::CellType;

use crate::binder::{Place, PublicPlace};
use crate::cell::{Bit, Bounded, Cell, Flag, Limb, PublicValue, U32, Word};
use crate::expr::Expr;
use crate::schema::{As, Cells, ColumnType, Elements, Layout, PublicType};

/// Any base-field element; its handle is a [`Cell`].
#[derive(Clone, Copy, Debug)]
pub enum Felt {}

/// Four base-field elements: a hash over Goldilocks.
pub type Digest = [Felt; 4];

impl ColumnType for Felt {
    type Row = Cell;
    type Native = u64;

    fn type_name() -> String {
        "felt".to_owned()
    }

    fn layout(layout: &mut Layout) {
        layout.cell(CellType::Felt);
    }

    fn bind(place: &mut Place<'_>) -> Cell {
        place.cell()
    }

    fn store(native: &u64, cells: &mut Cells<'_>) {
        cells.push(*native);
    }
}

impl<X: Into<Expr>> As<Felt> for X {
    fn elements(self, out: &mut Elements) {
        out.push(self);
    }
}

impl PublicType for Felt {
    type Row = PublicValue;
    type Native = u64;

    fn layout(layout: &mut Layout) {
        layout.cell(CellType::Felt);
    }

    fn bind(place: &mut PublicPlace) -> PublicValue {
        place.value()
    }

    fn store(native: &u64, cells: &mut Cells<'_>) {
        cells.push(*native);
    }
}

impl ColumnType for Bit {
    type Row = Self;
    type Native = bool;

    fn type_name() -> String {
        "bit".to_owned()
    }

    fn layout(layout: &mut Layout) {
        layout.cell(CellType::BIT);
    }

    fn bind(place: &mut Place<'_>) -> Self {
        Self(place.cell())
    }

    fn store(native: &bool, cells: &mut Cells<'_>) {
        cells.push(u64::from(*native));
    }
}

impl<X: Into<Flag>> As<Bit> for X {
    fn elements(self, out: &mut Elements) {
        out.push(self.into().0);
    }
}

macro_rules! limb {
    ($bits:literal, $native:ty) => {
        impl ColumnType for Limb<$bits> {
            type Row = Self;
            type Native = $native;

            fn type_name() -> String {
                concat!("u", $bits).to_owned()
            }

            fn layout(layout: &mut Layout) {
                layout.cell(CellType::Bits($bits));
            }

            fn bind(place: &mut Place<'_>) -> Self {
                Self(place.cell())
            }

            fn store(native: &$native, cells: &mut Cells<'_>) {
                cells.push(u64::from(*native));
            }
        }

        impl<X: Into<Bounded<$bits>>> As<Limb<$bits>> for X {
            fn elements(self, out: &mut Elements) {
                out.push(self.into().0);
            }
        }
    };
}

limb!(8, u8);
limb!(16, u16);

impl ColumnType for U32 {
    type Row = Self;
    type Native = u32;

    fn type_name() -> String {
        "u32".to_owned()
    }

    fn layout(layout: &mut Layout) {
        <[Limb<16>; 2]>::layout(layout);
    }

    fn bind(place: &mut Place<'_>) -> Self {
        Self(<[Limb<16>; 2]>::bind(place))
    }

    fn store(native: &u32, cells: &mut Cells<'_>) {
        cells.push(u64::from(*native & 0xffff));
        cells.push(u64::from(*native >> 16));
    }
}

impl<X: Into<Word>> As<U32> for X {
    fn elements(self, out: &mut Elements) {
        for half in self.into().0 {
            out.push(half);
        }
    }
}

impl As<[Felt; 2]> for U32 {
    fn elements(self, out: &mut Elements) {
        for half in self.0 {
            out.push(half);
        }
    }
}

impl As<[Felt; 2]> for u32 {
    fn elements(self, out: &mut Elements) {
        for half in Word::from(self).0 {
            out.push(half);
        }
    }
}

impl<T: ColumnType, const N: usize> ColumnType for [T; N] {
    type Row = [T::Row; N];
    type Native = [T::Native; N];

    fn type_name() -> String {
        format!("[{}; {N}]", T::type_name())
    }

    fn layout(layout: &mut Layout) {
        for index in 0..N {
            layout.element::<T>(index);
        }
    }

    fn bind(place: &mut Place<'_>) -> Self::Row {
        std::array::from_fn(|_| T::bind(place))
    }

    fn store(native: &Self::Native, cells: &mut Cells<'_>) {
        for element in native {
            T::store(element, cells);
        }
    }
}

impl<T: ColumnType, X: As<T>, const N: usize> As<[T; N]> for [X; N] {
    fn elements(self, out: &mut Elements) {
        for element in self {
            element.elements(out);
        }
    }
}

impl<T: PublicType, const N: usize> PublicType for [T; N] {
    type Row = [T::Row; N];
    type Native = [T::Native; N];

    fn layout(layout: &mut Layout) {
        for index in 0..N {
            layout.within(&format!("[{index}]"), T::layout);
        }
    }

    fn bind(place: &mut PublicPlace) -> Self::Row {
        std::array::from_fn(|_| T::bind(place))
    }

    fn store(native: &Self::Native, cells: &mut Cells<'_>) {
        for element in native {
            T::store(element, cells);
        }
    }
}

macro_rules! tuple {
    ($count:literal; $($type:ident $value:ident $index:tt),*) => {
        impl<$($type: ColumnType),*> ColumnType for ($($type,)*) {
            type Row = ($($type::Row,)*);
            type Native = ($($type::Native,)*);

            fn type_name() -> String {
                let names: [String; $count] = [$($type::type_name()),*];
                format!("({})", names.join(", "))
            }

            #[allow(unused_variables)]
            fn layout(layout: &mut Layout) {
                $(layout.within(concat!(".", $index), $type::layout);)*
            }

            #[allow(unused_variables, clippy::unused_unit)]
            fn bind(place: &mut Place<'_>) -> Self::Row {
                ($($type::bind(place),)*)
            }

            #[allow(unused_variables)]
            fn store(native: &Self::Native, cells: &mut Cells<'_>) {
                $($type::store(&native.$index, cells);)*
            }
        }

        impl<$($type: ColumnType, $value: As<$type>),*> As<($($type,)*)> for ($($value,)*) {
            #[allow(unused_variables)]
            fn elements(self, out: &mut Elements) {
                $(self.$index.elements(out);)*
            }
        }
    };
}

tuple!(0;);
tuple!(1; A X0 0);
tuple!(2; A X0 0, B X1 1);
tuple!(3; A X0 0, B X1 1, C X2 2);
tuple!(4; A X0 0, B X1 1, C X2 2, D X3 3);
tuple!(5; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4);
tuple!(6; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5);
tuple!(7; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6);
tuple!(8; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7);
tuple!(9; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8);
tuple!(10; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8, J X9 9);
tuple!(11; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8, J X9 9, K X10 10);
tuple!(12; A X0 0, B X1 1, C X2 2, D X3 3, E X4 4, F X5 5, G X6 6, H X7 7, I X8 8, J X9 9, K X10 10, L X11 11);
