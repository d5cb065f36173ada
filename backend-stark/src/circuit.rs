//! Proving circuits: witness generation, assembly into a machine, and the machine's proof, in one place.
//!
//! ```
//! use chipwright_ir::circuit::{BinaryOp, Form, Graph, ValueType, lower_to_slots, lower_to_tables};
//! use chipwright_ir::Field;
//!
//! // 37·x − 111 = 0
//! let mut toy = Graph::new("toy", Field::Goldilocks2);
//! let x = toy.public(ValueType::Felt);
//! let k = toy.constant(37);
//! let product = toy.binary(BinaryOp::Mul, k, x);
//! let k = toy.constant(111);
//! let difference = toy.binary(BinaryOp::Sub, product, k);
//! toy.assert_zero(difference);
//! let tables = lower_to_tables(lower_to_slots(&toy, Form::Fused)?);
//! // `compile_circuit::<Goldilocks2>(tables, &library, &config)` gives a prover and a verifier; the
//! // library of standard chips is in the crate `chipwright-chips`.
//! # assert_eq!(tables.row_count(), 6);
//! # Ok::<(), chipwright_ir::circuit::LowerError>(())
//! ```

use std::sync::Arc;

use chipwright_ir::chip::passes::{FuseError, gate_contents, lower_degree};
use chipwright_ir::chip::{Chip, FixedData};
use chipwright_ir::circuit::layout::{FUSED_TABLE, FusionError};
use chipwright_ir::circuit::{
    AssembleError, Assembly, CostParameters, Environment, Fusion, HintRegistry, Inputs, Layout,
    Library, PUBLIC_TABLE, Schedule, Tables, Witness, WitnessError,
};
use chipwright_ir::machine::fill::{FillOptions, fill_with};
use chipwright_ir::machine::{Machine, MachineTrace, Report, check, verify};

use crate::config::{Config, StarkField};
use crate::key::{KeyShape, ProvingKey, VerifyingKey, compile, compile_shaped};
use crate::machine::{MachineError, MachineVerifier};
use crate::proof::Proof;
use crate::statement::max_log_height;

/// Why a circuit cannot be compiled, proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// The tables have no machine.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// There is no witness.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The machine cannot be compiled, proven or verified.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The tables cannot be fused.
    #[error(transparent)]
    Fuse(#[from] FuseError),
    /// A trace is not one of the fused machine.
    #[error(transparent)]
    Fusion(#[from] FusionError),
    /// The public inputs do not fit the circuit.
    #[error("public input {index} has {found} base elements, the circuit expects {expected}")]
    PublicWidth {
        /// The position.
        index: usize,
        /// The number of base elements that the circuit declares.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// Too many or too few public inputs.
    #[error("{found} public inputs were given, the circuit has {expected}")]
    PublicCount {
        /// How many the circuit has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
}

/// A circuit as tables of a machine under a configuration, before anything is committed to.
#[derive(Debug)]
pub struct PlacedCircuit {
    tables: Tables,
    library: Library,
    config: Config,
    assembly: Assembly,
    /// The machine that is filled: the circuit's, its degrees lowered.
    parts: Machine,
    /// How its tables become the one that is proven, if they do.
    fusion: Option<Fusion>,
}

/// Proves a circuit for given inputs.
pub struct CircuitProver<P: StarkField> {
    circuit: PlacedCircuit,
    schedule: Schedule,
    key: ProvingKey<P>,
}

/// Verifies proofs of a circuit.
pub struct CircuitVerifier<P: StarkField> {
    machine: MachineVerifier<P>,
    /// The number of base elements of each public input.
    widths: Vec<usize>,
    /// The table that the public inputs belong to.
    table: &'static str,
}

impl<P: StarkField> std::fmt::Debug for CircuitProver<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitProver")
            .field("circuit", &self.tables().program.name)
            .finish_non_exhaustive()
    }
}

impl<P: StarkField> std::fmt::Debug for CircuitVerifier<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitVerifier").field("publics", &self.widths).finish_non_exhaustive()
    }
}

