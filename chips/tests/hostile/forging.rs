//! Runs of the hash chip that are forged: one cell is another one, and whatever follows from it is computed again.
//!
//! This is a second implementation of what rows of the chip bind, by what its documentation says. A script is sound if
//! no forged run that keeps the chip's rules shows anything else than the honest one.

use chipwright_chips::library;
use chipwright_chips::recursion::{HashField, HashSizes, Leaf, RowKind, RowSpec, Script};
use chipwright_ir::audit::Rng;
use chipwright_ir::chip::{Chip, FixedData};
use chipwright_ir::circuit::{ChipCall, ChipLibrary};
use chipwright_ir::machine::fill::{FillOptions, fill_with};
use chipwright_ir::machine::{Machine, MachineInput, check};
use p3_field::{BasedVectorSpace, Field as _, PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_symmetric::Permutation;

/// The input and record columns of the rows of a call, in order.
#[derive(Clone, Debug)]
pub(crate) struct Run<P: HashField> {
    pub(crate) script: Script,
    pub(crate) rows: Vec<Vec<P::Base>>,
}

/// What a run puts on the bus, compares with it, and ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown<F> {
    results: Vec<Vec<F>>,
    /// The index and the digest.
    ends: Vec<(u64, Vec<F>)>,
}

/// Where the columns are.
struct Places {
    entry: usize,
    point: usize,
    sum: usize,
    own: usize,
    capacity: usize,
    index: usize,
    bits: usize,
    fourth: usize,
    end: usize,
}

impl Places {
    const fn of<P: HashField>() -> Self {
        let (sizes, degree) = (P::SIZES, P::FIELD.degree());
        let entry = sizes.rate();
        let (point, sum, own) = (entry + 1, entry + 1 + degree, entry + 1 + 2 * degree);
        let capacity = own + degree;
        let index = capacity + sizes.digest;
        let (bits, fourth) = (index + 1, index + 4);
        Self { entry, point, sum, own, capacity, index, bits, fourth, end: fourth + degree }
    }
}

/// The number of index bits that a row uses.
const fn index_bits(row: &RowSpec) -> usize {
    match (row.kind, row.leaf) {
        (RowKind::Parent4, _) => 2,
        (RowKind::Parent2, _) => 1,
        (_, Leaf::Fold { log_arity, .. }) => log_arity,
        _ => 0,
    }
}

impl<P: HashField> Run<P> {
    /// An honest run: private data, inputs and siblings are random, the index is small.
    pub(crate) fn honest(script: &Script, rng: &mut Rng) -> Self {
        let places = Places::of::<P>();
        let sizes = P::SIZES;
        let felt = |rng: &mut Rng| P::Base::from_u64(rng.bits() % P::FIELD.modulus());
        let mut run = Self { script: script.clone(), rows: Vec::new() };
        let mut index = rng.below(2 << run.bits().min(20)) as u64;
        for (number, spec) in script.rows.iter().enumerate() {
            let mut row = vec![P::Base::ZERO; places.end];
            let free = match spec.kind {
                RowKind::Parent4 => 0..sizes.width(),
                RowKind::Parent2 => 0..2 * sizes.digest,
                RowKind::Inject => sizes.digest..2 * sizes.digest,
                _ => 0..spec.taken.min(sizes.rate()),
            };
            for element in free {
                row[Self::element(element)] = felt(rng);
            }
            if matches!(spec.kind, RowKind::Begin | RowKind::Absorb | RowKind::Resume) {
                row[places.capacity] = P::Base::from_usize(spec.taken);
            }
            if spec.enter {
                row[places.entry] = P::Base::from_u64(index);
                (0..P::FIELD.degree()).for_each(|i| row[places.point + i] = felt(rng));
            }
            if spec.kind != RowKind::LeafNext {
                let used = index_bits(spec);
                for k in 0..used {
                    row[places.bits + k] = P::Base::from_u64(index >> k & 1);
                }
                index >>= used;
                row[places.index] = P::Base::from_u64(index);
            }
            run.rows.push(row);
            run.follow(number);
        }
        run
    }

    /// The number of index bits that all rows use.
    fn bits(&self) -> usize {
        let rows = self.script.rows.iter();
        rows.filter(|row| row.kind != RowKind::LeafNext).map(index_bits).sum()
    }

    /// Where an element of the state is.
    const fn element(i: usize) -> usize {
        let (sizes, places) = (P::SIZES, Places::of::<P>());
        if i < sizes.rate() { i } else { places.capacity + i - sizes.rate() }
    }

