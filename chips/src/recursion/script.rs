//! Scripts: what each row of a call of the hash chip does. They are parameters of the call, and so part of the
//! verifying key.

use chipwright_ir::Field;
use chipwright_ir::circuit::{CallPort, ChipCall, Signature, ValueType};

use super::kernel::{FoldPart, fold_parts};
use super::native::HashSizes;
use super::sound::is_sound;

/// Ports of the chip: the absorbed elements come first, then the index, the point, the sum and the evaluation at the
/// own place.
struct Ports {
    entry: u16,
    point: u16,
    sum: u16,
    own: u16,
}

impl Ports {
    const fn of(sizes: HashSizes) -> Self {
        let entry = sizes.rate() as u16;
        Self { entry, point: entry + 1, sum: entry + 2, own: entry + 3 }
    }
}

/// How a row's state before the permutation comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A transcript begins: absorbs into the zero state, and marks the number of elements.
    Begin,
    /// A transcript goes on: overwrites the rate, with zeros beyond the absorbed elements, and marks their
    /// number.
    Absorb,
    /// As [`RowKind::Absorb`], after a [`RowKind::Echo`].
    Resume,
    /// The state after the previous row's permutation, unchanged: samples, or a digest.
    Echo,
    /// A leaf begins: absorbs into the zero state.
    Leaf,
    /// A leaf goes on: overwrites the first elements, and keeps the others.
    LeafNext,
    /// The parent of four nodes, one of which is the previous row's digest.
    Parent4,
    /// The parent of two nodes, one of which is the previous row's digest.
    Parent2,
    /// The parent of the previous row's digest and of a digest on the bus, which is the second one.
    Inject,
    /// Nothing: a place for the sums of the rows before.
    Rest,
}

/// What a leaf row does with the elements that it absorbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaf {
    /// Nothing.
    #[default]
    Plain,
    /// Adds them to a sum of powers: `sum' = point^r · sum + Σ point^(r − 1 − i) · element[i]` for a
    /// rate of `r` elements.
    Combine,
    /// Folds them: they are evaluations of a coset of `2^log_arity` points.
    Fold {
        /// The base-2 logarithm of the arity.
        log_arity: usize,
        /// Which row of the leaf this is.
        part: usize,
    },
}

/// One row.
#[allow(clippy::struct_excessive_bools, reason = "each says on its own what a row does")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSpec {
    /// How the state comes about.
    pub kind: RowKind,
    /// The number of elements absorbed: they come first.
    pub taken: usize,
    /// Which elements are given to the call: the row has copies of them.
    pub read: u32,
    /// Which elements the row puts on the bus.
    pub written: u32,
    /// Those of them that [`HashSizes::joined`] counts are first coefficients of extension elements, which the
    /// row puts on the bus as a whole.
    pub joined: bool,
    /// What is done with the elements.
    pub leaf: Leaf,
    /// Whether the index comes from the bus in this row.
    pub enter: bool,
    /// Whether the sum goes to the bus in this row.
    pub sum: bool,
    /// Whether the folded value of the round before is compared in this row.
    pub own: bool,
    /// Whether the path ends with this row's digest.
    pub end: bool,
}

impl RowSpec {
    /// A row that does nothing but its kind.
    pub const fn new(kind: RowKind, taken: usize) -> Self {
        Self {
            kind,
            taken,
            read: 0,
            written: 0,
            joined: false,
            leaf: Leaf::Plain,
            enter: false,
            sum: false,
            own: false,
            end: false,
        }
    }

    /// Two parameters of the call. What has no code gets one that is no row's, so that no chip answers the call.
    fn encode(&self) -> [u64; 2] {
        let (log_arity, part, combine) = match self.leaf {
            Leaf::Plain => (0, 0, 0),
            Leaf::Combine => (0, 0, 1),
            Leaf::Fold { log_arity: arity @ 1..16, part: part @ ..16 } => {
                (arity as u64, part as u64, 0)
            }
            Leaf::Fold { .. } => return [u64::MAX; 2],
        };
        if self.taken > 255 {
            return [u64::MAX; 2];
        }
        let flags = [self.enter, self.sum, self.own, self.end, self.joined];
        let flags = flags.iter().rev().fold(0, |bits, &flag| bits << 1 | u64::from(flag));
        let code = self.kind as u64
            | (self.taken as u64) << 4
            | log_arity << 12
            | part << 16
            | combine << 20
            | flags << 21;
        [code, u64::from(self.read) | u64::from(self.written) << 32]
    }

