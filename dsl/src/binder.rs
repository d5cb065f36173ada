//! Binding: from the fields of a struct to columns, public values and ports.
//!
//! The generated `bind` runs once to allocate, and again wherever the same columns are meant elsewhere:
//! for the row below, and for an embedded chip whose inputs became known. Every run after the first
//! replays the log of the first, so the two can never disagree about the layout.

use std::rc::Rc;

use chipwright_ir::chip::{
    Cell as IrCell, CellType, Column, ColumnId, ColumnKind, Group, PortId, Public, PublicId,
    StepPart,
};

use crate::cell::{Cell, PublicValue};
use crate::embed::Embedded;
use crate::ports::PortPlace;
use crate::recording::{Arena, ErrorKind};
use crate::schema::{Chip, ColumnType, FieldSpec, Layout, PortGroup, PortType, PublicType};

/// What one field was bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    Columns {
        start: ColumnId,
        len: usize,
    },
    /// The inputs of an embedded chip: cells of the chip around it.
    Inputs {
        len: usize,
    },
    Publics {
        start: PublicId,
    },
    Port(PortId),
    Embedded(usize),
}

/// Binds the fields of a chip, one call a field.
#[derive(Debug)]
pub struct Binder<'a> {
    arena: &'static Arena,
    mode: Mode<'a>,
}

#[derive(Debug)]
enum Mode<'a> {
    /// The first time: everything is new.
    Allocate { prefix: &'a str, log: &'a mut Vec<Entry> },
    /// Every other time.
    Replay { log: &'a [Entry], next: bool, inputs: &'a [Cell], given: usize, step: usize },
}

impl<'a> Binder<'a> {
    /// Allocates; names start with `prefix`, which is empty except for an embedded chip.
    pub(crate) fn allocate(
        arena: &'static Arena,
        prefix: &'a str,
        log: &'a mut Vec<Entry>,
    ) -> Self {
        Self { arena, mode: Mode::Allocate { prefix, log } }
    }

    /// Finds again what was allocated, on this row or the one below.
    pub(crate) fn replay(
        arena: &'static Arena,
        log: &'a [Entry],
        next: bool,
        inputs: &'a [Cell],
    ) -> Self {
        Self { arena, mode: Mode::Replay { log, next, inputs, given: 0, step: 0 } }
    }

    /// Binds a column.
    pub fn column<T: ColumnType>(&mut self, spec: FieldSpec) -> T::Row {
        let arena = self.arena;
        let (cells, rules) = self.cells(&spec, &T::type_name(), &|| T::cells(arena.field()));
        let mut place = Place { arena, cells: cells.into_iter(), spec: rules.then_some(&spec) };
        T::bind(&mut place)
    }

    /// Binds `len` consecutive columns of one type: `#[len(..)] Vec<T>`.
    pub fn columns<T: ColumnType>(&mut self, spec: FieldSpec, len: usize) -> Vec<T::Row> {
        let arena = self.arena;
        let (cells, rules) = self.cells(&spec, &format!("[{}; {len}]", T::type_name()), &|| {
            let mut layout = Layout::new(arena.field());
            for index in 0..len {
                layout.element::<T>(index);
            }
            layout.into_cells()
        });
        let mut place = Place { arena, cells: cells.into_iter(), spec: rules.then_some(&spec) };
        (0..len).map(|_| T::bind(&mut place)).collect()
    }

    /// Binds a public value.
    pub fn public<T: PublicType>(&mut self, spec: FieldSpec) -> T::Row {
        let start = match self.replayed() {
            Some(Entry::Publics { start }) => start,
            Some(entry) => unreachable!("`bind` visits {} in another order: {entry:?}", spec.name),
            None => {
                let mut layout = Layout::new(self.arena.field());
                T::layout(&mut layout);
                let names = layout.into_cells();
                let prefix = self.prefix();
                let start = self.arena.with(|state| {
                    if !prefix.is_empty() {
                        state.error(
                            Some(spec.location),
                            ErrorKind::EmbeddedPublic { name: format!("{prefix}{}", spec.name) },
                        );
                    }
                    let start = PublicId::new(state.publics.len());
                    let part =
                        spec.part.map(|(role, name)| StepPart { role, name: name.to_owned() });
                    state.publics.extend(names.iter().map(|(suffix, _)| Public {
                        name: format!("{}{suffix}", spec.name),
                        part: part.clone(),
                    }));
                    start
                });
                self.log(Entry::Publics { start });
                start
            }
        };
        T::bind(&mut PublicPlace { arena: self.arena, next: start })
    }

    /// Binds a port.
    pub fn port<P: PortType>(&mut self, spec: FieldSpec) -> P {
        let known = match self.replayed() {
            Some(Entry::Port(id)) => Some(id),
            Some(entry) => unreachable!("`bind` visits {} in another order: {entry:?}", spec.name),
            None => None,
        };
        let prefix = self.prefix();
        let mut place = PortPlace::new(self.arena, &spec, &prefix, known);
        let port = P::bind(&mut place);
        if known.is_none() {
            let id = place.id();
            self.log(Entry::Port(id));
        }
        port
    }

    /// Binds a group of ports.
    pub fn ports<G: PortGroup>(&mut self) -> G {
        G::bind(self)
    }

