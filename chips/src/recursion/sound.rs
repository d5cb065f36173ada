//! Which scripts are sound: those whose every result follows from what the call is given and from its private data.
//!
//! Fixed columns bind a row's cells to those of the row before, so whether a cell means anything depends on the rows
//! before. A script is therefore read by a state machine. A [`Stage`] says what the rows so far have bound; a row that
//! needs more than that is refused, and so is a script that ends where something is left open.
//!
//! | stage | the rows so far bind | rows that may follow |
//! |---|---|---|
//! | start | nothing | `Begin`, `Leaf` |
//! | absorbed | the state of a transcript | `Absorb`, `Echo`, `Rest` |
//! | sampled | the same, and what it is resumed with | `Resume`, `Echo`, `Rest` |
//! | leaf | the digest of a leaf, its sums; if it was entered, its index and the point | `LeafNext`, `Echo`, `Rest`; `Inject` and parents if it was entered |
//! | node | the digest of a node, and what is left of the index | `Inject`, parents; `Rest` if the path has ended |
//! | over | nothing | `Rest` |
//!
//! What else a result needs:
//!
//! - A *sum* is bound in the row behind a leaf that combines, or that has folded its coset to the last evaluation.
//! - The *evaluation at the own place* is bound where a fold's sum is.
//! - *Bits of the index* are bound by the entry of the cap where the path ends and by nothing before: until then any bit
//!   can be made up for by what is left of the index. So a path that has used a bit has to end, and shows no digest.
//!   Bits and position together stay below the order of the field, or an index would have a second path.
//! - A path *ends* with the digest of a leaf that was entered or of a node, in a tree. Trees are numbered from 1: the
//!   unused rows of the table of caps are those of number zero, and hold anything.
//! - What a row adds to a sum is bound in the next row, so the last row adds nothing.

use chipwright_ir::Field;

use super::index::path_bits;
use super::native::HashSizes;
use super::script::{Leaf, RowKind, RowSpec, Script};

/// What the rows so far bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Absorbed,
    Sampled,
    /// With what the last row does with its elements.
    Leaf(Leaf),
    Node,
    Over,
}

/// The state machine that reads a script.
#[derive(Clone, Copy, Debug)]
struct Reader {
    field: Field,
    stage: Stage,
    /// Whether the index and the point came from the bus.
    entered: bool,
    /// How many bits of the index the path has used.
    bits: usize,
    /// Whether the path has ended.
    ended: bool,
}

/// Whether every result of a call follows from its inputs and its private data.
pub(super) fn is_sound(script: &Script, field: Field) -> bool {
    let start = Reader { field, stage: Stage::Start, entered: false, bits: 0, ended: false };
    let read = script.rows.iter().try_fold(start, Reader::read);
    let adds_nothing = script.rows.last().is_some_and(|row| row.leaf == Leaf::Plain);
    let tree_is_known = script.tree < field.modulus();
    read.is_some_and(|reader| {
        let is_open = reader.bits > 0 || reader.stage == Stage::Node;
        adds_nothing
            && tree_is_known
            && reader.ended == (script.tree > 0)
            && (reader.ended || !is_open)
            && reader.bits <= path_bits(field) as usize
    })
}

impl Reader {
    /// Reads a row; `None` if it needs what the rows before do not bind.
    fn read(self, row: &RowSpec) -> Option<Self> {
        if !elements_fit(row, self.field) || !self.takes_leaf(row) {
            return None;
        }
        let stage = self.next_stage(row)?;
        let entered = self.entered || row.enter;
        let begins_a_place = row.kind != RowKind::LeafNext;
        let bits = self.bits + if begins_a_place { row.index_bits() } else { 0 };

        let left = match self.stage {
            Stage::Leaf(leaf) if begins_a_place => leaf,
            _ => Leaf::Plain,
        };
        let sum_is_bound = left != Leaf::Plain;
        let own_is_bound = matches!(left, Leaf::Fold { .. });
        if row.sum && !sum_is_bound || row.own && !own_is_bound {
            return None;
        }
        let has_place = match stage {
            Stage::Leaf(leaf) => entered && self.is_whole(leaf),
            Stage::Node => true,
            _ => false,
        };
        if row.end && !has_place {
            return None;
        }
        Some(Self { stage, entered, bits, ended: self.ended || row.end, ..self })
    }

