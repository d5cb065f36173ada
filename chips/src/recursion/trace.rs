//! What a call of the hash chip computes, natively.

use chipwright_ir::circuit::{CallInput, CallRun, ChipCall};
use chipwright_ir::field::from_canonical;
use chipwright_ir::machine::ChipRows;
use chipwright_ir::{Field, with_field};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};

use super::kernel::{MAX_LOG_ARITY, lagrange};
use super::native::HashField;
use super::script::{Leaf, RowKind, RowSpec, Script};
use super::sound::is_sound;

/// Inputs that a call of the hash chip refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HasherError {
    /// The parameters are no script, or one whose results nobody computes.
    #[error("the parameters of the call are not a sound script")]
    Script,
    /// Too few or too many inputs or data.
    #[error("{missing} elements of {what} are missing, or there are too many")]
    Count {
        /// `input` or `private data`.
        what: &'static str,
        /// How many are missing.
        missing: usize,
    },
    /// The evaluation in a leaf is not the folded value of the round before.
    #[error("row {row}: the leaf does not hold the folded value of the round before")]
    Own {
        /// The row.
        row: usize,
    },
}

/// The outputs of calls with the same parameters, and the input and record columns of every row.
pub(super) fn run_all(
    field: Field,
    call: &ChipCall,
    given: &[CallInput<'_>],
) -> Vec<Result<CallRun, HasherError>> {
    match Script::of(call).filter(|script| is_sound(script, field)) {
        Some(script) => with_field!(field, P => run_script::<P>(&script, given)),
        None => given.iter().map(|_| Err(HasherError::Script)).collect(),
    }
}

/// Runs a script on several inputs, row by row, so that a row's permutations are done at once.
fn run_script<P: HashField>(
    script: &Script,
    given: &[CallInput<'_>],
) -> Vec<Result<CallRun, HasherError>> {
    let permutation = P::permutation();
    let mut runners: Vec<_> = given.iter().map(|given| Ok(Runner::<P>::new(given))).collect();
    let mut states = Vec::with_capacity(given.len());
    for (number, spec) in script.rows.iter().enumerate() {
        states.clear();
        for runner in &mut runners {
            let Ok(running) = runner else { continue };
            match running.row(number, spec) {
                Ok(()) => states.push(running.before),
                Err(error) => *runner = Err(error),
            }
        }
        P::permute_all(&permutation, &mut states);
        for (runner, &after) in runners.iter_mut().flatten().zip(&states) {
            runner.after = after;
        }
    }
    runners.into_iter().map(|runner| runner.and_then(Runner::finish)).collect()
}

/// Elements that are consumed in order.
struct Supply<'a> {
    what: &'static str,
    rest: &'a [u64],
}

impl Supply<'_> {
    fn next<F: PrimeField64>(&mut self) -> Result<F, HasherError> {
        let missing = HasherError::Count { what: self.what, missing: 1 };
        let (&first, rest) = self.rest.split_first().ok_or(missing)?;
        self.rest = rest;
        Ok(from_canonical(first))
    }

    fn ext<P: HashField>(&mut self) -> Result<P::Ext, HasherError> {
        let mut coefficients = Vec::with_capacity(P::FIELD.degree());
        for _ in 0..P::FIELD.degree() {
            coefficients.push(self.next()?);
        }
        Ok(element::<P>(&coefficients))
    }
}

fn element<P: HashField>(coefficients: &[P::Base]) -> P::Ext {
    P::Ext::from_basis_coefficients_fn(|i| coefficients[i])
}

struct Runner<'a, P: HashField> {
    inputs: Supply<'a>,
    data: Supply<'a>,
    records: ChipRows,
    outputs: Vec<u64>,
    /// The last row's state, before and after its permutation.
    before: P::State,
    after: P::State,
    index: u64,
    bits: u64,
    point: P::Ext,
    sum: P::Ext,
    own: P::Ext,
}

impl<'a, P: HashField> Runner<'a, P> {
    fn new(given: &CallInput<'a>) -> Self {
        let CallInput { inputs, data } = *given;
        Self {
            inputs: Supply { what: "input", rest: inputs },
            data: Supply { what: "private data", rest: data },
            records: ChipRows::default(),
            outputs: Vec::new(),
            before: P::State::default(),
            after: P::State::default(),
            index: 0,
            bits: 0,
            point: P::Ext::ZERO,
            sum: P::Ext::ZERO,
            own: P::Ext::ZERO,
        }
    }

    /// What has been computed after the last row, if nothing is left over.
    fn finish(self) -> Result<CallRun, HasherError> {
        for supply in [&self.inputs, &self.data] {
            if !supply.rest.is_empty() {
                return Err(HasherError::Count { what: supply.what, missing: 0 });
            }
        }
        Ok(CallRun { outputs: self.outputs, rows: self.records })
    }