    fn after(&self, row: usize) -> P::State {
        let mut state = P::State::default();
        for (i, element) in state.as_mut().iter_mut().enumerate() {
            *element = self.rows[row][Self::element(i)];
        }
        P::permutation().permute(state)
    }

    fn ext(&self, row: usize, at: usize) -> P::Ext {
        P::Ext::from_basis_coefficients_fn(|i| self.rows[row][at + i])
    }

    fn set_ext(&mut self, row: usize, at: usize, value: P::Ext) {
        let coefficients = value.as_basis_coefficients_slice();
        self.rows[row][at..at + coefficients.len()].copy_from_slice(coefficients);
    }

    /// The bits of a row as a number.
    fn place(&self, row: usize) -> u64 {
        let bits = Places::of::<P>().bits;
        (0..3).map(|k| self.rows[row][bits + k].as_canonical_u64() << k).sum()
    }

    /// Makes a row follow from the one before, as far as it has to.
    fn follow(&mut self, number: usize) {
        let (places, sizes) = (Places::of::<P>(), P::SIZES);
        let spec = self.script.rows[number];
        let fourth = self.ext(number, places.point).exp_u64(4);
        self.set_ext(number, places.fourth, fourth);
        let Some(before) = number.checked_sub(1) else { return };
        let (after, last) = (self.after(before), self.rows[before].clone());
        let after = after.as_ref();
        let (kept, capacity) = match spec.kind {
            RowKind::Echo => (0..sizes.rate(), Some(&after[sizes.rate()..])),
            RowKind::LeafNext => {
                (spec.taken.min(sizes.rate())..sizes.rate(), Some(&after[sizes.rate()..]))
            }
            RowKind::Absorb => (0..0, Some(&after[sizes.rate()..])),
            RowKind::Resume => (0..0, Some(&last[places.capacity..places.capacity + sizes.digest])),
            _ => (0..0, None),
        };
        let row = &mut self.rows[number];
        row[kept.clone()].copy_from_slice(&after[kept]);
        if let Some(capacity) = capacity {
            row[places.capacity..places.capacity + sizes.digest].copy_from_slice(capacity);
            if matches!(spec.kind, RowKind::Absorb | RowKind::Resume) {
                row[places.capacity] += P::Base::from_usize(spec.taken);
            }
        }
        if spec.kind == RowKind::LeafNext {
            row[places.index..places.bits + 3]
                .copy_from_slice(&last[places.index..places.bits + 3]);
            row[places.point..places.sum].copy_from_slice(&last[places.point..places.sum]);
            row[places.fourth..].copy_from_slice(&last[places.fourth..]);
        }
        if matches!(spec.kind, RowKind::Parent4 | RowKind::Parent2 | RowKind::Inject) {
            let place = self.place(number);
            let first = sizes.digest * place as usize % sizes.width();
            for (i, &element) in after[..sizes.digest].iter().enumerate() {
                self.rows[number][Self::element(first + i)] = element;
            }
            let radix = P::Base::from_u64(1 << index_bits(&spec));
            let rest = last[places.index] - P::Base::from_u64(place);
            self.rows[number][places.index] = rest * radix.inverse();
        }
        self.add_up(before);
    }

    /// The sums behind a row that adds to them.
    fn add_up(&mut self, row: usize) {
        let (places, spec) = (Places::of::<P>(), self.script.rows[row]);
        let (point, mut sum) = (self.ext(row, places.point), self.ext(row, places.sum));
        let mut own = self.ext(row, places.own);
        match spec.leaf {
            Leaf::Plain => return,
            Leaf::Combine => {
                for (i, &element) in self.rows[row][..P::SIZES.rate()].iter().enumerate() {
                    sum *= point;
                    sum += if i < spec.taken { element } else { P::Base::ZERO };
                }
                self.set_ext(row + 1, places.sum, sum);
                return;
            }
            Leaf::Fold { log_arity, part } => {
                let degree = P::FIELD.degree();
                let start = part * (P::SIZES.rate() / degree);
                for i in 0..spec.taken / degree {
                    let evaluation = self.ext(row, degree * i);
                    sum += evaluation * lagrange::<P>(log_arity, start + i, point);
                    if self.place(row) == (start + i) as u64 {
                        own += evaluation;
                    }
                }
            }
        }
        self.set_ext(row + 1, places.sum, sum);
        self.set_ext(row + 1, places.own, own);
    }

