//! What a call of the hash chip computes, natively.

use chipwright_ir::circuit::ChipCall;
use chipwright_ir::field::{Goldilocks2, Goldilocks3};
use chipwright_ir::{Field, FieldPair};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_16};
use p3_symmetric::Permutation;

use super::kernel::{DIGEST, MAX_LOG_ARITY, RATE, lagrange};
use super::script::{Leaf, RowKind, RowSpec, Script};

const WIDTH: usize = RATE + DIGEST;

/// Inputs that a call of the hash chip refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HasherError {
    /// The parameters are no script.
    #[error("the parameters of the call are not a script")]
    Script,
    /// The hash of another field.
    #[error("there is no hash chip over {0}")]
    Field(Field),
    /// Too few or too many inputs or data.
    #[error("{missing} elements of {what} are missing, or there are too many")]
    Count {
        /// `input` or `private data`.
        what: &'static str,
        /// How many are missing.
        missing: usize,
    },
    /// The index does not fit the path.
    #[error("row {row}: the index is {index}, which is not in the tree")]
    Index {
        /// The row.
        row: usize,
        /// The index.
        index: u64,
    },
    /// The evaluation in a leaf is not the folded value of the round before.
    #[error("row {row}: the leaf does not hold the folded value of the round before")]
    Own {
        /// The row.
        row: usize,
    },
}

/// The rows and the outputs of a call.
#[derive(Debug)]
pub(super) struct Run {
    /// Input and record columns, row by row.
    pub(super) records: Vec<Vec<u64>>,
    /// The outputs.
    pub(super) outputs: Vec<u64>,
}

pub(super) fn run(
    field: Field,
    call: &ChipCall,
    inputs: &[u64],
    data: &[u64],
) -> Result<Run, HasherError> {
    let script = Script::of(call).ok_or(HasherError::Script)?;
    match field {
        Field::Goldilocks2 => Runner::<Goldilocks2>::new(field, inputs, data).run(&script),
        Field::Goldilocks3 => Runner::<Goldilocks3>::new(field, inputs, data).run(&script),
        other => Err(HasherError::Field(other)),
    }
}

/// Elements that are consumed in order.
struct Supply<'a> {
    what: &'static str,
    rest: &'a [u64],
}

impl Supply<'_> {
    fn next(&mut self) -> Result<Goldilocks, HasherError> {
        let missing = HasherError::Count { what: self.what, missing: 1 };
        let (&first, rest) = self.rest.split_first().ok_or(missing)?;
        self.rest = rest;
        Ok(Goldilocks::from_u64(first))
    }

    fn ext<P: FieldPair<Base = Goldilocks>>(&mut self) -> Result<P::Ext, HasherError> {
        let mut coefficients = Vec::with_capacity(P::FIELD.degree());
        for _ in 0..P::FIELD.degree() {
            coefficients.push(self.next()?);
        }
        Ok(element::<P>(&coefficients))
    }
}

fn element<P: FieldPair<Base = Goldilocks>>(coefficients: &[Goldilocks]) -> P::Ext {
    P::Ext::from_basis_coefficients_fn(|i| coefficients[i])
}

struct Runner<'a, P: FieldPair<Base = Goldilocks>> {
    field: Field,
    permutation: Poseidon2Goldilocks<WIDTH>,
    inputs: Supply<'a>,
    data: Supply<'a>,
    outputs: Vec<u64>,
    /// The previous row's state, before and after its permutation.
    before: [Goldilocks; WIDTH],
    after: [Goldilocks; WIDTH],
    index: u64,
    bits: u64,
    point: P::Ext,
    sum: P::Ext,
    own: P::Ext,
}

impl<'a, P: FieldPair<Base = Goldilocks>> Runner<'a, P> {
    fn new(field: Field, inputs: &'a [u64], data: &'a [u64]) -> Self {
        Self {
            field,
            permutation: default_goldilocks_poseidon2_16(),
            inputs: Supply { what: "input", rest: inputs },
            data: Supply { what: "private data", rest: data },
            outputs: Vec::new(),
            before: [Goldilocks::ZERO; WIDTH],
            after: [Goldilocks::ZERO; WIDTH],
            index: 0,
            bits: 0,
            point: P::Ext::ZERO,
            sum: P::Ext::ZERO,
            own: P::Ext::ZERO,
        }
    }

    fn run(mut self, script: &Script) -> Result<Run, HasherError> {
        let mut records = Vec::with_capacity(script.rows.len());
        for (number, row) in script.rows.iter().enumerate() {
            records.push(self.row(number, row)?);
        }
        for supply in [&self.inputs, &self.data] {
            if !supply.rest.is_empty() {
                return Err(HasherError::Count { what: supply.what, missing: 0 });
            }
        }
        Ok(Run { records, outputs: self.outputs })
    }