    /// A row up to its permutation, which is for the caller to do.
    fn row(&mut self, number: usize, spec: &RowSpec) -> Result<(), HasherError> {
        let state = self.state(spec)?;
        let mut entry = 0;
        if spec.enter {
            entry = self.inputs.next::<P::Base>()?.as_canonical_u64();
            self.bits = entry & ((1 << spec.index_bits()) - 1);
            self.index = entry >> spec.index_bits();
            (self.sum, self.own) = (P::Ext::ZERO, P::Ext::ZERO);
            self.point = self.inputs.ext::<P>()?;
        } else if spec.kind != RowKind::LeafNext && !spec.is_parent() {
            self.bits = 0;
        }
        if spec.sum {
            let coefficients = self.sum.as_basis_coefficients_slice();
            self.outputs.extend(coefficients.iter().map(PrimeField64::as_canonical_u64));
        }
        if spec.own && self.inputs.ext::<P>()? != self.own {
            return Err(HasherError::Own { row: number });
        }
        let (absorbed, capacity) = state.as_ref().split_at(P::SIZES.rate());
        let fourth = self.point.square().square();
        let values = [self.point, self.sum, self.own];
        let values = values.iter().flat_map(P::Ext::as_basis_coefficients_slice);
        let bits = (0..MAX_LOG_ARITY).map(|k| self.bits >> k & 1);
        self.records.push(
            absorbed
                .iter()
                .map(PrimeField64::as_canonical_u64)
                .chain([entry])
                .chain(values.map(PrimeField64::as_canonical_u64))
                .chain(capacity.iter().map(PrimeField64::as_canonical_u64))
                .chain([self.index])
                .chain(bits)
                .chain(
                    fourth.as_basis_coefficients_slice().iter().map(PrimeField64::as_canonical_u64),
                ),
        );
        self.absorb(spec, state.as_ref());
        self.before = state;
        Ok(())
    }

    /// The state before the row's permutation; elements that are put on the bus become outputs.
    fn state(&mut self, spec: &RowSpec) -> Result<P::State, HasherError> {
        let (rate, digest) = (P::SIZES.rate(), P::SIZES.digest);
        let mut whole = P::State::default();
        if spec.kind == RowKind::Echo || spec.kind == RowKind::LeafNext {
            whole = self.after;
        }
        let state = whole.as_mut();
        let (before, after) = (self.before.as_ref(), self.after.as_ref());
        match spec.kind {
            RowKind::Begin | RowKind::Absorb | RowKind::Resume => {
                match spec.kind {
                    RowKind::Absorb => state[rate..].copy_from_slice(&after[rate..]),
                    RowKind::Resume => state[rate..].copy_from_slice(&before[rate..]),
                    _ => {}
                }
                state[rate] += P::Base::from_usize(spec.taken);
                for i in 0..spec.taken {
                    state[i] = if spec.read >> i & 1 == 1 {
                        self.inputs.next()?
                    } else {
                        self.data.next()?
                    };
                }
            }
            RowKind::Leaf | RowKind::LeafNext => {
                for element in &mut state[..spec.taken] {
                    *element = self.data.next()?;
                }
            }
            RowKind::Parent4 | RowKind::Parent2 => {
                let bits = spec.index_bits();
                self.bits = self.index & ((1 << bits) - 1);
                self.index >>= bits;
                for place in 0..1 << bits {
                    for i in 0..digest {
                        state[digest * place + i] =
                            if place as u64 == self.bits { after[i] } else { self.data.next()? };
                    }
                }
            }
            RowKind::Inject => {
                self.bits = 0;
                state[..digest].copy_from_slice(&after[..digest]);
                for element in &mut state[digest..2 * digest] {
                    *element = self.inputs.next()?;
                }
            }
            RowKind::Echo | RowKind::Rest => {}
        }
        let written = (0..rate).filter(|i| spec.written >> i & 1 == 1);
        for i in written {
            let whole = spec.written_type(P::FIELD, i).is_ext();
            let count = if whole { P::FIELD.degree() } else { 1 };
            let coefficients = &state[i..i + count];
            self.outputs.extend(coefficients.iter().map(PrimeField64::as_canonical_u64));
        }
        Ok(whole)
    }

    /// The sums after the row.
    fn absorb(&mut self, spec: &RowSpec, state: &[P::Base]) {
        match spec.leaf {
            Leaf::Plain => {}
            Leaf::Combine => {
                for i in 0..P::SIZES.rate() {
                    self.sum *= self.point;
                    if i < spec.taken {
                        self.sum += state[i];
                    }
                }
            }
            Leaf::Fold { log_arity, .. } => {
                let Some(part) = spec.fold_part(P::FIELD) else { return };
                let degree = P::FIELD.degree();
                for i in 0..part.count {
                    let evaluation = element::<P>(&state[degree * i..degree * (i + 1)]);
                    let place = part.start + i;
                    let polynomial = lagrange(P::FIELD, log_arity, place);
                    let weight = polynomial
                        .iter()
                        .rev()
                        .fold(P::Ext::ZERO, |sum, &c| sum * self.point + P::Base::from_u64(c));
                    self.sum += evaluation * weight;
                    if place as u64 == self.bits {
                        self.own = evaluation;
                    }
                }
            }
        }
    }
}
