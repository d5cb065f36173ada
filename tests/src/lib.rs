//! What the cross-crate tests share: small circuits, and the way from a circuit to an honest or a forged
//! proof.
//!
//! A forged proof is made by the honest prover from a wrong witness or a wrong trace, so that everything
//! about it is right except the one thing that a test is about.
//!
//! [`mips`] runs the work of a verifier as machine code, to compare it with the circuit that does the same.

mod below;
pub mod mips;

use chipwright_backend_stark::circuit::{
    CircuitError, CircuitProver, CircuitVerifier, compile_circuit, compile_circuit_with_layout,
};
use chipwright_backend_stark::config::{Config, StarkField};
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::Field;
use chipwright_ir::circuit::{
    BinaryOp, Form, Graph, Inputs, Layout, Library, SlotId, Tables, ValueType, lower_to_slots,
    lower_to_tables,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::MachineTrace;
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

pub use below::Below;

/// The field of the tests.
pub const FIELD: Field = Field::Goldilocks2;

/// `37·x − 111 = 0`, as built by hand: `x` is public, the difference is connected with zero.
pub fn toy() -> Graph {
    let mut graph = Graph::new("toy", FIELD);
    let x = graph.public(ValueType::Felt);
    let zero = graph.constant(0);
    let factor = graph.constant(37);
    let constant = graph.constant(111);
    let product = graph.binary(BinaryOp::Mul, factor, x);
    let difference = graph.binary(BinaryOp::Sub, product, constant);
    graph.connect(difference, zero);
    graph
}

/// A circuit whose public input is the sum of squares of its private inputs.
pub fn sum_of_squares(terms: usize) -> Graph {
    sum_of_squares_over(FIELD, terms)
}

/// [`sum_of_squares`] over another field.
pub fn sum_of_squares_over(field: Field, terms: usize) -> Graph {
    let mut graph = Graph::new("sum_of_squares", field);
    let claimed = graph.public(ValueType::Felt);
    let mut sum = graph.constant(0);
    for _ in 0..terms {
        let x = graph.private(ValueType::Felt);
        sum = graph.mul_add(x, x, sum);
    }
    graph.assert_eq(sum, claimed);
    graph
}

/// The tables of a circuit that is lowered as it stands.
///
/// # Panics
///
/// Panics if the circuit contradicts itself.
pub fn tables(graph: &Graph, form: Form) -> Tables {
    lower_to_tables(lower_to_slots(graph, form).expect("the circuit is consistent"))
}

/// A small circuit over any field, `x² = 9` for a public `x`, whose proofs layers of recursion are put over.
#[derive(Debug)]
pub struct Square<P: StarkField> {
    /// The proving side.
    pub prover: CircuitProver<P>,
    /// The verifying side.
    pub verifier: CircuitVerifier<P>,
}

impl<P: StarkField> Square<P> {
    /// Compiles the circuit.
    ///
    /// # Panics
    ///
    /// Panics if the configuration is not one over `P`.
    pub fn new(config: &Config) -> Self {
        let mut graph = Graph::new("square", P::FIELD);
        let x = graph.public(ValueType::Felt);
        let square = graph.binary(BinaryOp::Mul, x, x);
        let nine = graph.constant(9);
        graph.connect(square, nine);
        let library = chipwright_chips::library(P::FIELD);
        let (prover, verifier) = compile_circuit(tables(&graph, Form::Fused), &library, config)
            .expect("the circuit compiles");
        Self { prover, verifier }
    }

    /// The proof for `x = 3`.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be proven.
    pub fn prove(&self) -> Proof<P> {
        self.prover.prove(&Inputs::publics([3])).expect("the square of three is nine")
    }

    /// The public values of [`Self::prove`], table by table.
    pub fn publics(&self) -> Vec<Vec<P::Base>> {
        let tables = self.verifier.key().tables();
        tables.iter().map(|table| vec![P::Base::from_u64(3); table.publics]).collect()
    }
}

/// A compiled circuit, under the cheap configuration.
#[derive(Debug)]
pub struct Compiled {
    /// The proving side.
    pub prover: CircuitProver<Goldilocks2>,
    /// The verifying side.
    pub verifier: CircuitVerifier<Goldilocks2>,
}

impl Compiled {
    /// Compiles a circuit with the standard library.
    ///
    /// # Panics
    ///
    /// Panics if the circuit cannot be compiled.
    pub fn new(graph: &Graph, form: Form) -> Self {
        Self::with_library(graph, form, &chipwright_chips::library(FIELD))
    }

    /// Compiles a circuit with a library.
    ///
    /// # Panics
    ///
    /// Panics if the circuit cannot be compiled.
    pub fn with_library(graph: &Graph, form: Form, library: &Library) -> Self {
        let (prover, verifier) = compile_circuit(tables(graph, form), library, &Config::testing())
            .expect("the circuit compiles");
        Self { prover, verifier }
    }

    /// Compiles tables to a single one, by a layout or by the one that costs least.
    ///
    /// # Errors
    ///
    /// Fails if the circuit does not fit the layout.
    pub fn fused(
        tables: Tables,
        config: &Config,
        layout: Option<&Layout>,
    ) -> Result<Self, CircuitError> {
        let library = chipwright_chips::library(FIELD);
        let (prover, verifier) = compile_circuit_with_layout(tables, &library, config, layout)?;
        Ok(Self { prover, verifier })
    }

    /// The honest proof.
    ///
    /// # Panics
    ///
    /// Panics if the inputs do not satisfy the circuit.
    pub fn prove(&self, inputs: &Inputs) -> Proof<Goldilocks2> {
        self.prover.prove(inputs).expect("the inputs satisfy the circuit")
    }

    /// The honest trace.
    ///
    /// # Panics
    ///
    /// Panics if the inputs do not satisfy the circuit.
    pub fn trace(&self, inputs: &Inputs) -> MachineTrace<Goldilocks> {
        let witness = self.prover.witness(inputs, None).expect("the inputs satisfy the circuit");
        self.prover.trace(&witness).expect("the tables can be filled")
    }

    /// The proof of a trace, whatever it is worth.
    ///
    /// # Panics
    ///
    /// Panics if the trace has the wrong shape.
    pub fn prove_trace(&self, trace: MachineTrace<Goldilocks>) -> Proof<Goldilocks2> {
        self.prover.key().prove(trace).expect("the trace has the right shape")
    }

    /// The proof of a witness that is wrong in some slots.
    ///
    /// # Panics
    ///
    /// Panics if the inputs do not satisfy the circuit.
    pub fn prove_forged(&self, inputs: &Inputs, wrong: &[(SlotId, u64)]) -> Proof<Goldilocks2> {
        let mut witness = self.prover.witness(inputs, None).expect("the inputs are honest");
        for &(slot, value) in wrong {
            witness.values[slot.index()] = Goldilocks::from_u64(value).into();
        }
        self.prove_trace(self.prover.trace(&witness).expect("the tables can be filled"))
    }

    /// Whether the verifier accepts a proof for some public inputs that are base elements.
    ///
    /// # Errors
    ///
    /// What the verifier says.
    pub fn verify(&self, publics: &[u64], proof: &Proof<Goldilocks2>) -> Result<(), CircuitError> {
        let publics: Vec<Vec<u64>> = publics.iter().map(|&value| vec![value]).collect();
        self.verifier.verify(&publics, proof)
    }

    /// The position of a chip's table.
    ///
    /// # Panics
    ///
    /// Panics if there is no such table.
    pub fn table(&self, chip: &str) -> usize {
        self.prover.machine().position(chip).expect("the machine has the table")
    }
}

/// Demands that a verifier rejected a proof, rather than anything else having failed.
///
/// # Panics
///
/// Panics if the proof was accepted, or was never looked at.
pub fn expect_rejected(result: Result<(), CircuitError>) {
    match result {
        Err(CircuitError::Machine(MachineError::Verify(_))) => {}
        other => panic!("expected the proof to be rejected, got {other:?}"),
    }
}
