//! What there is to do in a run of a layer: the permutations and the arithmetic, with their operands and results from the
//! trace.
//!
//! It is less than what the whole verifier does. Left out are: reading and moving the proof, the transcript's
//! bookkeeping, query indices and domain points, inversions, the Lagrange polynomials of folds, and comparisons. Values
//! that are in the base field are multiplied as such.

use std::collections::{BTreeMap, BTreeSet};

use chipwright_backend_stark::circuit::CircuitProver;
use chipwright_chips::recursion::{Leaf, Script};
use chipwright_ir::FieldPair;
use chipwright_ir::chip::Chip;
use chipwright_ir::circuit::{
    A, B, C, Inputs, OUT, Relation, Role, Row, RowOp, SlotId, TableKind, ValueType, Witness,
};
use chipwright_ir::field::Goldilocks2;
use p3_field::{
    BasedVectorSpace, ExtensionField, Field, PrimeCharacteristicRing, PrimeField64, TwoAdicField,
};
use p3_goldilocks::Goldilocks;

use super::poseidon2::WIDTH;
use super::routines::Arithmetic;
use super::run::RunError;

/// The extension.
pub(super) type Ext = <Goldilocks2 as FieldPair>::Ext;

/// The elements that a permutation absorbs.
const RATE: usize = 12;
/// The elements of a digest.
pub(super) const DIGEST: usize = 4;

/// A permutation.
#[derive(Clone, Debug)]
pub(super) struct Permutation {
    pub(super) before: [u64; WIDTH],
    /// The first elements after it.
    pub(super) digest: Vec<Goldilocks>,
}

/// The opening combination of a leaf: `Σ point^(n − 1 − i)·element[i]`.
#[derive(Clone, Debug)]
pub(super) struct Combination {
    pub(super) point: Ext,
    pub(super) elements: Vec<u64>,
    pub(super) sum: Ext,
}

/// A row of arithmetic.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) operands: [Ext; 3],
    pub(super) result: Ext,
}

/// What there is to do in a run of a layer.
#[derive(Clone, Debug, Default)]
pub struct Work {
    pub(super) permutations: Vec<Permutation>,
    pub(super) combinations: Vec<Combination>,
    pub(super) arithmetic: BTreeMap<Arithmetic, Vec<Operation>>,
}

impl Work {
    /// The work of a run of a circuit that verifies proofs.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not satisfy the circuit, or that does not hash in one table.
    pub fn of(prover: &CircuitProver<Goldilocks2>, inputs: &Inputs) -> Result<Self, RunError> {
        let witness = prover.witness(inputs, None)?;
        let mut work = Self::default();
        work.hash(prover, &witness)?;
        let arithmetic = TableKind::Alu(ValueType::Ext);
        let tables = prover.tables();
        for row in tables.table(&arithmetic).iter().flat_map(|table| table.rows.iter()) {
            work.row(row, |slot| witness.value(tables.original(slot)));
        }
        Ok(work)
    }

    /// The number of permutations.
    pub fn permutations(&self) -> usize {
        self.permutations.len()
    }

    /// The number of different states that are permuted. Queries share the upper nodes of their paths, which a program
    /// can hash once.
    pub fn different_states(&self) -> usize {
        let states = self.permutations.iter().map(|permutation| permutation.before);
        states.collect::<BTreeSet<_>>().len()
    }

    /// The number of base elements that are combined.
    pub fn combined(&self) -> usize {
        self.combinations.iter().map(|combination| combination.elements.len()).sum()
    }

    /// The number of other operations.
    pub fn operations(&self) -> usize {
        self.arithmetic.values().map(Vec::len).sum()
    }

    /// What the table of the hash chip does.
    fn hash(
        &mut self,
        prover: &CircuitProver<Goldilocks2>,
        witness: &Witness<Goldilocks2>,
    ) -> Result<(), RunError> {
        let tables = prover.tables();
        let rows = tables.table(&TableKind::Call("hasher".to_owned())).ok_or(RunError::NoHashes)?;
        let position = prover.parts().position("call_hasher").ok_or(RunError::NoHashes)?;
        let trace = &prover.parts_trace(witness)?.tables[position];
        let columns = Columns::of(&prover.parts().chips[position]);
        let calls = &tables.program.calls;
        let scripts: Vec<Option<Script>> =
            calls.iter().map(|call| Script::of(&call.chip)).collect();
        for (number, row) in rows.rows.iter().enumerate() {
            let &RowOp::Call { call, row } = row.op else { continue };
            let Some(script) = &scripts[call.index()] else { continue };
            let spec = &script.rows[row as usize];
            let cells = trace.row(number);
            let before = columns.state(cells);
            let digest = columns.digest.iter().map(|&column| cells[column]).collect();
            self.permutations.push(Permutation { before, digest });
            let next_sum = || columns.sum(trace.row(number + 1));
            match spec.leaf {
                Leaf::Plain => {}
                Leaf::Combine => {
                    if spec.enter {
                        let point = columns.point(cells);
                        let (elements, sum) = (Vec::new(), Ext::ZERO);
                        self.combinations.push(Combination { point, elements, sum });
                    }
                    let Some(combination) = self.combinations.last_mut() else { continue };
                    combination.elements.extend(&before[..spec.taken]);
                    let next = script.rows.get(row as usize + 1);
                    if next.is_none_or(|next| next.leaf != Leaf::Combine) {
                        // The chip multiplies by the point for elements that are not there, too.
                        let missing = combination.point.exp_u64((RATE - spec.taken) as u64);
                        combination.sum = next_sum() * missing.inverse();
                    }
                }
                Leaf::Fold { log_arity, part } => {
                    let (point, sum) = (columns.point(cells), columns.sum(cells));
                    self.fold(log_arity, part, &before[..spec.taken], point, sum, next_sum());
                }
            }
        }
        Ok(())
    }

