//! Runs that are proven although they never happened.
//!
//! A forged proof is made by the honest prover from wrong records or a wrong trace, for a claim that fits them, so
//! that everything about it is right except the one thing that a test is about.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_examples::brainfuck::machine::input as machine_input;
use chipwright_examples::brainfuck::{
    Claim, Cycle, Engine, Options, Program, Proof, ProveOptions, Segment, SegmentProof, Segments,
    Shape, VerifyError, claim, plan, verify,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{FillOptions, MachineTrace, Report, check, fill_with};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

/// Cheap and insecure: forged traces have to be rejected all the same.
pub(crate) fn options() -> ProveOptions {
    ProveOptions { config: Config::testing(), ..ProveOptions::default() }
}

/// A program with its input, and the one segment of its honest run.
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    pub(crate) read: u64,
    pub(crate) shape: Shape,
    pub(crate) segment: Segment,
    pub(crate) engine: Engine,
}

/// A change to a trace.
pub(crate) type Edit<'a> = &'a dyn Fn(&Case, &mut MachineTrace<Goldilocks>);

impl Case {
    pub(crate) fn new(source: &str, input: &[u8]) -> Self {
        let program = Program::compile(source).expect("the program compiles");
        let (run, shape) = plan(&program, input, &options()).expect("the program runs");
        let engine = Engine::new(&program, shape, &Config::testing()).expect("the engine is made");
        let mut segments = Segments::new(&program, input, Options::default(), shape);
        let segment = segments.next().expect("the run is not empty").expect("the program runs");
        assert!(segments.next().is_none(), "the run is one segment");
        let (input, output) = (input.to_vec(), run.output);
        Self { program, input, output, read: run.read, shape, segment, engine }
    }

    /// The position of a chip.
    pub(crate) fn table(&self, chip: &str) -> usize {
        self.engine.prover().machine().position(chip).unwrap_or_else(|| panic!("no chip `{chip}`"))
    }

    /// The position of a column in its chip's table.
    pub(crate) fn column(&self, chip: &str, column: &str) -> usize {
        let chip = &self.engine.prover().machine().chips[self.table(chip)];
        let index = chip.columns.iter().position(|c| c.name == column);
        chip.positions()[index.unwrap_or_else(|| panic!("`{}` has no `{column}`", chip.name))]
    }

    /// Sets a cell of a trace.
    pub(crate) fn set(
        &self,
        trace: &mut MachineTrace<Goldilocks>,
        chip: &str,
        (row, column): (usize, &str),
        value: u64,
    ) {
        let position = self.column(chip, column);
        let table = &mut trace.tables[self.table(chip)];
        table.values[row * table.width + position] = Goldilocks::from_u64(value);
    }

    /// A cell of a trace.
    pub(crate) fn get(
        &self,
        trace: &MachineTrace<Goldilocks>,
        chip: &str,
        (row, column): (usize, &str),
    ) -> u64 {
        trace.tables[self.table(chip)].row(row)[self.column(chip, column)].as_canonical_u64()
    }

    /// The trace of records that need not be right, with a change.
    pub(crate) fn trace(
        &self,
        segment: &Segment,
        output: &[u8],
        edit: Edit<'_>,
    ) -> MachineTrace<Goldilocks> {
        let claim = claim(&self.program, &self.input, output, &Options::default());
        let input = machine_input(segment, &self.shape, claim);
        let min_height = Config::testing().min_height();
        let options =
            FillOptions { min_height, allow_missing_entries: true, ..FillOptions::default() };
        let machine = self.engine.prover().machine();
        let mut trace = fill_with::<Goldilocks2>(machine, &input, &options).expect("records fit");
        self.engine.pad(&mut trace);
        edit(self, &mut trace);
        trace
    }

    /// Proves records with a change, and has the proof verified for an output.
    pub(crate) fn verdict(
        &self,
        segment: &Segment,
        output: &[u8],
        edit: Edit<'_>,
        edit_proof: impl FnOnce(&mut StarkProof<Goldilocks2>),
    ) -> Result<(), VerifyError> {
        let trace = self.trace(segment, output, edit);
        let mut proof =
            self.engine.prover().key().prove(trace).expect("tables have the right shape");
        edit_proof(&mut proof);
        let segments = vec![SegmentProof { end: segment.end, proof: proof.to_bytes() }];
        let claim = Claim::new(&self.program, &self.input, output, &Options::default());
        let proof = Proof { claim, shape: self.shape, read: self.read, segments };
        verify(&self.program, &self.input, output, &proof, &options())
    }

    /// Everything that does not hold in a trace.
    pub(crate) fn report(&self, trace: &MachineTrace<Goldilocks>) -> Report {
        check::<Goldilocks2>(self.engine.prover().machine(), trace)
    }

    /// Demands that a forged trace is rejected, by a rule or a bus of the given name among others.
    #[track_caller]
    pub(crate) fn rejects(&self, segment: &Segment, output: &[u8], edit: Edit<'_>, because: &str) {
        let trace = self.trace(segment, output, edit);
        let report = self.report(&trace);
        let found = report.rules.iter().any(|failure| failure.name.contains(because))
            || report.tuples.iter().any(|tuple| tuple.bus == because);
        assert!(found, "expected `{because}` to fail, found {report}");
        match self.verdict(segment, output, edit, |_| {}) {
            Err(VerifyError::Segment { .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Demands that records with a change of the cycles are rejected.
    #[track_caller]
    pub(crate) fn rejects_cycles(&self, edit: impl FnOnce(&mut Vec<Cycle>), because: &str) {
        let mut segment = self.segment.clone();
        edit(&mut segment.cycles);
        self.rejects(&segment, &self.output, &|_, _| {}, because);
    }

    /// Demands that the honest trace with one cell changed is rejected.
    #[track_caller]
    pub(crate) fn rejects_cell(&self, chip: &str, place: (usize, &str), value: u64, because: &str) {
        let edit = |case: &Self, trace: &mut MachineTrace<Goldilocks>| {
            assert_ne!(case.get(trace, chip, place), value, "nothing is changed");
            case.set(trace, chip, place, value);
        };
        self.rejects(&self.segment, &self.output, &edit, because);
    }

    /// Demands that the honest run is accepted.
    #[track_caller]
    pub(crate) fn accepts(&self) {
        let trace = self.trace(&self.segment, &self.output, &|_, _| {});
        let report = self.report(&trace);
        assert!(report.is_ok(), "{report}");
        let verdict = self.verdict(&self.segment, &self.output, &|_, _| {}, |_| {});
        verdict.expect("the honest run is accepted");
    }
}