/// Compiles a circuit: assembles its machine, one table for each kind of row, and commits to its
/// preprocessed columns.
///
/// # Errors
///
/// Fails if the library lacks a chip, or the machine cannot be proven under the configuration.
pub fn compile_circuit<P: StarkField>(
    tables: Tables,
    library: &Library,
    config: &Config,
) -> Result<(CircuitProver<P>, CircuitVerifier<P>), CircuitError> {
    PlacedCircuit::apart(tables, library, config)?.compile()
}

/// Compiles a circuit whose tables are all in one: assembled and fused by a layout, or by the one that
/// costs least under the configuration. A layout lower than the configuration's lowest table is raised.
///
/// # Errors
///
/// Fails as [`compile_circuit`] does, or if the circuit does not fit the layout.
pub fn compile_circuit_with_layout<P: StarkField>(
    tables: Tables,
    library: &Library,
    config: &Config,
    layout: Option<&Layout>,
) -> Result<(CircuitProver<P>, CircuitVerifier<P>), CircuitError> {
    PlacedCircuit::fused(tables, library, config, layout)?.compile()
}

impl PlacedCircuit {
    /// A circuit with one table for each kind of row.
    ///
    /// # Errors
    ///
    /// Fails if the library lacks a chip, or the machine is not one that the configuration can prove.
    pub fn apart(tables: Tables, library: &Library, config: &Config) -> Result<Self, CircuitError> {
        let tables = tables.with_copies(library);
        let assembly = tables.assemble(library)?;
        Self::new(tables, library, config, assembly, None)
    }

    /// A circuit with all tables in one, by a layout or by the one that costs least.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::apart`] does, or if the circuit does not fit the layout.
    pub fn fused(
        tables: Tables,
        library: &Library,
        config: &Config,
        layout: Option<&Layout>,
    ) -> Result<Self, CircuitError> {
        tables.check(library)?;
        let tables = tables.with_copies(library);
        let parameters = cost_parameters(config);
        let mut layout = match layout {
            Some(layout) => layout.clone(),
            None => Layout::choose(&tables, library, &parameters)?,
        };
        layout.log_height = layout.log_height.max(parameters.min_log_height);
        let tables = layout.place(tables);
        let assembly = tables.assemble_with(library, &layout)?;
        Self::new(tables, library, config, assembly, Some(&layout))
    }

    fn new(
        tables: Tables,
        library: &Library,
        config: &Config,
        assembly: Assembly,
        layout: Option<&Layout>,
    ) -> Result<Self, CircuitError> {
        let parts = lowered(&assembly, config, layout)?;
        let fusion = layout.map(|layout| Fusion::new(&parts, layout)).transpose()?;
        let (library, config) = (library.clone(), config.clone());
        Ok(Self { tables, library, config, assembly, parts, fusion })
    }

    /// Commits to the preprocessed columns.
    ///
    /// # Errors
    ///
    /// Fails if the machine cannot be proven under the configuration.
    pub fn compile<P: StarkField>(
        self,
    ) -> Result<(CircuitProver<P>, CircuitVerifier<P>), CircuitError> {
        let keys = compile(self.machine(), &self.config).map_err(MachineError::from)?;
        Ok(self.under(keys))
    }

    /// [`Self::compile`], if [`Self::shape`] was called already.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::compile`] does, and if the shape is another circuit's.
    pub fn compile_shaped<P: StarkField>(
        self,
        shape: Arc<KeyShape<P>>,
    ) -> Result<(CircuitProver<P>, CircuitVerifier<P>), CircuitError> {
        let keys = compile_shaped(self.machine(), shape).map_err(MachineError::from)?;
        Ok(self.under(keys))
    }

