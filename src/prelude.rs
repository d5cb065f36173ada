//! What a file begins with, by what is written in it.
//!
//! Each prelude contains what nearly every such file names; the rest is found under the paths of the [`crate`].

/// For files of chips: column types, the builder of rules, the macros.
pub mod chips {
    pub use chipwright_dsl::prelude::*;
}

/// For files that build circuits and prove them.
pub mod circuits {
    pub use chipwright_backend_stark::circuit::{
        CircuitError, CircuitProver, CircuitVerifier, compile_circuit, compile_circuit_with_layout,
    };
    pub use chipwright_backend_stark::config::Config;
    pub use chipwright_chips::library;
    pub use chipwright_dsl::Field;
    pub use chipwright_dsl::circuit::{
        BitTarget, BuildError, BuiltCircuit, CircuitBuilder, ExtTarget, Target,
    };
    pub use chipwright_ir::circuit::Inputs;
    pub use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
}

/// For files that make a machine of chips, run it and prove it.
pub mod machines {
    pub use super::chips::*;
    pub use chipwright_backend_stark::config::Config;
    pub use chipwright_backend_stark::machine::{
        MachineError, MachineProver, MachineVerifier, compile_machine,
    };
    pub use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
    pub use chipwright_ir::machine::{MachineInput, MachineTrace, check};
}
