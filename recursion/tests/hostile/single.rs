//! A circuit of one call, whose chip lies: which rule of the chip the lie violates.

use std::sync::Arc;

use chipwright_backend_stark::config::Config;
use chipwright_dsl::circuit::{AnyTarget, BitTarget, CircuitBuilder, ExtTarget, Target};
use chipwright_ir::circuit::{ChipCall, ChipLibrary, Inputs, Library, ValueType};
use chipwright_recursion::batch::RecursiveField;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_16};
use p3_symmetric::Permutation;

use crate::forging::{Ext, Forgeable, Lie, P, honestly};

/// A call with honest inputs. Its inputs and outputs are public values of the circuit.
pub(crate) struct Single {
    pub(crate) call: ChipCall,
    pub(crate) inputs: Vec<u64>,
    pub(crate) data: Vec<u64>,
    /// The digests that paths may end at: tree, then elements, each at position zero.
    pub(crate) caps: Vec<(u64, Vec<u64>)>,
}

impl Single {
    /// The circuit of the call, whose chip lies about it, and what is public in a run.
    fn circuit<P: RecursiveField>(
        &self,
        inputs: &[u64],
        claimed: Option<&[u64]>,
        lie: &Lie,
    ) -> (Forgeable<P>, Inputs) {
        let library = chipwright_chips::library(P::FIELD);
        let signature = library.signature(&self.call).expect("the call is sound");
        let claimed = match claimed {
            Some(claimed) => claimed.to_vec(),
            None => lie(&library, &self.call, inputs, &self.data).1,
        };
        let mut builder = CircuitBuilder::with_library("single", library);
        for (tree, _) in &self.caps {
            let digest = (0..P::SIZES.digest).map(|_| builder.public::<Target>().into());
            let digest: Vec<AnyTarget> = digest.collect();
            let call = ChipCall { chip: "cap".to_owned(), parameters: vec![*tree, 0], rows: 1 };
            builder.call_named(call, &digest);
        }
        let public = |builder: &mut CircuitBuilder, ty: ValueType| -> AnyTarget {
            match ty {
                ValueType::Ext => builder.public::<ExtTarget>().into(),
                ValueType::Bit => builder.public::<BitTarget>().into(),
                ValueType::Felt => builder.public::<Target>().into(),
            }
        };
        let targets: Vec<AnyTarget> =
            signature.inputs.iter().map(|port| public(&mut builder, port.ty)).collect();
        let outputs = builder.call_named(self.call.clone(), &targets).outputs;
        for (output, ty) in outputs.into_iter().zip(signature.output_types()) {
            let claim = public(&mut builder, ty);
            let (output, claim) = (builder.as_ext(output), builder.as_ext(claim));
            builder.assert_eq(output, claim);
        }
        let circuit = builder.build().expect("a circuit");
        let circuit =
            Forgeable::<P>::lying(circuit, &Config::testing_over(P::FIELD), &self.call.chip, lie);

        let mut all = Inputs::default();
        let felts = |values: &[u64]| -> Vec<Vec<u64>> { values.iter().map(|&v| vec![v]).collect() };
        for (_, digest) in &self.caps {
            all.publics.extend(felts(digest));
        }
        let types = signature.inputs.iter().map(|port| port.ty).chain(signature.output_types());
        let mut values = inputs.iter().chain(&claimed).copied();
        all.publics.extend(types.map(|ty| values.by_ref().take(ty.width(P::FIELD)).collect()));
        if !self.data.is_empty() {
            all.data = vec![self.data.clone()];
        }
        (circuit, all)
    }

    /// What a run violates, if a chip lies about it and columns that it computes are as wanted.
    fn run<P: RecursiveField>(
        &self,
        inputs: &[u64],
        claimed: Option<&[u64]>,
        lie: &Lie,
        computed: &[Computed],
    ) -> Vec<String> {
        let (circuit, all) = self.circuit::<P>(inputs, claimed, lie);
        let mut forged = circuit.force(&all);
        for &Computed { chip, row, column, value } in computed {
            let place = (chip, row, column);
            if let Some(value) = value {
                circuit.alter(&mut forged, place, |i, cell| {
                    *cell += P::Base::from_u64(if i == 0 { value } else { 0 });
                });
                continue;
            }
            let (circuit, all) =
                self.circuit::<P>(&self.inputs, None, &(Arc::new(honestly) as Lie));
            let (mut honest, mut cells) = (circuit.force(&all), Vec::new());
            circuit.alter(&mut honest, place, |_, cell| cells.push(*cell));
            circuit.alter(&mut forged, place, |i, cell| *cell = cells[i]);
        }
        let violated = forged.violated();
        let accepted = circuit.accepts(&all, &circuit.prove(forged));
        assert_eq!(accepted, violated.is_empty(), "{violated:?}");
        violated
    }

