//! From a proof to the private data of the circuit that verifies it.
//!
//! A proof shares the siblings of its Merkle paths among queries; the circuit's hash chip takes one path a
//! query. Which paths these are depends on the query indices, so the transcript is replayed natively.

mod parts;

use std::collections::BTreeMap;
use std::marker::PhantomData;

use chipwright_backend_stark::config::Stark;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use p3_commit::Mmcs;
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_fri::{FriFoldingStrategy, TwoAdicFriFolding};
use p3_matrix::Dimensions;
use p3_util::reverse_bits_len;
use rayon::prelude::*;

use crate::batch::{BatchShape, ChildKey, NativeChallenges, ProofData, RecursiveField};
use crate::field::CapTree;
use crate::pcs::{Group, MatrixShape, TreePlan};
use parts::Parts;

/// A proof that does not have the shape that a circuit verifies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// A height differs.
    #[error("table {table} has 2^{got} rows in the proof, the circuit verifies 2^{expected}")]
    Height {
        /// The table.
        table: usize,
        /// The circuit's.
        expected: usize,
        /// The proof's.
        got: usize,
    },
    /// A part has another length.
    #[error("the proof has {got} {what}, the circuit verifies {expected}")]
    Length {
        /// The part.
        what: &'static str,
        /// The circuit's number.
        expected: usize,
        /// The proof's number.
        got: usize,
    },
    /// A witness of a proof of work that is not asked for.
    #[error("the proof has a witness of work before the {0}, where none is asked for")]
    Work(&'static str),
    /// The Merkle paths cannot be restored.
    #[error("the Merkle paths of the proof cannot be restored: {reason}")]
    Paths {
        /// Why.
        reason: String,
    },
}

fn length(what: &'static str, expected: usize, got: usize) -> Result<(), WitnessError> {
    if expected == got { Ok(()) } else { Err(WitnessError::Length { what, expected, got }) }
}

/// The private data of a proof's verification: [`ProofData`] says where each vector belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProofWitness {
    transcript: Vec<u64>,
    /// By query: path and injected leaves of each commitment, then the folding rounds.
    queries: Vec<QueryWitness>,
}

