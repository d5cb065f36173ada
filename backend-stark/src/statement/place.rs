//! What a statement knows of a column.

use chipwright_ir::chip::{CellType, Column, ColumnKind};
use serde::{Deserialize, Serialize};

/// The trace that a column belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Place {
    Main,
    /// Of the bits of each cell, 0 for any element.
    Fixed(u8),
    Periodic,
}

impl Place {
    /// The place of a column.
    pub(super) const fn of(column: &Column) -> Self {
        match (column.kind, column.ty) {
            (ColumnKind::Fixed, CellType::Bits(bits)) => Self::Fixed(bits),
            (ColumnKind::Fixed, _) => Self::Fixed(0),
            (ColumnKind::Periodic, _) => Self::Periodic,
            _ => Self::Main,
        }
    }

    /// A column of that place, without a name.
    pub(super) const fn column(self) -> Column {
        let (kind, ty) = match self {
            Self::Main => (ColumnKind::Private, CellType::Felt),
            Self::Fixed(0) => (ColumnKind::Fixed, CellType::Felt),
            Self::Fixed(bits) => (ColumnKind::Fixed, CellType::Bits(bits)),
            Self::Periodic => (ColumnKind::Periodic, CellType::Felt),
        };
        Column { name: String::new(), kind, ty }
    }
}
