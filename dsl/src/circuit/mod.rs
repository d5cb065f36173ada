//! Circuits: fixed-shape straight-line programs, written by calling a builder.
//!
//! Values are [`Target`]s, typed by what they hold. Nothing is computed while a circuit is built: the builder
//! records operations, [`CircuitBuilder::build`] lowers them to a witness table, and a [`Runner`] computes a
//! witness for given inputs.
//!
//! ```
//! use chipwright_dsl::circuit::CircuitBuilder;
//!
//! // 37·x − 111 = 0
//! let mut builder = CircuitBuilder::new();
//! let x = builder.add_public_input();
//! let c37 = builder.add_const(37);
//! let c111 = builder.add_const(111);
//! let zero = builder.add_const(0);
//! let mul_result = builder.mul(c37, x);
//! let sub_result = builder.sub(mul_result, c111);
//! builder.connect(sub_result, zero);
//! let circuit = builder.build()?;
//!
//! let mut runner = circuit.runner();
//! runner.set_public_inputs(&[3]);
//! assert!(runner.run().is_ok());
//! runner.set_public_inputs(&[4]);
//! assert!(runner.run().is_err());
//! # Ok::<(), chipwright_dsl::circuit::BuildError>(())
//! ```

mod builder;
mod built;
mod calls;
mod components;
mod target;

pub use builder::{CircuitBuilder, NamedRule};
pub use built::{BuildError, BuiltCircuit, Runner, Values};
pub use calls::{CallTargets, DataTarget, MultiRowCall, Wire, called_chip};
pub use target::{AnyTarget, BitTarget, ExtTarget, Join, Operand, Target, TargetType};

pub use chipwright_ir::circuit::{Form, HintKind, HintRegistry};