/// The leaf and the path of the tallest matrices of a commitment, and the leaves of the others.
type OpeningWitness = (Vec<u64>, Vec<Vec<u64>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct QueryWitness {
    openings: Vec<OpeningWitness>,
    folds: Vec<Vec<u64>>,
}

impl ProofData {
    /// The private data of a run that verifies one proof and has no other data.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not have the shape. It need not be valid.
    pub fn witness<P: RecursiveField>(
        &self,
        shape: &BatchShape,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
    ) -> Result<Vec<Vec<u64>>, WitnessError> {
        P::witness(self, shape, key, publics, proof)
    }

    pub(crate) fn witness_generic<P: RecursiveField>(
        &self,
        shape: &BatchShape,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
    ) -> Result<Vec<Vec<u64>>, WitnessError> {
        let mut data = Vec::new();
        self.supply(shape.witness(key, publics, proof)?, &mut data);
        Ok(data)
    }

    /// The private data of a run that verifies one `p3-uni-stark` proof and has no other data.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not have the shape. It need not be valid.
    pub fn foreign_witness<P: RecursiveField>(
        &self,
        shape: &BatchShape,
        key: &ChildKey<P::Base>,
        publics: &[P::Base],
        proof: &p3_uni_stark::Proof<Stark<P>>,
    ) -> Result<Vec<Vec<u64>>, WitnessError> {
        P::foreign_witness(self, shape, key, publics, proof)
    }

    pub(crate) fn foreign_witness_generic<P: RecursiveField>(
        &self,
        shape: &BatchShape,
        key: &ChildKey<P::Base>,
        publics: &[P::Base],
        proof: &p3_uni_stark::Proof<Stark<P>>,
    ) -> Result<Vec<Vec<u64>>, WitnessError> {
        let mut data = Vec::new();
        let witness = shape.single_witness::<P>(key, publics, proof)?;
        self.supply(witness, &mut data);
        Ok(data)
    }

    /// Puts the witness into the private data of a run.
    pub(crate) fn supply(&self, witness: ProofWitness, data: &mut Vec<Vec<u64>>) {
        let mut put = |target: chipwright_dsl::circuit::DataTarget, values: Vec<u64>| {
            let position = target.position();
            data.resize(data.len().max(position + 1), Vec::new());
            data[position] = values;
        };
        if let Some(target) = self.transcript {
            put(target, witness.transcript);
        }
        for (targets, query) in self.queries.iter().zip(witness.queries) {
            for ((path, injected), (path_values, injected_values)) in
                targets.openings.iter().zip(query.openings)
            {
                put(*path, path_values);
                for (&target, values) in injected.iter().zip(injected_values) {
                    put(target, values);
                }
            }
            for (&target, values) in targets.folds.iter().zip(query.folds) {
                put(target, values);
            }
        }
    }
}

impl BatchShape {
    /// What the circuit needs to know of a `p3-uni-stark` proof.
    pub(crate) fn single_witness<P: RecursiveField>(
        &self,
        key: &ChildKey<P::Base>,
        publics: &[P::Base],
        proof: &p3_uni_stark::Proof<Stark<P>>,
    ) -> Result<ProofWitness, WitnessError> {
        self.witness_of::<P>(key, &[publics.to_vec()], &Parts::<P>::of_single(proof))
    }

    /// What the circuit needs to know of a proof.
    ///
    /// The proof need not be valid; it must only have the right shape.
    pub(crate) fn witness<P: RecursiveField>(
        &self,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
    ) -> Result<ProofWitness, WitnessError> {
        self.witness_of::<P>(&ChildKey::of(key), publics, &Parts::<P>::of_batch(proof))
    }

    fn witness_of<P: RecursiveField>(
        &self,
        key: &ChildKey<P::Base>,
        publics: &[Vec<P::Base>],
        proof: &Parts<'_, P>,
    ) -> Result<ProofWitness, WitnessError> {
        let tables: Vec<usize> = self.log_heights().collect();
        length("tables", tables.len(), proof.log_heights.len())?;
        for (table, (&expected, &got)) in tables.iter().zip(proof.log_heights).enumerate() {
            if expected != got {
                return Err(WitnessError::Height { table, expected, got });
            }
        }
        length("tables with public values", tables.len(), publics.len())?;
        for (expected, row) in self.publics().zip(publics) {
            length("public values", expected, row.len())?;
        }
        proof.check(self)?;
        let fri = proof.fri;
        let said = self.said_by(proof);
        length("transcript elements", self.said::<P>(), said.len())?;
        let challenges = self.native_challenges::<P>(key, publics, &said);
        let indices = &challenges.indices;
        let mut queries = vec![QueryWitness::default(); indices.len()];
        let trees = self.pcs.trees();
        length("openings", trees.len(), fri.input_openings.len())?;
        let openings = (&trees, &self.pcs.commitments, &fri.input_openings)
            .into_par_iter()
            .map(|(tree, matrices, opening)| {
                let (opened, proof) = (&opening.opened_values, &opening.opening_proof);
                self.opened::<P>(tree, matrices, indices, opened, proof)
            })
            .collect::<Result<Vec<_>, _>>()?;
        for opening in openings {
            for (query, opening) in queries.iter_mut().zip(opening) {
                query.openings.push(opening);
            }
        }

        let folds = self.pcs.fold_trees();
        length("folding rounds", folds.len(), fri.commit_phase_openings.len())?;
        self.folds(&challenges, proof, &mut queries)?;
        let transcript = said.iter().map(PrimeField64::as_canonical_u64).collect();
        Ok(ProofWitness { transcript, queries })
    }

    /// What is opened of a commitment, by query.
    fn opened<P: RecursiveField>(
        &self,
        tree: &TreePlan,
        matrices: &[MatrixShape],
        indices: &[usize],
        opened: &[Vec<Vec<P::Base>>],
        proof: &<P::Mmcs as Mmcs<P::Base>>::MultiProof,
    ) -> Result<Vec<OpeningWitness>, WitnessError> {
        let dimensions: Vec<Dimensions> = matrices
            .iter()
            .map(|matrix| Dimensions {
                width: matrix.width,
                height: 1 << (matrix.log_height + self.pcs.parameters.log_blowup),
            })
            .collect();
        let shift = self.pcs.log_max() - tree.groups[0].log_height;
        let leaves: Vec<usize> = indices.iter().map(|index| index >> shift).collect();
        length("queries", leaves.len(), opened.len())?;
        for rows in opened {
            length("opened matrices", matrices.len(), rows.len())?;
        }
        let paths = P::mmcs(self.pcs.parameters.cap_height)
            .siblings(&dimensions, &leaves, opened, proof)
            .map_err(|reason| WitnessError::Paths { reason })?;
        let of_query = |(rows, path): (&Vec<Vec<P::Base>>, Vec<P::Base>)| {
            let leaf = |group: &Group| -> Vec<u64> {
                let rows = group.matrices.iter().flat_map(|&matrix| &rows[matrix]);
                rows.map(PrimeField64::as_canonical_u64).collect()
            };
            let mut data = leaf(&tree.groups[0]);
            data.extend(path.iter().map(PrimeField64::as_canonical_u64));
            (data, tree.groups[1..].iter().map(leaf).collect())
        };
        Ok(opened.iter().zip(paths).map(of_query).collect())
    }

    /// The evaluations and paths of the folding rounds. The evaluation at a query's own place is not in the
    /// proof: it is what the round before folds to, and the first one what the openings reduce to.
    fn folds<P: RecursiveField>(
        &self,
        challenges: &NativeChallenges<P>,
        proof: &Parts<'_, P>,
        queries: &mut [QueryWitness],
    ) -> Result<(), WitnessError> {
        let fri = proof.fri;
        let mmcs = P::mmcs(self.pcs.parameters.cap_height);
        let log_max = self.pcs.log_max();
        let reduced = self.reduced_openings(challenges, proof);
        let mut folded: Vec<P::Ext> = reduced.iter().map(|by_height| by_height[&log_max]).collect();
        let folding = TwoAdicFriFolding::<(), ()>(PhantomData);
        let mut cut = 0;
        for (round, log_arity) in self.pcs.log_arities().into_iter().enumerate() {
            let opening = &fri.commit_phase_openings[round];
            length("folding queries", queries.len(), opening.sibling_values.len())?;
            let height = log_max - cut - log_arity;
            let mut leaves = Vec::with_capacity(queries.len());
            let mut rows = Vec::with_capacity(queries.len());
            for (query, siblings) in opening.sibling_values.iter().enumerate() {
                length("evaluations of a coset", (1 << log_arity) - 1, siblings.len())?;
                let index = challenges.indices[query] >> cut;
                let mut evaluations = siblings.clone();
                evaluations.insert(index & ((1 << log_arity) - 1), folded[query]);
                let leaf = index >> log_arity;
                folded[query] = FriFoldingStrategy::<P::Base, P::Ext>::fold_row(
                    &folding,
                    leaf,
                    height,
                    log_arity,
                    challenges.betas[round],
                    evaluations.iter().copied(),
                );
                if let Some(&opening) = reduced[query].get(&height) {
                    folded[query] += challenges.betas[round].exp_power_of_2(log_arity) * opening;
                }
                let row: Vec<P::Base> = evaluations
                    .iter()
                    .flat_map(BasedVectorSpace::as_basis_coefficients_slice)
                    .copied()
                    .collect();
                leaves.push(leaf);
                rows.push(vec![row]);
            }
            let dimensions =
                [Dimensions { width: self.pcs.field.degree() << log_arity, height: 1 << height }];
            let paths = mmcs
                .siblings(&dimensions, &leaves, &rows, &opening.opening_proof)
                .map_err(|reason| WitnessError::Paths { reason })?;
            for ((query, rows), path) in queries.iter_mut().zip(&rows).zip(&paths) {
                let values = rows[0].iter().chain(path);
                query.folds.push(values.map(PrimeField64::as_canonical_u64).collect());
            }
            cut += log_arity;
        }
        Ok(())
    }

    /// What the openings of each query reduce to, by the logarithm of the domain's size.
    fn reduced_openings<P: RecursiveField>(
        &self,
        challenges: &NativeChallenges<P>,
        proof: &Parts<'_, P>,
    ) -> Vec<BTreeMap<usize, P::Ext>> {
        let log_blowup = self.pcs.parameters.log_blowup;
        let log_max = self.pcs.log_max();
        let offsets = self.pcs.offsets();
        let longest = self.pcs.commitments.iter().flatten().map(|m| 2 * m.width).sum();
        let powers: Vec<P::Ext> = challenges.alpha.powers().take(longest).collect();
        let openings = &proof.fri.input_openings;
        let reduce = |(query, &index): (usize, &usize)| {
            let mut reduced: BTreeMap<usize, P::Ext> = BTreeMap::new();
            for (commitment, matrices) in self.pcs.commitments.iter().enumerate() {
                for (number, matrix) in matrices.iter().enumerate() {
                    let log_height = matrix.log_height + log_blowup;
                    let position =
                        reverse_bits_len(index >> (log_max - log_height), log_height) as u64;
                    let x = P::Base::GENERATOR
                        * P::Base::two_adic_generator(log_height).exp_u64(position);
                    let row = &openings[commitment].opened_values[query][number];
                    let next = P::Base::two_adic_generator(matrix.log_height);
                    let points = [challenges.zeta, challenges.zeta * next];
                    for which in 0..=usize::from(matrix.next) {
                        let offset = offsets[commitment][number][which];
                        let claimed = &challenges.opened[commitment][number][which];
                        let sum: P::Ext = claimed
                            .iter()
                            .zip(row)
                            .zip(&powers[offset..])
                            .map(|((&claimed, &value), &power)| power * (claimed - value))
                            .sum();
                        let denominator = points[which] - P::Ext::from(x);
                        let quotient = sum * denominator.try_inverse().unwrap_or_default();
                        *reduced.entry(log_height).or_default() += quotient;
                    }
                }
            }
            reduced
        };
        challenges.indices.par_iter().enumerate().map(reduce).collect()
    }

    /// Everything that a proof says, in the order of the transcript.
    fn said_by<P: RecursiveField>(&self, proof: &Parts<'_, P>) -> Vec<P::Base> {
        let fri = proof.fri;
        let grinding = self.pcs.parameters.grinding;
        let mut said = Vec::new();
        let ext = |value: &P::Ext| value.as_basis_coefficients_slice().to_vec();
        let work = |said: &mut Vec<P::Base>, bits: usize, witness: P::Base| {
            if bits > 0 {
                said.push(witness);
            }
        };
        said.extend(P::Mmcs::elements(proof.main));
        if let Some((commitment, witness)) = proof.lookups {
            work(&mut said, grinding.lookup, witness);
            said.extend(P::Mmcs::elements(commitment));
            said.extend(proof.terminals.iter().flatten().flat_map(ext));
        }
        said.extend(P::Mmcs::elements(proof.quotient));
        work(&mut said, grinding.out_of_domain, proof.out_of_domain_work);
        let mut values: Vec<&P::Ext> = Vec::new();
        for (table, _) in &proof.tables {
            values.extend(&table.trace_local);
            values.extend(table.trace_next.iter().flatten());
        }
        for (table, _) in &proof.tables {
            values.extend(table.quotient_chunks.iter().flatten());
        }
        for fixed in proof.tables.iter().filter_map(|(table, _)| table.preprocessed.as_ref()) {
            values.extend(&fixed.local);
            values.extend(fixed.next.iter().flatten());
        }
        for (_, lookups) in &proof.tables {
            values.extend(lookups.iter().copied().flatten());
        }
        said.extend(values.into_iter().flat_map(ext));
        work(&mut said, grinding.batch, fri.batch_pow_witness);
        for (commitment, &witness) in fri.commit_phase_commits.iter().zip(&fri.commit_pow_witnesses)
        {
            said.extend(P::Mmcs::elements(commitment));
            work(&mut said, grinding.fold, witness);
        }
        said.extend(fri.final_poly.iter().flat_map(ext));
        work(&mut said, grinding.query, fri.query_pow_witness);
        said
    }
}