    /// What the run shows.
    pub(crate) fn shown(&self) -> Shown<P::Base> {
        let (places, degree) = (Places::of::<P>(), P::FIELD.degree());
        let mut shown = Shown { results: Vec::new(), ends: Vec::new() };
        for (number, (row, spec)) in self.rows.iter().zip(&self.script.rows).enumerate() {
            for i in (0..P::SIZES.rate()).filter(|i| spec.written >> i & 1 == 1) {
                let joined = spec.joined && HashSizes::joined(P::FIELD).any(|first| first == i);
                shown.results.push(row[i..i + if joined { degree } else { 1 }].to_vec());
            }
            for (flag, at) in [(spec.sum, places.sum), (spec.own, places.own)] {
                if flag {
                    shown.results.push(row[at..at + degree].to_vec());
                }
            }
            if spec.end {
                let digest = self.after(number).as_ref()[..P::SIZES.digest].to_vec();
                shown.ends.push((row[places.index].as_canonical_u64(), digest));
            }
        }
        shown
    }

    /// Whether the run keeps every rule, if the cap of its tree holds what it ends in. A cap has no place that its chip
    /// refuses.
    pub(crate) fn is_accepted(&self) -> bool {
        let library = library(P::FIELD);
        let [hasher, cap] = ["hasher", "cap"].map(|name| library.called(name).expect("standard"));
        let call = self.script.call();
        let height = self.rows.len().next_power_of_two();
        let own: Vec<Vec<u64>> = (0..call.rows).map(|row| hasher.fixed_row(&call, row)).collect();
        let mut rows: Vec<Vec<u64>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(P::Base::as_canonical_u64).collect())
            .collect();
        rows.resize(height, vec![0; Places::of::<P>().end]);

