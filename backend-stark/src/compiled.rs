//! Keys, proofs and their encodings, compiled once for each field.
//!
//! Everything that pulls in the prover, the verifier, tree hashes, or serialisers of proofs is an entry here: code that is
//! generic over a [`StarkField`] calls these, and is compiled without them (`chipwright_ir::compiled_for!`).

use std::sync::Arc;

use chipwright_ir::FieldPair;
use chipwright_ir::compiled_for;
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_ir::machine::{Machine, MachineTrace};

use crate::config::StarkField;
use crate::encoding::DecodeError;
use crate::key::{KeyError, KeyShape, ProvingKey, StatementError, VerifyingKey, keys_generic};
use crate::proof::{Proof, ProveError, VerifyError};
use crate::prover::Phases;
use crate::statement::Statement;

type Base<P> = <P as FieldPair>::Base;

compiled_for! {
    [Goldilocks2, Goldilocks3, KoalaBear4]
    /// What this crate computes over a field.
    pub trait Compiled where Self: StarkField {
        fn key_shape(statement: Statement) -> Result<KeyShape<Self>, StatementError> {
            KeyShape::of_statement_generic(statement)
        }

        fn log_quotient_chunks(shape: &KeyShape<Self>, table: usize, log_height: usize) -> usize {
            shape.log_quotient_chunks_generic(table, log_height)
        }

        fn keys(
            machine: &Machine,
            shape: Arc<KeyShape<Self>>,
        ) -> Result<(ProvingKey<Self>, VerifyingKey<Self>), StatementError> {
            keys_generic(machine, shape)
        }

        fn write_key(key: &VerifyingKey<Self>) -> Vec<u8> {
            key.to_bytes_generic()
        }

        fn read_key(bytes: &[u8]) -> Result<VerifyingKey<Self>, KeyError> {
            VerifyingKey::from_bytes_generic(bytes)
        }

        fn prove_trace(
            key: &ProvingKey<Self>,
            trace: MachineTrace<Base<Self>>,
        ) -> Result<(Proof<Self>, Phases), ProveError> {
            key.prove_generic(trace)
        }

        fn verify_proof(
            key: &VerifyingKey<Self>,
            publics: &[Vec<Base<Self>>],
            proof: &Proof<Self>,
        ) -> Result<(), VerifyError> {
            key.verify_generic(publics, proof)
        }

        fn write_proof(proof: &Proof<Self>) -> Vec<u8> {
            proof.to_bytes_generic()
        }

        fn read_proof(key: &VerifyingKey<Self>, bytes: &[u8]) -> Result<Proof<Self>, DecodeError> {
            Proof::from_bytes_generic(key, bytes)
        }
    }
}
