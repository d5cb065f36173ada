//! Proofs of trees on disk, so that a tree goes on where it was interrupted.
//!
//! A proof is found by the key of its layer and by what it says; nothing else is remembered, so one folder serves
//! any number of trees. What is read is verified before it is used: a file that was cut off, altered, or put
//! there by somebody else costs the time of proving it again, and no more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chipwright_backend_stark::proof::Proof;
use chipwright_ir::circuit::Inputs;
use p3_field::PrimeField64;

use crate::batch::{Digest, RecursiveField};
use crate::keys::{Domain, digest};
use crate::layer::{Layer, LayerError, Statement};

/// A folder of proofs.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A folder or file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {error}", path.display())]
pub struct StoreError {
    /// The folder or file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub error: io::Error,
}

impl Store {
    /// A folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be made.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref().to_owned();
        match fs::create_dir_all(&folder) {
            Ok(()) => Ok(Self { folder }),
            Err(error) => Err(StoreError { path: folder, error }),
        }
    }

    /// A layer's proof of a statement: the one of a store, if there is one, or else a new one, which is kept. Tells whether it
    /// was found.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not satisfy the layer, or the proof cannot be written.
    pub(crate) fn find_or_prove<P: RecursiveField>(
        store: Option<&Self>,
        layer: &Layer<P>,
        statement: &Statement<Digest<P>>,
        inputs: &Inputs,
    ) -> Result<(Proof<P>, bool), LayerError> {
        if let Some(proof) = store.and_then(|store| store.read(layer, statement)) {
            return Ok((proof, true));
        }
        let proof = layer.prove(inputs)?;
        if let Some(store) = store {
            store.write(layer, statement, &proof)?;
        }
        Ok((proof, false))
    }

    /// Where a layer's proof of a statement is.
    fn path<P: RecursiveField>(
        &self,
        layer: &Layer<P>,
        statement: &Statement<Digest<P>>,
    ) -> PathBuf {
        let key: String = layer.key().digest()[..8].iter().map(|b| format!("{b:02x}")).collect();
        let said = digest::<P>(Domain::Publics, &statement.publics());
        let said: String =
            said.as_ref().iter().map(|v| format!("{:x}.", v.as_canonical_u64())).collect();
        self.folder.join(format!("{key}-{said}proof"))
    }

    /// A layer's proof of a statement, if there is one and it is valid.
    fn read<P: RecursiveField>(
        &self,
        layer: &Layer<P>,
        statement: &Statement<Digest<P>>,
    ) -> Option<Proof<P>> {
        let bytes = fs::read(self.path(layer, statement)).ok()?;
        let proof = Proof::from_bytes(layer.key(), &bytes).ok()?;
        layer.check(statement, &proof).is_ok().then_some(proof)
    }

    /// Keeps a layer's proof of a statement. A file is there as a whole, or not at all.
    fn write<P: RecursiveField>(
        &self,
        layer: &Layer<P>,
        statement: &Statement<Digest<P>>,
        proof: &Proof<P>,
    ) -> Result<(), StoreError> {
        let path = self.path(layer, statement);
        let part = path.with_extension("part");
        fs::write(&part, proof.to_bytes())
            .and_then(|()| fs::rename(&part, &path))
            .map_err(|error| StoreError { path, error })
    }
}