    /// The fold of a part of a coset: evaluations times Lagrange polynomials at the point, added to a sum.
    fn fold(
        &mut self,
        log_arity: usize,
        part: usize,
        coefficients: &[u64],
        point: Ext,
        mut sum: Ext,
        result: Ext,
    ) {
        let (degree, arity) = (2, 1 << log_arity);
        let evaluations = coefficients.chunks(degree);
        let (first, count) = (part * (RATE / degree), evaluations.len());
        for (i, evaluation) in evaluations.enumerate() {
            let place = (first + i).reverse_bits() >> (usize::BITS as usize - log_arity);
            let inverse = Goldilocks::two_adic_generator(log_arity).inverse().exp_u64(place as u64);
            let powers = (point * inverse).powers().take(arity);
            let weight = powers.sum::<Ext>() * Goldilocks::from_usize(arity).inverse();
            let evaluation = ext(evaluation);
            let operands = [evaluation, weight, sum];
            sum += evaluation * weight;
            let result = if i + 1 == count { result } else { sum };
            self.push(Arithmetic::ExtMulAdd, operands, result);
        }
    }

    /// A row of the table of arithmetic.
    fn row(&mut self, row: Row<'_>, value: impl Fn(SlotId) -> Ext) {
        let &RowOp::Arithmetic(relation, _) = row.op else { return };
        let value = |position: u16| row.port(position).map(|port| value(port.slot));
        let [a, b, c, out] = [A, B, C, OUT].map(|position| value(position).unwrap_or(Ext::ZERO));
        let creates =
            |position: u16| row.port(position).is_some_and(|port| port.role == Role::Creates);
        let base =
            |values: &[Ext]| values.iter().all(ExtensionField::<Goldilocks>::is_in_basefield);
        match relation {
            Relation::Eq => {}
            Relation::Add => {
                let (difference, operands, result) = if creates(A) {
                    (true, [out, b, c], a)
                } else if creates(B) {
                    (true, [out, a, c], b)
                } else {
                    (false, [a, b, c], out)
                };
                let routine = match (difference, base(&[a, b])) {
                    (false, false) => Arithmetic::ExtAdd,
                    (false, true) => Arithmetic::BaseAdd,
                    (true, false) => Arithmetic::ExtSub,
                    (true, true) => Arithmetic::BaseSub,
                };
                self.push(routine, operands, result);
            }
            Relation::Mul | Relation::MulAdd => {
                let (a, b) = if base(&[a]) { (b, a) } else { (a, b) };
                let add = relation == Relation::MulAdd;
                let routine = match (base(&[a, b, c]), base(&[b]), add) {
                    (true, _, true) => Arithmetic::BaseMulAdd,
                    (true, _, false) => Arithmetic::BaseMul,
                    (false, true, true) => Arithmetic::ScaleAdd,
                    (false, true, false) => Arithmetic::Scale,
                    (false, false, true) => Arithmetic::ExtMulAdd,
                    (false, false, false) => Arithmetic::ExtMul,
                };
                self.push(routine, [a, b, c], out);
            }
        }
    }

    fn push(&mut self, routine: Arithmetic, operands: [Ext; 3], result: Ext) {
        self.arithmetic.entry(routine).or_default().push(Operation { operands, result });
    }
}

/// An extension element.
pub(super) fn ext(coefficients: &[u64]) -> Ext {
    Ext::from_basis_coefficients_fn(|i| Goldilocks::from_u64(coefficients[i]))
}

/// Where the trace of the hash chip has what is needed.
struct Columns {
    state: Vec<usize>,
    point: Vec<usize>,
    sum: Vec<usize>,
    digest: Vec<usize>,
}

impl Columns {
    fn of(chip: &Chip) -> Self {
        let positions = chip.positions();
        // Lowering the degree appends columns with the name of what they are made of.
        let group = |name: &str, count: usize| -> Vec<usize> {
            let named = chip.columns.iter().zip(&positions);
            let named = named.filter(|(column, _)| column.name.split('[').next() == Some(name));
            named.map(|(_, &position)| position).take(count).collect()
        };
        Self {
            state: [group("before", RATE), group("capacity", WIDTH - RATE)].concat(),
            point: group("point", 2),
            sum: group("sum", 2),
            digest: group("digest", DIGEST),
        }
    }

    fn state(&self, cells: &[Goldilocks]) -> [u64; WIDTH] {
        std::array::from_fn(|i| cells[self.state[i]].as_canonical_u64())
    }

    fn point(&self, cells: &[Goldilocks]) -> Ext {
        Ext::from_basis_coefficients_fn(|i| cells[self.point[i]])
    }

    fn sum(&self, cells: &[Goldilocks]) -> Ext {
        Ext::from_basis_coefficients_fn(|i| cells[self.sum[i]])
    }
}
