//! A small circuit, a proof of it, and the circuit that verifies such proofs.

use chipwright_backend_stark::circuit::{CircuitProver, CircuitVerifier, compile_circuit};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::circuit::{CircuitBuilder, Target};
use chipwright_ir::circuit::{Form, Inputs};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::MachineTrace;
use chipwright_recursion::WitnessError;
use chipwright_recursion::batch::{BatchShape, ChildKey, ProofData, RecursiveField, verify_batch};
use chipwright_tests::{sum_of_squares_over, tables};
use p3_field::{PrimeCharacteristicRing, PrimeField64};

use crate::forging::Forgeable;

/// The squares of the numbers below this are summed.
const TERMS: u64 = 20;

/// The public value of the proof.
pub(crate) const SUM: u64 = (TERMS - 1) * TERMS * (2 * TERMS - 1) / 6;

/// A proof below, and the circuit above.
pub(crate) struct Scene<P: RecursiveField = Goldilocks2> {
    pub(crate) prover: CircuitProver<P>,
    pub(crate) verifier: CircuitVerifier<P>,
    pub(crate) proof: Proof<P>,
    pub(crate) shape: BatchShape,
    pub(crate) data: ProofData,
    /// Its public values are the key and the public values of the proof below.
    pub(crate) circuit: Forgeable<P>,
}

impl<P: RecursiveField> Scene<P> {
    pub(crate) fn new(config: &Config) -> Self {
        Self::of(config, Form::Fused)
    }

    /// A scene whose circuit below is lowered to other tables.
    pub(crate) fn of(config: &Config, form: Form) -> Self {
        let below = tables(&sum_of_squares_over(P::FIELD, TERMS as usize), form);
        let library = chipwright_chips::library(P::FIELD);
        let (prover, verifier) =
            compile_circuit::<P>(below, &library, config).expect("the circuit compiles");
        let proof = prover.prove(&Self::inputs_below()).expect("the inputs are honest");
        let shape = BatchShape::new(verifier.key().shape(), proof.log_heights())
            .expect("the shape is supported");

        let mut builder =
            CircuitBuilder::with_library("above", chipwright_chips::library(P::FIELD));
        let key = ChildKey::of(verifier.key());
        let mut inputs = |values: &[P::Base]| -> Vec<Target> {
            values.iter().map(|_| builder.add_public_input()).collect()
        };
        let key = ChildKey { seed: inputs(&key.seed), fixed_cap: inputs(&key.fixed_cap) };
        let publics: Vec<Vec<Target>> =
            shape.publics().map(|count| inputs(&vec![P::Base::ZERO; count])).collect();
        let data =
            verify_batch::<P>(&mut builder, &shape, &key, &publics).expect("the public values fit");
        let circuit =
            Forgeable::new(builder.build().expect("a circuit"), &Config::testing_over(P::FIELD));
        Self { prover, verifier, proof, shape, data, circuit }
    }

    pub(crate) fn inputs_below() -> Inputs {
        Inputs::publics([SUM]).with_privates(0..TERMS)
    }

    pub(crate) fn key(&self) -> &VerifyingKey<P> {
        self.verifier.key()
    }

    /// The public values of every table of the proof below, if the sum is as given.
    pub(crate) fn publics(&self, sum: u64) -> Vec<Vec<P::Base>> {
        self.shape.publics().map(|count| vec![P::Base::from_u64(sum); count]).collect()
    }

    /// What a run of the circuit needs to verify a proof.
    pub(crate) fn inputs(&self, proof: &Proof<P>, sum: u64) -> Result<Inputs, WitnessError> {
        let publics = self.publics(sum);
        let key = ChildKey::of(self.key());
        let values = key.elements().chain(publics.iter().flatten().copied());
        let mut inputs = Inputs::publics(values.map(|value| value.as_canonical_u64()));
        inputs.data = self.data.witness(&self.shape, self.key(), &publics, proof)?;
        Ok(inputs)
    }

    /// Whether the verifier of the circuit below accepts.
    pub(crate) fn native_accepts(&self, proof: &Proof<P>, sum: u64) -> bool {
        self.verifier.verify(&[vec![sum]], proof).is_ok()
    }

    /// A proof below of an altered trace, whatever it is worth.
    pub(crate) fn proof_of(&self, alter: impl FnOnce(&mut MachineTrace<P::Base>)) -> Proof<P> {
        let witness = self.prover.witness(&Self::inputs_below(), None).expect("honest inputs");
        let mut trace = self.prover.trace(&witness).expect("the tables are filled");
        alter(&mut trace);
        self.prover.key().prove(trace).expect("the trace has the right shape")
    }
}