    fn decode(codes: [u64; 2]) -> Option<Self> {
        use RowKind::{
            Absorb, Begin, Echo, Inject, Leaf as Leaf_, LeafNext, Parent2, Parent4, Rest, Resume,
        };
        let [code, wires] = codes;
        let kinds = [Begin, Absorb, Resume, Echo, Leaf_, LeafNext, Parent4, Parent2, Inject, Rest];
        let kind = *kinds.get((code & 15) as usize)?;
        let flag = |i: u32| code >> (21 + i) & 1 == 1;
        let (log_arity, part) = ((code >> 12 & 15) as usize, (code >> 16 & 15) as usize);
        let leaf = match (log_arity, code >> 20 & 1) {
            (0, 0) => Leaf::Plain,
            (0, _) => Leaf::Combine,
            (_, 0) => Leaf::Fold { log_arity, part },
            _ => return None,
        };
        let row = Self {
            kind,
            taken: (code >> 4 & 255) as usize,
            read: wires as u32,
            written: (wires >> 32) as u32,
            leaf,
            enter: flag(0),
            sum: flag(1),
            own: flag(2),
            end: flag(3),
            joined: flag(4),
        };
        (row.encode() == codes).then_some(row)
    }

    /// The part of a FRI leaf that the row absorbs.
    pub(super) fn fold_part(&self, field: Field) -> Option<FoldPart> {
        let Leaf::Fold { log_arity, part } = self.leaf else { return None };
        fold_parts(field).into_iter().filter(|p| p.log_arity == log_arity).nth(part)
    }

    /// The number of elements of private data.
    pub(super) fn data(&self, sizes: HashSizes) -> usize {
        match self.kind {
            RowKind::Begin | RowKind::Absorb | RowKind::Resume => {
                self.taken.saturating_sub(self.read.count_ones() as usize)
            }
            RowKind::Leaf | RowKind::LeafNext => self.taken,
            RowKind::Parent4 => 3 * sizes.digest,
            RowKind::Parent2 => sizes.digest,
            RowKind::Echo | RowKind::Inject | RowKind::Rest => 0,
        }
    }

    /// The number of index bits that select the node's place among its siblings.
    pub(super) fn index_bits(&self) -> usize {
        match (self.kind, self.leaf) {
            (RowKind::Parent4, _) => 2,
            (RowKind::Parent2, _) => 1,
            (_, Leaf::Fold { log_arity, .. }) => log_arity,
            _ => 0,
        }
    }

    /// Whether the row is one of a transcript, and absorbs.
    pub(super) fn is_absorbing(&self) -> bool {
        matches!(self.kind, RowKind::Begin | RowKind::Absorb | RowKind::Resume)
    }

    /// Which elements the row puts on the bus, by themselves or as coefficients; `None` if an extension element is not
    /// whole.
    pub(super) fn said(&self, field: Field) -> Option<u32> {
        if !self.joined {
            return Some(self.written);
        }
        let degree = field.degree();
        let mut said = self.written;
        for first in HashSizes::joined(field).take_while(|&first| first < self.taken) {
            let others = ((1 << (degree - 1)) - 1) << (first + 1);
            let known = self.read | self.written;
            if self.written >> first & 1 == 0 || first + degree > self.taken || known & others != 0
            {
                return None;
            }
            said |= others;
        }
        Some(said)
    }

    /// The type of an element that the row puts on the bus.
    pub(super) fn written_type(&self, field: Field, element: usize) -> ValueType {
        let joined = self.joined && HashSizes::joined(field).any(|first| first == element);
        if joined { ValueType::Ext } else { ValueType::Felt }
    }

    /// Whether the row is the parent of the previous row's digest.
    pub(super) fn is_parent(&self) -> bool {
        matches!(self.kind, RowKind::Parent4 | RowKind::Parent2 | RowKind::Inject)
    }
}

/// The rows of one call: a transcript, a leaf, or one opening of a tree.
///
/// # Soundness
///
/// Any rows can be written down; the chip answers the call only if every result of it follows from its inputs and its
/// private data, which the module `sound` decides row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The number of the tree that the path ends in; zero for transcripts.
    pub tree: u64,
    /// The rows.
    pub rows: Vec<RowSpec>,
}

