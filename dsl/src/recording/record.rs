//! Recording a chip: once per type and field.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chipwright_ir::Field;
use chipwright_ir::chip::{Chip as IrChip, FixedData, Section};

use super::error::{ErrorKind, RecordingErrors};
use super::{Arena, finish};
use crate::binder::Binder;
use crate::builder::Builder;
use crate::schema::{Cells, Chip};

type Recorded = Result<Arc<IrChip>, RecordingErrors>;

static RECORDED: Mutex<BTreeMap<(TypeId, Field), Recorded>> = Mutex::new(BTreeMap::new());

/// The IR of a chip over a field. The rules run on the first call; later calls return the same recording.
///
/// # Errors
///
/// All mistakes of the recording, each with its source line.
pub fn record<C: Chip>(field: Field) -> Result<Arc<IrChip>, RecordingErrors> {
    record_once((TypeId::of::<C>(), field), record_fresh::<C>)
}

/// What of [`record`] is the same for all chips.
fn record_once(
    key: (TypeId, Field),
    fresh: fn(Field) -> Result<IrChip, RecordingErrors>,
) -> Recorded {
    let known = RECORDED.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(recorded) = known {
        return recorded;
    }
    // Not under the lock: a chip's rules may record another chip.
    let recorded = fresh(key.1).map(Arc::new);
    let mut cache = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    cache.entry(key).or_insert(recorded).clone()
}

fn record_fresh<C: Chip>(field: Field) -> Result<IrChip, RecordingErrors> {
    let name = C::name();
    let arena = Arena::leak(name.clone(), field, C::OPTIONS.dense);
    let mut log = Vec::new();
    let row = C::bind(&mut Binder::allocate(arena, "", &mut log));
    let next = C::bind(&mut Binder::replay(arena, &log, true, &[]));

    require_bits(arena, C::OPTIONS.field_bits);

    let builder = Builder::new(arena);
    builder.section(Section::Row, &|| C::row(&builder, &row));
    builder.section(Section::First, &|| C::first(&builder, &row));
    builder.section(Section::Step, &|| C::step(&builder, &row, &next));
    builder.section(Section::Last, &|| C::last(&builder, &row));

    let fixed = fixed_data::<C>(field, &C::fixed(field));
    let periodic = C::periodic(field);
    let periodic =
        columns(field, periodic.len(), &|row, cells| C::store_periodic(&periodic[row], cells));
    finish::finish(name, C::DOC, arena.take(), fixed, periodic)
}

fn require_bits(arena: &Arena, needed: u32) {
    let field = arena.field();
    if field.bits() < needed {
        let kind =
            ErrorKind::FieldTooSmall { needed, field: field.to_string(), bits: field.bits() };
        arena.with(|state| state.error(None, kind));
    }
}

/// The fixed columns of a chip, from native rows; `None` if there are no rows.
pub(crate) fn fixed_data<C: Chip>(field: Field, rows: &[C::Fixed]) -> Option<FixedData> {
    let columns = columns(field, rows.len(), &|row, cells| C::store_fixed(&rows[row], cells));
    (!columns.is_empty()).then_some(FixedData { columns })
}

fn columns(field: Field, rows: usize, store: &dyn Fn(usize, &mut Cells<'_>)) -> Vec<Vec<u64>> {
    let mut columns: Vec<Vec<u64>> = Vec::new();
    let mut cells = Vec::new();
    for row in 0..rows {
        cells.clear();
        store(row, &mut Cells::new(field, &mut cells));
        columns.resize_with(cells.len(), Vec::new);
        for (column, &cell) in columns.iter_mut().zip(&cells) {
            column.push(cell);
        }
    }
    columns
}
