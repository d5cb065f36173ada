//! placeholder
use super::rows::Row;
use super::slots::Slots;
pub(super) fn row_text(_c: &Slots, row: Row<'_>) -> String {
    format!("{:?}", row.op)
}