    /// Demands that the honest run is accepted.
    pub(crate) fn accept(&self) {
        self.accept_over::<P>();
    }

    /// [`Self::accept`] over another field.
    pub(crate) fn accept_over<P: RecursiveField>(&self) {
        let honest: Lie = Arc::new(honestly);
        assert_eq!(self.run::<P>(&self.inputs, None, &honest, &[]), Vec::<String>::new());
    }

    /// What a run violates whose rows are those of the honest inputs, altered, though other inputs are claimed. The
    /// outputs are what the rows say unless others are claimed. The proof of the run is made and rejected.
    pub(crate) fn forge(
        &self,
        inputs: &[u64],
        claimed: Option<&[u64]>,
        alter: impl Fn(&mut Rows, &mut Vec<u64>) + Send + Sync + 'static,
    ) -> Vec<String> {
        self.forge_over::<P>(inputs, claimed, alter)
    }

    /// [`Self::forge`] over another field.
    pub(crate) fn forge_over<P: RecursiveField>(
        &self,
        inputs: &[u64],
        claimed: Option<&[u64]>,
        alter: impl Fn(&mut Rows, &mut Vec<u64>) + Send + Sync + 'static,
    ) -> Vec<String> {
        self.run::<P>(inputs, claimed, &self.lie(alter), &[])
    }

    /// What a run of the honest inputs violates whose rows are altered, and so are columns that the chip computes.
    pub(crate) fn forge_computed<P: RecursiveField>(
        &self,
        computed: &[Computed],
        alter: impl Fn(&mut Rows, &mut Vec<u64>) + Send + Sync + 'static,
    ) -> Vec<String> {
        self.run::<P>(&self.inputs, None, &self.lie(alter), computed)
    }

    /// The rows of the honest inputs, altered.
    fn lie(&self, alter: impl Fn(&mut Rows, &mut Vec<u64>) + Send + Sync + 'static) -> Lie {
        let honest = self.inputs.clone();
        Arc::new(move |library: &Library, call, _, data| {
            let (rows, mut outputs) = honestly(library, call, &honest, data);
            let mut rows = Rows(rows);
            alter(&mut rows, &mut outputs);
            (rows.0, outputs)
        })
    }
}

/// Columns that a chip computes, altered in one row.
#[derive(Clone, Copy)]
pub(crate) struct Computed {
    pub(crate) chip: &'static str,
    pub(crate) row: usize,
    /// How the names of the columns begin.
    pub(crate) column: &'static str,
    /// What is added to the first of them; if nothing is, they are what they are in the honest run.
    pub(crate) value: Option<u64>,
}

/// The input and record columns of the rows of a call of the hash chip, over the quadratic extension.
pub(crate) struct Rows(pub(crate) Vec<Vec<u64>>);

pub(crate) const ENTRY: usize = 12;
pub(crate) const POINT: usize = 13;
pub(crate) const SUM: usize = 15;
pub(crate) const OWN: usize = 17;
pub(crate) const CAPACITY: usize = 19;
pub(crate) const INDEX: usize = 23;
pub(crate) const BITS: usize = 24;
pub(crate) const FOURTH: usize = 27;

impl Rows {
    /// The state after a row's permutation.
    pub(crate) fn after(&self, row: usize) -> [u64; 16] {
        let cells = &self.0[row];
        let state =
            std::array::from_fn(|i| if i < 12 { cells[i] } else { cells[CAPACITY + i - 12] });
        default_goldilocks_poseidon2_16()
            .permute(state.map(Goldilocks::from_u64))
            .map(|element| element.as_canonical_u64())
    }

    /// Makes a row's state that after the row before it, as far as it is not taken.
    pub(crate) fn chain(&mut self, row: usize, taken: usize) {
        let after = self.after(row - 1);
        self.0[row][taken..12].copy_from_slice(&after[taken..12]);
        self.0[row][CAPACITY..CAPACITY + 4].copy_from_slice(&after[12..]);
    }

    /// Puts the digest of the row before in a place of a parent.
    pub(crate) fn child(&mut self, row: usize, place: usize) {
        let digest = self.after(row - 1);
        for i in 0..4 {
            let at = 4 * place + i;
            self.0[row][if at < 12 { at } else { CAPACITY + at - 12 }] = digest[i];
        }
    }

    pub(crate) fn ext(&self, row: usize, at: usize) -> Ext {
        Ext::from_basis_coefficients_fn(|i| Goldilocks::from_u64(self.0[row][at + i]))
    }

    pub(crate) fn add(&mut self, row: usize, at: usize, value: Ext) {
        let sum = self.ext(row, at) + value;
        let coefficients: &[Goldilocks] = sum.as_basis_coefficients_slice();
        for (cell, value) in self.0[row][at..].iter_mut().zip(coefficients) {
            *cell = value.as_canonical_u64();
        }
    }
}