    fn under<P: StarkField>(
        self,
        (key, verifying): (ProvingKey<P>, VerifyingKey<P>),
    ) -> (CircuitProver<P>, CircuitVerifier<P>) {
        let verifier = CircuitVerifier {
            machine: verifying.into(),
            widths: self.assembly.public_widths().collect(),
            table: if self.fusion.is_some() { FUSED_TABLE } else { PUBLIC_TABLE },
        };
        let schedule = Schedule::new(&self.tables.program);
        (CircuitProver { circuit: self, schedule, key }, verifier)
    }

    /// The shape of the key that [`Self::compile`] makes.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::compile`] does.
    pub fn shape<P: StarkField>(&self) -> Result<KeyShape<P>, CircuitError> {
        Ok(KeyShape::new(self.machine(), &self.config).map_err(MachineError::from)?)
    }

    /// The machine that is proven: the circuit's, its degrees lowered and, if there is a layout, its
    /// tables fused.
    pub fn machine(&self) -> &Machine {
        self.fusion.as_ref().map_or(&self.parts, |fusion| &fusion.machine)
    }

    /// The layout, if there is one.
    pub fn layout(&self) -> Option<&Layout> {
        self.assembly.layout()
    }

    /// The circuit at stage `tables`.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}

/// What layouts for a configuration are chosen by.
pub fn cost_parameters(config: &Config) -> CostParameters {
    /// The rate of the hash, and the cells that absorbing as many elements takes in the next layer.
    const RATE: usize = 12;
    const ROW: usize = 200;
    CostParameters {
        max_degree: config.max_degree(),
        min_log_height: config.min_height().trailing_zeros() as usize,
        max_log_height: max_log_height(config),
        opened: config.parameters.queries * ROW / RATE,
    }
}

/// The machine without open rows beyond fixed contents, and with rules and messages of degrees that the configuration
/// allows. The lanes of a table are one chip, so only the first one is verified and rewritten.
fn lowered(
    assembly: &Assembly,
    config: &Config,
    layout: Option<&Layout>,
) -> Result<Machine, MachineError> {
    let least = layout.map_or(1, Layout::height).max(config.min_height());
    let machine = &assembly.machine;
    let lanes = || assembly.first_lanes().iter().copied().zip(&machine.chips).enumerate();
    let mut distinct = Machine::new(machine.name.clone(), machine.field);
    distinct.chips =
        lanes().filter(|(at, (first, _))| at == first).map(|(_, (_, chip))| chip.clone()).collect();
    verify(&distinct)?;
    let mut chips: Vec<Chip> = Vec::with_capacity(machine.chips.len());
    for (at, (first, chip)) in lanes() {
        chips.push(if at == first {
            let rows = chip.fixed.as_ref().map_or(0, FixedData::rows);
            let closed = gate_contents(chip, rows.next_power_of_two().max(least));
            lower_degree(&closed, config.max_degree())?
        } else {
            Chip { name: chip.name.clone(), fixed: chip.fixed.clone(), ..chips[first].clone() }
        });
    }
    Ok(Machine { chips, ..distinct })
}

impl<P: StarkField> CircuitProver<P> {
    /// Computes the witness, the traces and the proof.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not fit the circuit or violate one of its rules.
    pub fn prove(&self, inputs: &Inputs) -> Result<Proof<P>, CircuitError> {
        self.prove_with_hints(inputs, None)
    }

    /// [`Self::prove`] with a registry that resolves the external hints by name.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::prove`] does.
    pub fn prove_with_hints(
        &self,
        inputs: &Inputs,
        hints: Option<&HintRegistry>,
    ) -> Result<Proof<P>, CircuitError> {
        let witness = self.witness(inputs, hints)?;
        let trace = self.parts_trace(&witness)?;
        let report = check::<P>(&self.circuit.parts, &trace);
        if !report.is_ok() {
            return Err(MachineError::Violated(report).into());
        }
        Ok(self.key.prove(self.fused(trace)?).map_err(MachineError::from)?)
    }