impl Script {
    /// The call of the chip.
    pub fn call(&self) -> ChipCall {
        let codes = self.rows.iter().flat_map(RowSpec::encode);
        ChipCall {
            chip: "hasher".to_owned(),
            parameters: std::iter::once(self.tree).chain(codes).collect(),
            rows: self.rows.len() as u32,
        }
    }

    /// Reads the parameters of a call: `None` if it is a call of another chip, or they are no script.
    pub fn of(call: &ChipCall) -> Option<Self> {
        if call.chip != "hasher" {
            return None;
        }
        let (&tree, codes) = call.parameters.split_first()?;
        let (codes, []) = codes.as_chunks() else { return None };
        let rows: Option<Vec<_>> = codes.iter().map(|&codes| RowSpec::decode(codes)).collect();
        let rows = rows.filter(|rows| rows.len() == call.rows as usize && !rows.is_empty())?;
        Some(Self { tree, rows })
    }

    /// What the call takes and gives: inputs and outputs are in the order of rows, then of ports.
    pub(super) fn signature(&self, field: Field) -> Option<Signature> {
        if !is_sound(self, field) {
            return None;
        }
        let sizes = HashSizes::of(field);
        let ports = Ports::of(sizes);
        let mut signature = Signature::default();
        for (number, spec) in self.rows.iter().enumerate() {
            let row = number as u32;
            let felt = |port: u16| CallPort { ty: ValueType::Felt, row, port };
            let ext = |port: u16| CallPort { ty: ValueType::Ext, row, port };
            let of = |mask: u32| (0..ports.entry).filter(move |i| mask >> i & 1 == 1);
            signature.inputs.extend(of(spec.read).map(felt));
            signature.outputs.extend(of(spec.written).map(|port| CallPort {
                ty: spec.written_type(field, port.into()),
                row,
                port,
            }));
            if spec.enter {
                signature.inputs.push(felt(ports.entry));
                signature.inputs.push(ext(ports.point));
            }
            if spec.sum {
                signature.outputs.push(ext(ports.sum));
            }
            if spec.own {
                signature.inputs.push(ext(ports.own));
            }
            signature.data += spec.data(sizes) as u32;
        }
        Some(signature)
    }

    /// The chip's fixed columns in a row of a call, in the order of their declaration. They need that row alone, so
    /// no other is read.
    pub(super) fn fixed(field: Field, call: &ChipCall, row: usize) -> Option<Vec<u64>> {
        use RowKind::{
            Absorb, Begin, Echo, Inject, Leaf as Leaf_, LeafNext, Parent2, Parent4, Resume,
        };
        let (&tree, codes) = call.parameters.split_first()?;
        let spec = RowSpec::decode(*codes.as_chunks().0.get(row)?)?;
        let sizes = HashSizes::of(field);
        let is = |kinds: &[RowKind]| u64::from(kinds.contains(&spec.kind));
        let mut fixed = Vec::with_capacity(sizes.rate() + 25);
        let taken = match spec.kind {
            Parent4 => sizes.rate(),
            Parent2 | Inject => 2 * sizes.digest,
            _ => spec.taken,
        };
        fixed.extend((0..sizes.rate()).map(|i| u64::from(i < taken)));
        fixed.push(is(&[Echo, LeafNext])); // keep
        fixed.push(is(&[Echo, LeafNext, Absorb])); // carry
        fixed.push(is(&[Resume])); // resume
        fixed.push(is(&[Begin, Absorb, Resume, Leaf_, Parent2, Inject])); // zero
        fixed.push(if is(&[Begin, Absorb, Resume]) == 1 { spec.taken as u64 } else { 0 }); // tag
        fixed.push(is(&[Parent4, Parent2, Inject])); // parent
        // The index, the point and the place in a leaf stay the same within a leaf.
        fixed.push(is(&[LeafNext])); // hold
        fixed.push(u64::from(spec.enter));
        fixed.push(u64::from(spec.index_bits() > 0)); // used
        fixed.push(u64::from(spec.leaf == Leaf::Combine));
        let part = spec.fold_part(field);
        fixed.extend(fold_parts(field).into_iter().map(|p| u64::from(part == Some(p))));
        fixed.push(u64::from(spec.end));
        fixed.push(if spec.end { tree } else { 0 });
        fixed.push(u64::from(spec.joined));
        Some(fixed)
    }
}