    /// Places the columns of another chip in this row.
    pub fn embed<C: Chip>(&mut self, spec: FieldSpec) -> Embedded<C> {
        let index = match self.replayed() {
            Some(Entry::Embedded(index)) => index,
            Some(entry) => unreachable!("`bind` visits {} in another order: {entry:?}", spec.name),
            None => {
                let prefix = format!("{}{}.", self.prefix(), spec.name);
                let mut log = Vec::new();
                C::bind(&mut Binder::allocate(self.arena, &prefix, &mut log));
                let index = self.arena.with(|state| {
                    state.embeddings.push(Rc::new(log));
                    state.embeddings.len() - 1
                });
                self.log(Entry::Embedded(index));
                index
            }
        };
        Embedded::new(index)
    }

    fn prefix(&self) -> String {
        match &self.mode {
            Mode::Allocate { prefix, .. } => (*prefix).to_owned(),
            Mode::Replay { .. } => String::new(),
        }
    }

    fn log(&mut self, entry: Entry) {
        if let Mode::Allocate { log, .. } = &mut self.mode {
            log.push(entry);
        }
    }

    fn replayed(&mut self) -> Option<Entry> {
        match &mut self.mode {
            Mode::Allocate { .. } => None,
            Mode::Replay { log, step, .. } => {
                *step += 1;
                Some(log[*step - 1])
            }
        }
    }

    /// The cells of a column, and whether they are new, so that its type has rules to emit.
    fn cells(
        &mut self,
        spec: &FieldSpec,
        type_name: &str,
        layout: &dyn Fn() -> Vec<(String, CellType)>,
    ) -> (Vec<Cell>, bool) {
        let arena = self.arena;
        let handles = |start: ColumnId, len: usize, next: bool| {
            (0..len)
                .map(|offset| Cell {
                    arena,
                    cell: IrCell { column: ColumnId::new(start.index() + offset), next },
                })
                .collect::<Vec<_>>()
        };
        match &mut self.mode {
            Mode::Replay { log, next, inputs, given, step } => {
                *step += 1;
                match log[*step - 1] {
                    Entry::Columns { start, len } => (handles(start, len, *next), false),
                    Entry::Inputs { len } => {
                        *given += len;
                        let cells = inputs[*given - len..*given].iter().map(|&input| {
                            let next = input.cell.next || *next;
                            Cell { arena, cell: IrCell { next, ..input.cell } }
                        });
                        (cells.collect(), false)
                    }
                    entry => {
                        unreachable!("`bind` visits {} in another order: {entry:?}", spec.name)
                    }
                }
            }
            Mode::Allocate { prefix, log } => {
                let embedded = !prefix.is_empty();
                let layout = layout();
                if embedded && spec.kind == ColumnKind::Input {
                    let len = layout.len();
                    log.push(Entry::Inputs { len });
                    // No cells yet: the handles are never used, since the chip is bound again when
                    // its inputs are known.
                    return (handles(ColumnId(0), len, false), false);
                }
                let kind = match spec.kind {
                    ColumnKind::Input | ColumnKind::Output | ColumnKind::Record if embedded => {
                        ColumnKind::Private
                    }
                    kind => kind,
                };
                let name = format!("{prefix}{}", spec.name);
                let start = arena.with(|state| {
                    state.allocate(
                        Group {
                            name: name.clone(),
                            kind,
                            type_name: type_name.to_owned(),
                            start: ColumnId(0),
                            len: 0,
                            doc: spec.doc.to_owned(),
                            free: spec.free.map(str::to_owned),
                            location: Some(spec.location),
                        },
                        layout.iter().map(|(suffix, ty)| Column {
                            name: format!("{name}{suffix}"),
                            kind,
                            ty: *ty,
                        }),
                    )
                });
                log.push(Entry::Columns { start, len: layout.len() });
                let typed =
                    !matches!(kind, ColumnKind::Input | ColumnKind::Fixed | ColumnKind::Periodic);
                (handles(start, layout.len(), false), typed)
            }
        }
    }
}

/// The cells of a column while its type binds them.
#[derive(Debug)]
pub struct Place<'a> {
    arena: &'static Arena,
    cells: std::vec::IntoIter<Cell>,
    /// Set the first time, for columns whose type has rules.
    spec: Option<&'a FieldSpec>,
}

impl Place<'_> {
    /// The next cell of the layout; its type's rule is recorded with it.
    ///
    /// # Panics
    ///
    /// Panics if the type's `bind` takes more cells than its `layout` has.
    pub fn cell(&mut self) -> Cell {
        let cell = self.cells.next().expect("`bind` takes as many cells as `layout` has");
        if let Some(spec) = self.spec {
            self.arena.with(|state| state.type_rule(cell.cell.column, spec.location));
        }
        cell
    }

    /// Records that exactly one of the cells is one on every real row, and none on padding rows.
    pub fn exactly_one(&mut self, cells: &[Cell]) {
        if let Some(spec) = self.spec {
            let nodes: Vec<_> = cells.iter().map(|cell| cell.cell).collect();
            self.arena.with(|state| state.one_hot_rule(&nodes, spec.name, spec.location));
        }
    }

    /// The field that is recorded over.
    pub fn field(&self) -> chipwright_ir::Field {
        self.arena.field()
    }
}

/// Public values while their type binds them.
#[derive(Debug)]
pub struct PublicPlace {
    arena: &'static Arena,
    next: PublicId,
}

impl PublicPlace {
    /// The next value.
    pub fn value(&mut self) -> PublicValue {
        let id = self.next;
        self.next = PublicId::new(id.index() + 1);
        PublicValue { arena: self.arena, id }
    }

    /// The field that is recorded over.
    pub fn field(&self) -> chipwright_ir::Field {
        self.arena.field()
    }
}