        let (mut places, mut digests) = (Vec::new(), Vec::new());
        for (index, digest) in self.shown().ends {
            let call =
                ChipCall { parameters: vec![self.script.tree, index], ..ChipCall::new("cap") };
            if library.signature(&call).is_some() {
                places.push(cap.fixed_row(&call, 0));
                digests.push(digest.iter().map(P::Base::as_canonical_u64).collect());
            } else if self.script.tree > 0 {
                return false;
            } else {
                // An unused row.
                places.push(vec![0, 0, 0]);
                digests.push(digest.iter().map(P::Base::as_canonical_u64).collect());
            }
        }
        if places.is_empty() {
            places.push(vec![1, 1, 0]);
            digests.push(vec![0; P::SIZES.digest]);
        }
        let mut machine = Machine::new("forged", P::FIELD);
        machine.chips.push(with_fixed(hasher.chip(), &own, height));
        machine.chips.push(with_fixed(cap.chip(), &places, places.len()));
        let input = MachineInput {
            rows: vec![
                ("hasher".to_owned(), rows.into_iter().collect()),
                ("cap".to_owned(), digests.into_iter().collect()),
            ],
            ..MachineInput::default()
        };
        let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
        let trace = fill_with::<P>(&machine, &input, &options).expect("every cell has a value");
        check::<P>(&machine, &trace).is_ok()
    }

    /// Puts the leaf at another index, with the elements and siblings that the run has.
    pub(crate) fn move_to(&mut self, mut index: u64) {
        let places = Places::of::<P>();
        for number in 0..self.rows.len() {
            let spec = self.script.rows[number];
            if spec.enter {
                self.rows[number][places.entry] = P::Base::from_u64(index);
            }
            if spec.kind != RowKind::LeafNext {
                let used = index_bits(&spec);
                self.turn(number, index & ((1 << used) - 1));
                index >>= used;
                self.rows[number][places.index] = P::Base::from_u64(index);
            }
            self.follow(number);
        }
    }

    /// Puts elements into the state before a row's permutation.
    pub(crate) fn set_state(&mut self, row: usize, elements: &[u64]) {
        for (i, &element) in elements.iter().enumerate() {
            self.rows[row][Self::element(i)] = P::Base::from_u64(element);
        }
    }

    /// The state after a row's permutation.
    pub(crate) fn state_after(&self, row: usize) -> Vec<u64> {
        self.after(row).as_ref().iter().map(P::Base::as_canonical_u64).collect()
    }

    /// Makes all rows but the first follow from the one before.
    pub(crate) fn refollow(&mut self) {
        (1..self.rows.len()).for_each(|row| self.follow(row));
    }

    /// The run with other index bits in some rows, and the path that they lead along.
    pub(crate) fn with_bits(&self, bits: &[(usize, u64)]) -> Self {
        let mut forged = self.clone();
        for &(row, place) in bits {
            forged.turn(row, place);
            forged.refollow();
        }
        forged
    }

    /// Chooses other index bits in a row: what is left of the index makes up for them.
    fn turn(&mut self, row: usize, place: u64) {
        let (places, digest) = (Places::of::<P>(), P::SIZES.digest);
        let spec = self.script.rows[row];
        let before = self.place(row);
        for k in 0..3 {
            self.rows[row][places.bits + k] = P::Base::from_u64(place >> k & 1);
        }
        if matches!(spec.kind, RowKind::Parent4 | RowKind::Parent2) {
            for i in 0..digest {
                let at =
                    |place: u64| Self::element((digest * place as usize + i) % P::SIZES.width());
                self.rows[row].swap(at(before), at(place));
            }
        }
        let radix = P::Base::from_u64(1 << index_bits(&spec));
        let change = P::Base::from_u64(before) - P::Base::from_u64(place);
        self.rows[row][places.index] += change * radix.inverse();
    }

    /// The columns of a row that neither the call's inputs nor its private data say.
    fn open_columns(&self, row: usize) -> Vec<usize> {
        let (places, sizes) = (Places::of::<P>(), P::SIZES);
        let spec = &self.script.rows[row];
        let given = match spec.kind {
            RowKind::Parent4 => 0..sizes.width(),
            RowKind::Parent2 => 0..2 * sizes.digest,
            RowKind::Inject => sizes.digest..2 * sizes.digest,
            _ => 0..spec.taken.min(sizes.rate()),
        };
        let given: Vec<usize> = given.map(Self::element).collect();
        let mut open: Vec<usize> = (0..places.end).filter(|at| !given.contains(at)).collect();
        if spec.enter {
            open.retain(|at| !(places.entry..places.sum).contains(at));
        }
        open
    }

    /// A run that keeps every rule, and shows something else than this honest one: with one other cell, or other bits of
    /// the index in one row, and all that follows. At most so many are tried.
    pub(crate) fn forgery(&self, rng: &mut Rng, tries: usize) -> Option<Self> {
        let (places, honest) = (Places::of::<P>(), self.shown());
        let mut cells: Vec<(usize, usize)> = (0..self.rows.len())
            .flat_map(|row| self.open_columns(row).into_iter().map(move |column| (row, column)))
            .collect();
        rng.shuffle(&mut cells);
        // What decides where a path goes, and what was added up, are few cells among many.
        let decisive = |&(_, column): &(usize, usize)| {
            (places.sum..places.capacity).contains(&column)
                || (places.index..places.fourth).contains(&column)
        };
        cells.sort_by_key(|cell| !decisive(cell));
        let half = tries / 2;
        let first: Vec<_> = cells.iter().copied().filter(decisive).take(half).collect();
        let others = cells.iter().copied().filter(|cell| !decisive(cell)).take(tries - first.len());
        first.iter().copied().chain(others).find_map(|(row, column)| {
            let mut forged = self.clone();
            if let Some(k) = column.checked_sub(places.bits).filter(|&k| k < 3) {
                forged.turn(row, self.place(row) ^ 1 << k);
            } else if column == places.index {
                // As many places further as leave every bit what it is.
                forged.rows[row][column] += P::Base::from_u64(1 << self.bits().min(20));
            } else {
                forged.rows[row][column] += P::Base::ONE;
            }
            (row + 1..forged.rows.len()).for_each(|later| forged.follow(later));
            (forged.shown() != honest && forged.is_accepted()).then_some(forged)
        })
    }
}

/// `1/n · Σ (point / ωⁱ)^k`, with `ωⁱ` the point of the subgroup of order `n = 2^log_arity` at a position in bit-reversed order.
fn lagrange<P: HashField>(log_arity: usize, position: usize, point: P::Ext) -> P::Ext {
    let exponent = position.reverse_bits() >> (usize::BITS as usize - log_arity);
    let root = P::Base::two_adic_generator(log_arity).exp_u64(exponent as u64);
    let ratio = point * root.inverse();
    let sum = (0..1_u64 << log_arity).fold(P::Ext::ZERO, |sum, k| sum + ratio.exp_u64(k));
    sum * P::Base::from_u64(1 << log_arity).inverse()
}

/// A chip with the rows of its fixed columns, and zeros behind them.
fn with_fixed(chip: &Chip, rows: &[Vec<u64>], height: usize) -> Chip {
    let column = |i: usize| {
        let mut column: Vec<u64> = rows.iter().map(|row| row[i]).collect();
        column.resize(height, 0);
        column
    };
    let columns = (0..chip.fixed_width()).map(column).collect();
    Chip { fixed: Some(FixedData { columns }), ..chip.clone() }
}
