//! Machines with layouts: proofs of folded tables, and cells of every copy that are forged.

use chipwright_backend_stark::config::{Config, Grinding};
use chipwright_backend_stark::machine::{
    MachineError, MachineProver, MachineVerifier, compile_machine_with_layout,
};
use chipwright_ir::chip::parse::parse_machine;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::layout::{Apart, Fold, FusionError};
use chipwright_ir::machine::{
    ChipRows, FillError, Machine, MachineInput, MachineLayout, MachineLayoutError, MachineTrace,
    fill,
};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use proptest::prelude::*;

/// A walk of states that follow from each other, with messages, flags and lookups; what takes the messages; and a
/// table of eight entries. `row` and `step` are expressions over a row of the walk.
fn machine(row: &str, step: &str) -> Machine {
    let text = format!(
        "machine walking over goldilocks^2 {{
           chip walk over goldilocks^2 {{
             x: record felt       c0
             k: record felt       c1
             f: record bit        c2
             g: record bit        c3
             s: felt              c4
             y: felt              c5
             real: real bit       c6
             turn: periodic felt  c7
             public start
             public end
             port out: send out(a: felt, b: felt)
             port squares: lookup squares(n: felt, square: felt)
             contents turn = 1, 2, 5, 7
             row {{
               eq real * real, real ; from padding
               eq f * f, f   eq g * g, g   eq f * g, 0
               fill y = {row}
               eq y, {row}
               send out(x, y) times real
               send out(1, s) times f exclusive 0
               send out(y, 2) times g exclusive 0
               lookup squares(k, k * k) times real
             }}
             first {{ fill s = start   eq s, start   eq real, 1 }}
             step {{
               eq next.real, real * next.real ; from padding
               fill next.s = {step}
               eq next.s, {step} when next.real
               eq s, end when real * (1 - next.real)
             }}
             last {{ eq s, end when real }}
           }}
           chip taker over goldilocks^2 {{
             a: record felt  c0
             b: record felt  c1
             real: real bit  c2
             port out: receive out(a: felt, b: felt)
             row {{ eq real * real, real   receive out(a, b) times real }}
             step {{ eq next.real, real * next.real }}
           }}
           chip squares over goldilocks^2, dense {{
             n: fixed felt            c0
             square: fixed felt       c1
             asked: multiplicity felt c2
             port squares: table squares(n: felt, square: felt)
             contents n = 0..8
             contents square = 0, 1, 4, 9, 16, 25, 36, 49
             row {{ provide squares(n, square) times asked }}
           }}
         }}"
    );
    parse_machine(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A machine with a layout, and a run of it.
struct Scene {
    prover: MachineProver<Goldilocks2>,
    verifier: MachineVerifier<Goldilocks2>,
    input: MachineInput,
    layout: MachineLayout,
}

/// By number, the rows of the walk: `x`, `k`, and which flag is set, if one is.
type Step = (u64, u64, usize);

const WALK: usize = 0;

impl Scene {
    /// Compiles and runs a machine, its tables folded to `2^log_height` rows.
    fn new(machine: Machine, steps: &[Step], log_height: usize, config: &Config) -> Self {
        let rows: ChipRows = steps
            .iter()
            .map(|&(x, k, flag)| [x, k, u64::from(flag == 1), u64::from(flag == 2)])
            .collect();
        let mut input = MachineInput {
            rows: vec![("walk".to_owned(), rows)],
            publics: vec![("walk".to_owned(), vec![9, 0])],
            ..MachineInput::default()
        };
        // The messages and the last state are those of a run that has no table of its own for them.
        let walk =
            fill::<Goldilocks2>(&machine, &input).unwrap_or_else(|errors| panic!("{errors}"));
        let mut messages = Vec::new();
        for row in 0..steps.len() {
            let cells: Vec<u64> =
                walk.tables[WALK].row(row).iter().map(PrimeField64::as_canonical_u64).collect();
            let [x, _, f, g, s, y, _] = cells[..] else { panic!("{cells:?}") };
            messages.push(vec![x, y]);
            messages.extend((f == 1).then(|| vec![1, s]));
            messages.extend((g == 1).then(|| vec![y, 2]));
            input.publics[0].1[1] = s;
        }
        let copies = |rows: usize| rows.div_ceil(1 << log_height);
        let fold = |chip: &str, copies: usize| Fold { chip: chip.to_owned(), copies };
        let layout = MachineLayout {
            log_height,
            folded: vec![
                fold("walk", copies(steps.len())),
                fold("taker", copies(messages.len())),
                fold("squares", copies(8)),
            ],
            apart: Vec::new(),
        };
        input.rows.push(("taker".to_owned(), messages.into()));
        let (prover, verifier) = compile_machine_with_layout(machine, config, &layout)
            .unwrap_or_else(|error| panic!("{error}"));
        Self { prover, verifier, input, layout }
    }

    fn trace(&self) -> MachineTrace<Goldilocks> {
        let trace = self.prover.trace(&self.input).unwrap_or_else(|error| panic!("{error}"));
        let report = self.prover.check(&trace);
        assert!(report.is_ok(), "{report}");
        trace
    }

    fn accepts(&self, trace: MachineTrace<Goldilocks>) -> bool {
        let proof = self.prover.prove_trace(trace).unwrap_or_else(|error| panic!("{error}"));
        self.verifier.verify(&self.input.publics, &proof).is_ok()
    }
}

/// A random polynomial of low degree over names, as text.
fn polynomial(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let name = prop::sample::select(names);
    let product = prop::collection::vec(name, 1..4);
    let term = (0_u64..5, product)
        .prop_map(|(scale, product)| format!("{scale} * {}", product.join(" * ")));
    prop::collection::vec(term, 1..4).prop_map(|terms| format!("({})", terms.join(" + ")))
}

fn walk_like(count: usize) -> Vec<Step> {
    (0..count as u64).map(|i| (i * i + 3, i % 8, (i % 3) as usize)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn fold_proofs_verify_and_forged_cells_of_every_copy_are_rejected(
        row in polynomial(&["x", "s", "turn", "k"]),
        step in polynomial(&["x", "s", "y", "f"]),
        steps in prop::collection::vec((0_u64..1000, 0_u64..8, 0_usize..3), 9..21),
        log_height in 2_usize..4,
        low in any::<bool>(),
        column in any::<prop::sample::Index>(),
    ) {
        let mut config = Config::testing();
        config.parameters.log_blowup = if low { 1 } else { 3 };
        let scene = Scene::new(machine(&row, &step), &steps, log_height, &config);
        let trace = scene.trace();
        prop_assert!(scene.accepts(trace.clone()));
        // Rows of the folded table: the first, one in the middle, and the last. Copies of each: likewise.
        let (copies, height) = (scene.layout.folded[0].copies, 1_usize << log_height);
        for row in [0, height / 2, height - 1] {
            let mut of_row = vec![0, copies / 2, copies - 1];
            of_row.dedup();
            for copy in of_row {
                let written = row * copies + copy;
                // What padding rows hold in `x`, `k` and `s` is nobody's business.
                let cells: &[usize] = if written < steps.len() { &[0, 2, 3, 4, 5, 6] } else { &[2, 3, 5, 6] };
                let cell = cells[column.index(cells.len())];
                let mut forged = trace.clone();
                let width = forged.tables[WALK].width;
                forged.tables[WALK].values[written * width + cell] += Goldilocks::ONE;
                prop_assert!(!scene.prover.check(&forged).is_ok());
                prop_assert!(!scene.accepts(forged), "row {written}, cell {cell}");
            }
        }
    }
}

#[test]
fn fold_proves_the_same_as_the_reference_prover() {
    let mut config = Config::testing();
    config.parameters.grinding = Grinding::NONE;
    for log_blowup in [1, 3] {
        config.parameters.log_blowup = log_blowup;
        let scene = Scene::new(machine("x * s + turn", "s * s + y"), &walk_like(13), 2, &config);
        assert_eq!(scene.verifier.key().tables().len(), 1);
        let trace = scene.prover.folded(scene.trace()).unwrap();
        let own = scene.prover.key().prove(trace.clone()).unwrap();
        let reference = scene.prover.key().prove_by_reference(trace).unwrap();
        assert!(own.to_bytes() == reference.to_bytes());
    }
}

#[test]
fn fold_packs_messages_up_to_the_degree_of_the_quotient_at_any_blowup() {
    let columns = |log_blowup: usize| {
        let mut config = Config::testing();
        config.parameters.log_blowup = log_blowup;
        let scene = Scene::new(machine("x", "s"), &walk_like(64), 2, &config);
        let table = &scene.verifier.key().tables()[0];
        assert_eq!(table.degree, 9, "{table:?}");
        (table.lookup_columns, table.quotient_chunks)
    };
    assert_eq!(columns(1), columns(3));
}

#[test]
fn fold_keeps_public_values_by_chip() {
    let scene = Scene::new(machine("x", "s + 1"), &walk_like(9), 2, &Config::testing());
    let proof = scene.prover.prove(&scene.input).unwrap();
    let publics = &scene.input.publics;
    scene.verifier.verify(publics, &proof).unwrap();
    let values = |values: &[u64]| vec![("walk".to_owned(), values.to_vec())];
    let end = publics[0].1[1];
    let error = scene.verifier.verify(&values(&[9, end + 1]), &proof).expect_err("another end");
    assert!(matches!(error, MachineError::Verify(_)), "{error}");
    for (given, message) in [
        (values(&[9]), "chip `walk` has 2 public values, 1 were given"),
        (vec![], "chip `walk` has 2 public values, 0 were given"),
        (
            vec![("taker".to_owned(), vec![1]), publics[0].clone()],
            "chip `taker` has 0 public values, 1 were given",
        ),
        (vec![("fused".to_owned(), vec![9, end])], "chip `fused`, which does not exist"),
    ] {
        let error = scene.verifier.verify(&given, &proof).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn fold_reports_what_does_not_hold_of_the_machine_as_it_is_written() {
    let mut scene = Scene::new(machine("x", "s + 1"), &walk_like(9), 2, &Config::testing());
    scene.input.publics[0].1[1] += 1;
    let error = scene.prover.prove(&scene.input).expect_err("another end");
    let MachineError::Violated(report) = error else { panic!("{error}") };
    let failure = &report.rules[0];
    assert_eq!((failure.chip.as_str(), failure.row), ("walk", 8), "{report}");
}

#[test]
fn fold_to_heights_that_do_not_fit_is_a_typed_error() {
    let scene = Scene::new(machine("x", "s"), &walk_like(9), 2, &Config::testing());
    // More rows than the copies have.
    let rows = walk_like(13).iter().map(|&(x, k, _)| [x, k, 0, 0]).collect();
    let input = MachineInput { rows: vec![("walk".to_owned(), rows)], ..scene.input.clone() };
    let error = scene.prover.trace(&input).expect_err("twelve rows are there");
    let MachineError::Fill(errors) = error else { panic!("{error}") };
    let walk = || "walk".to_owned();
    assert_eq!(errors.errors, [FillError::Height { chip: walk(), rows: 13, height: 12 }]);
    // A trace of other heights.
    let mut trace = scene.trace();
    trace.tables[WALK].height = 4;
    let error = scene.prover.prove_trace(trace).expect_err("four rows are no twelve");
    let expected = FusionError::Height { chip: walk(), expected: 12, found: 4 };
    assert!(matches!(&error, MachineError::Fusion(error) if *error == expected), "{error}");
    // Heights that the configuration does not have.
    let compiled = |layout: &MachineLayout, config: &Config| {
        compile_machine_with_layout::<Goldilocks2>(machine("x", "s"), config, layout).err()
    };
    let error = compiled(&scene.layout, &Config::proven_100()).expect("2^5 rows at least");
    let MachineError::Layout(error) = error else { panic!("{error}") };
    assert!(matches!(error, MachineLayoutError::Height { found: 2, low: 5, .. }), "{error}");
    let mut high = scene.layout.clone();
    high.log_height = usize::MAX;
    let error = compiled(&high, &Config::testing()).expect("too high");
    assert!(matches!(error, MachineError::Layout(_)), "{error}");
}

#[test]
fn fold_leaves_chips_apart_as_they_are() {
    let mut scene = Scene::new(machine("x", "s"), &walk_like(9), 3, &Config::testing());
    scene.layout.folded.retain(|fold| fold.chip != "squares");
    scene.layout.apart.push(Apart::new("squares"));
    let machine = machine("x", "s");
    let (prover, verifier) = compile_machine_with_layout::<Goldilocks2>(
        machine.clone(),
        &Config::testing(),
        &scene.layout,
    )
    .unwrap();
    let tables: Vec<_> = verifier.key().tables().iter().map(|table| table.name.as_str()).collect();
    assert_eq!(tables, ["fused", "squares"]);
    let proof = prover.prove(&scene.input).unwrap();
    verifier.verify(&scene.input.publics, &proof).unwrap();
    // All apart: the machine as it is.
    let separate = MachineLayout::separate(&machine);
    let (prover, verifier) =
        compile_machine_with_layout::<Goldilocks2>(machine, &Config::testing(), &separate).unwrap();
    assert_eq!(verifier.key().tables().len(), 3);
    let proof = prover.prove(&scene.input).unwrap();
    verifier.verify(&scene.input.publics, &proof).unwrap();
}

#[test]
fn tables_apart_have_the_height_that_their_layout_says() {
    let mut scene = Scene::new(machine("x", "s"), &walk_like(9), 3, &Config::testing());
    scene.layout.folded.retain(|fold| fold.chip != "squares");
    let compiled = |log_height| {
        let mut layout = scene.layout.clone();
        layout.apart.push(Apart { log_height, ..Apart::new("squares") });
        let config = Config::testing();
        compile_machine_with_layout::<Goldilocks2>(machine("x", "s"), &config, &layout)
    };
    // "squares" has contents: another height is not its own.
    let own = compiled(None).unwrap().1.key().tables()[1].log_height.expect("contents");
    compiled(Some(own)).unwrap();
    for other in [own - 1, own + 1] {
        let error = compiled(Some(other)).expect_err("another height");
        let MachineError::Layout(MachineLayoutError::Contents { .. }) = error else {
            panic!("{error}")
        };
    }
    // A table without contents is filled to the height, and no proof of another height is one of the layout.
    let layout = |log_height| {
        let mut layout = MachineLayout::separate(&machine("x", "s"));
        layout.apart.iter_mut().find(|apart| apart.chip == "taker").unwrap().log_height =
            log_height;
        layout
    };
    let compiled = |log_height| {
        let machine = machine("x", "s");
        let (config, layout) = (Config::testing(), layout(log_height));
        compile_machine_with_layout::<Goldilocks2>(machine, &config, &layout).unwrap()
    };
    let (free, high) = (compiled(None), compiled(Some(9)));
    let low_proof = free.0.prove(&scene.input).unwrap();
    let proof = high.0.prove(&scene.input).unwrap();
    let position = high.1.key().tables().iter().position(|table| table.name == "taker").unwrap();
    assert_eq!(proof.log_heights()[position], 9);
    high.1.verify(&scene.input.publics, &proof).unwrap();
    free.1.verify(&scene.input.publics, &proof).unwrap();
    free.1.verify(&scene.input.publics, &low_proof).unwrap();
    let error = high.1.verify(&scene.input.publics, &low_proof).expect_err("another height");
    assert!(error.to_string().contains("the layout says 2^9"), "{error}");
}