    /// Computes the value of every slot. `hints` resolves the external hints by name.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not fit the circuit or violate one of its rules.
    pub fn witness(
        &self,
        inputs: &Inputs,
        hints: Option<&HintRegistry>,
    ) -> Result<Witness<P>, CircuitError> {
        let environment = Environment { chips: &self.circuit.library, hints };
        Ok(self.tables().program.execute_in::<P>(&self.schedule, inputs, environment)?)
    }

    /// Fills the tables of the machine that is proven.
    ///
    /// # Errors
    ///
    /// Fails if a chip cannot be filled.
    pub fn trace(&self, witness: &Witness<P>) -> Result<MachineTrace<P::Base>, CircuitError> {
        self.fused(self.parts_trace(witness)?)
    }

    /// Fills the tables of the parts: as [`Self::trace`], before tables are fused.
    ///
    /// # Errors
    ///
    /// Fails if a chip cannot be filled.
    pub fn parts_trace(&self, witness: &Witness<P>) -> Result<MachineTrace<P::Base>, CircuitError> {
        let least = self.key.verifying_key().config().min_height();
        let min_height =
            self.circuit.fusion.as_ref().map_or(least, |fusion| fusion.height().max(least));
        let options = FillOptions { min_height, ..FillOptions::default() };
        let input = self.circuit.assembly.input(witness);
        Ok(fill_with::<P>(&self.circuit.parts, &input, &options).map_err(MachineError::from)?)
    }

    /// The trace of the machine that is proven, from that of the parts.
    ///
    /// # Errors
    ///
    /// Fails if the tables of the trace are not those of the parts.
    pub fn fused(
        &self,
        parts: MachineTrace<P::Base>,
    ) -> Result<MachineTrace<P::Base>, CircuitError> {
        match &self.circuit.fusion {
            Some(fusion) => Ok(fusion.trace(parts)?),
            None => Ok(parts),
        }
    }

    /// Everything that does not hold in a trace of the parts.
    pub fn check(&self, parts: &MachineTrace<P::Base>) -> Report {
        check::<P>(&self.circuit.parts, parts)
    }

    /// The machine that is proven: the circuit's, its degrees lowered and, if there is a layout, its
    /// tables fused.
    pub fn machine(&self) -> &Machine {
        self.circuit.machine()
    }

    /// The machine that is filled: as [`Self::machine`], before tables are fused.
    pub fn parts(&self) -> &Machine {
        &self.circuit.parts
    }

    /// The layout, if there is one.
    pub fn layout(&self) -> Option<&Layout> {
        self.circuit.layout()
    }

    /// The machine together with where its rows come from.
    pub fn assembly(&self) -> &Assembly {
        &self.circuit.assembly
    }

    /// The circuit at stage `tables`.
    pub fn tables(&self) -> &Tables {
        self.circuit.tables()
    }

    /// The key of the machine.
    pub fn key(&self) -> &ProvingKey<P> {
        &self.key
    }
}

impl<P: StarkField> CircuitVerifier<P> {
    /// Verifies a proof for some public inputs: the canonical integers of each one's coefficients.
    ///
    /// # Errors
    ///
    /// Fails if the public inputs do not fit the circuit, or the proof does not prove them.
    pub fn verify(&self, publics: &[Vec<u64>], proof: &Proof<P>) -> Result<(), CircuitError> {
        if publics.len() != self.widths.len() {
            let (expected, found) = (self.widths.len(), publics.len());
            return Err(CircuitError::PublicCount { expected, found });
        }
        for (index, (value, &expected)) in publics.iter().zip(&self.widths).enumerate() {
            if value.len() != expected {
                return Err(CircuitError::PublicWidth { index, expected, found: value.len() });
            }
        }
        let values: Vec<u64> = publics.iter().flatten().copied().collect();
        let publics =
            if values.is_empty() { Vec::new() } else { vec![(self.table.to_owned(), values)] };
        Ok(self.machine.verify(&publics, proof)?)
    }

    /// The key of the machine.
    pub fn key(&self) -> &VerifyingKey<P> {
        self.machine.key()
    }
}