    fn row(&mut self, number: usize, spec: &RowSpec) -> Result<Vec<u64>, HasherError> {
        let state = self.state(number, spec)?;
        let mut entry = 0;
        if spec.enter {
            entry = self.inputs.next()?.as_canonical_u64();
            self.bits = entry & ((1 << spec.index_bits()) - 1);
            self.index = entry >> spec.index_bits();
            (self.sum, self.own) = (P::Ext::ZERO, P::Ext::ZERO);
            self.point = P::Ext::ZERO;
            if spec.leaf != Leaf::Plain {
                self.point = self.inputs.ext::<P>()?;
            }
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
        let mut record: Vec<u64> = Vec::with_capacity(WIDTH + 2 + 3 * self.field.degree() + 4);
        record.extend(state[..RATE].iter().map(PrimeField64::as_canonical_u64));
        record.push(entry);
        for value in [self.point, self.sum, self.own] {
            let coefficients = value.as_basis_coefficients_slice();
            record.extend(coefficients.iter().map(PrimeField64::as_canonical_u64));
        }
        record.extend(state[RATE..].iter().map(PrimeField64::as_canonical_u64));
        record.push(self.index);
        record.extend((0..MAX_LOG_ARITY).map(|k| self.bits >> k & 1));
        let fourth = self.point.square().square();
        let coefficients = fourth.as_basis_coefficients_slice();
        record.extend(coefficients.iter().map(PrimeField64::as_canonical_u64));
        self.absorb(spec, &state);
        self.before = state;
        self.after = self.permutation.permute(state);
        Ok(record)
    }

    /// The state before the row's permutation; elements that are put on the bus become outputs.
    fn state(&mut self, number: usize, spec: &RowSpec) -> Result<[Goldilocks; WIDTH], HasherError> {
        let mut state = [Goldilocks::ZERO; WIDTH];
        match spec.kind {
            RowKind::Begin | RowKind::Absorb | RowKind::Resume => {
                match spec.kind {
                    RowKind::Absorb => state[RATE..].copy_from_slice(&self.after[RATE..]),
                    RowKind::Resume => state[RATE..].copy_from_slice(&self.before[RATE..]),
                    _ => {}
                }
                state[RATE] += Goldilocks::from_usize(spec.taken);
                for i in 0..spec.taken {
                    state[i] = if spec.read >> i & 1 == 1 {
                        self.inputs.next()?
                    } else {
                        self.data.next()?
                    };
                }
            }
            RowKind::Echo => state = self.after,
            RowKind::Leaf | RowKind::LeafNext => {
                if spec.kind == RowKind::LeafNext {
                    state = self.after;
                }
                for element in &mut state[..spec.taken] {
                    *element = self.data.next()?;
                }
            }
            RowKind::Parent4 | RowKind::Parent2 => {
                let bits = spec.index_bits();
                self.bits = self.index & ((1 << bits) - 1);
                self.index >>= bits;
                for place in 0..1 << bits {
                    for i in 0..DIGEST {
                        state[DIGEST * place + i] = if place as u64 == self.bits {
                            self.after[i]
                        } else {
                            self.data.next()?
                        };
                    }
                }
            }
            RowKind::Inject => {
                self.bits = 0;
                state[..DIGEST].copy_from_slice(&self.after[..DIGEST]);
                for element in &mut state[DIGEST..2 * DIGEST] {
                    *element = self.inputs.next()?;
                }
            }
            RowKind::Rest => {}
        }
        let _ = number;
        let written = (0..RATE).filter(|i| spec.written >> i & 1 == 1);
        self.outputs.extend(written.map(|i| state[i].as_canonical_u64()));
        Ok(state)
    }

    /// The sums after the row.
    fn absorb(&mut self, spec: &RowSpec, state: &[Goldilocks; WIDTH]) {
        match spec.leaf {
            Leaf::Plain => {}
            Leaf::Combine => {
                for i in 0..RATE {
                    self.sum *= self.point;
                    if i < spec.taken {
                        self.sum += state[i];
                    }
                }
            }
            Leaf::Fold { log_arity, .. } => {
                let Some(part) = spec.fold_part(self.field) else { return };
                let degree = self.field.degree();
                for i in 0..part.count {
                    let evaluation = element::<P>(&state[degree * i..degree * (i + 1)]);
                    let place = part.start + i;
                    let polynomial = lagrange(log_arity, place);
                    let weight = polynomial
                        .iter()
                        .rev()
                        .fold(P::Ext::ZERO, |sum, &c| sum * self.point + Goldilocks::from_u64(c));
                    self.sum += evaluation * weight;
                    if place as u64 == self.bits {
                        self.own = evaluation;
                    }
                }
            }
        }
    }
}