    fn next_stage(self, row: &RowSpec) -> Option<Stage> {
        use RowKind::{
            Absorb, Begin, Echo, Inject, Leaf as Leaf_, LeafNext, Parent2, Parent4, Rest, Resume,
        };
        let goes_up = self.entered && !self.ended;
        Some(match (self.stage, row.kind) {
            (Stage::Start, Begin) | (Stage::Absorbed, Absorb) | (Stage::Sampled, Resume) => {
                Stage::Absorbed
            }
            (Stage::Absorbed | Stage::Sampled, Echo) => Stage::Sampled,
            (Stage::Start, Leaf_) => Stage::Leaf(row.leaf),
            (Stage::Leaf(_), LeafNext) if !self.ended => Stage::Leaf(row.leaf),
            (Stage::Leaf(leaf), _) if !self.is_whole(leaf) => return None,
            (Stage::Leaf(_), Echo) if !self.ended => Stage::Over,
            (Stage::Leaf(_) | Stage::Node, Parent4 | Parent2 | Inject) if goes_up => Stage::Node,
            (Stage::Node, Rest) if !self.ended => return None,
            (Stage::Start, Rest) => return None,
            (_, Rest) => Stage::Over,
            _ => return None,
        })
    }

    /// Whether what a row does with the elements of a leaf goes on with what the row before did.
    fn takes_leaf(self, row: &RowSpec) -> bool {
        let before = match (row.kind, self.stage) {
            (RowKind::Leaf, _) => None,
            (RowKind::LeafNext, Stage::Leaf(before)) if !row.enter => Some(before),
            _ => return row.leaf == Leaf::Plain && !row.enter,
        };
        match (row.leaf, before) {
            (Leaf::Plain, before) => before.is_none_or(|before| before == Leaf::Plain),
            // A sum begins with the point.
            (Leaf::Combine, None) => row.enter,
            (Leaf::Combine, Some(before)) => before == Leaf::Combine,
            (Leaf::Fold { log_arity, part }, before) => {
                let follows = match before {
                    None => part == 0 && row.enter,
                    Some(before) => {
                        Some(before)
                            == part.checked_sub(1).map(|part| Leaf::Fold { log_arity, part })
                    }
                };
                let evaluations = row.fold_part(self.field).map(|part| part.count);
                follows && evaluations.map(|count| count * self.field.degree()) == Some(row.taken)
            }
        }
    }

    /// Whether a leaf has folded all evaluations of its coset, if it folds.
    fn is_whole(self, leaf: Leaf) -> bool {
        match leaf {
            Leaf::Plain | Leaf::Combine => true,
            Leaf::Fold { log_arity, part } => {
                let last = Leaf::Fold { log_arity, part: part + 1 };
                RowSpec { leaf: last, ..RowSpec::new(RowKind::LeafNext, 0) }
                    .fold_part(self.field)
                    .is_none()
            }
        }
    }
}

/// Whether a row absorbs, is given and shows elements that its kind has, and no element twice.
fn elements_fit(row: &RowSpec, field: Field) -> bool {
    let sizes = HashSizes::of(field);
    let is_absorbing = row.is_absorbing();
    if row.taken > sizes.rate() || row.joined && !is_absorbing {
        return false;
    }
    let Some(said) = row.said(field) else { return false };
    let absorbed = (1_u32 << row.taken) - 1;
    let (takes, read, written) = (row.taken > 0, row.read, row.written);
    match row.kind {
        // What a transcript absorbs is on the bus, every element of it.
        RowKind::Begin | RowKind::Absorb | RowKind::Resume => {
            takes && read & written == 0 && read | said == absorbed
        }
        RowKind::Leaf | RowKind::LeafNext => takes && read == 0 && written & !absorbed == 0,
        RowKind::Echo => !takes && read == 0 && written >> sizes.rate() == 0,
        RowKind::Inject => !takes && read == sizes.mask(1) && written == 0,
        RowKind::Parent4 | RowKind::Parent2 | RowKind::Rest => !takes && read | written == 0,
    }
}
