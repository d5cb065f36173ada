//! What earlier engines got wrong: each is forged here and must be rejected.

use chipwright_backend_stark::config::Config;
use chipwright_examples::brainfuck::{
    Claim, Cycle, Engine, Instruction, Options, Proof, ProveOptions, SegmentProof, Segments, State,
    Symbol, VerifyError, prove, verify,
};
use p3_field::PrimeCharacteristicRing;

use crate::forging::{Case, options};

#[test]
fn n_07_terminals_replaced_by_constants_are_rejected() {
    let case = Case::new("+[-].", b"");
    case.accepts();
    // All terminals the constant 7; and all zero, which at least sums to zero.
    for constant in [7_u64, 0] {
        let verdict = case.verdict(&case.segment, &case.output, &|_, _| {}, |proof| {
            for terminal in proof.batch_mut().lookup_terminals.iter_mut().flatten() {
                terminal.0 = p3_goldilocks::Goldilocks::from_u64(constant).into();
            }
        });
        assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "{verdict:?}");
    }
}

/// The run of `+><.-><+` with an output of 2: the last `+` comes first.
fn unsorted(case: &Case) -> Vec<Cycle> {
    let mut cycles = case.segment.cycles.clone();
    // Cell 0 is accessed in cycles 0, 1, 3, 4, 5 and 7; the forger's order is 0, 1, 7, 3, 4, 5.
    let values = [(0, 0, 1), (1, 1, 1), (7, 1, 2), (3, 2, 2), (4, 2, 1), (5, 1, 1)];
    let mut seen = 0;
    for (clk, mv, new) in values {
        let cycle = &mut cycles[clk];
        assert_eq!(cycle.mp, 0);
        (cycle.mv, cycle.new, cycle.seen) = (mv, new, seen);
        seen = clk as u64 + 1;
    }
    cycles
}

#[test]
fn n_08_unsorted_memory_is_rejected() {
    let case = Case::new("+><.-><+", b"");
    assert_eq!(case.output, [1]);
    case.accepts();
    let mut segment = case.segment.clone();
    segment.cycles = unsorted(&case);
    segment.written[0].1 = 2;
    segment.after[0] = 1;
    segment.seen[0] = 6;
    segment.end = end_of(&case, &segment.after, &[2]);
    // Every message about cell 0 has its partner: only time goes backwards.
    let trace = case.trace(&segment, &[2], &|_, _| {});
    let report = case.report(&trace);
    assert!(report.tuples.iter().all(|tuple| tuple.bus != "memory"), "{report}");
    case.rejects(&segment, &[2], &|_, _| {}, "ticks");
}

/// The final state of a forged run.
fn end_of(case: &Case, after: &[u64], output: &[u8]) -> State {
    let hasher = chipwright_examples::brainfuck::Hasher::new();
    let mut end = case.segment.end;
    end.memory = hasher.tape(after, &case.shape);
    end.output = [0; 4];
    hasher.append_bytes(&mut end.output, output.iter().copied());
    end
}

#[test]
fn n_09_a_padding_row_in_mid_run_is_no_teleport() {
    // `++>+.` outputs 1. A row with `ci = 0` after the second `+` would lead past `>` and `+`.
    let case = Case::new("++>+.", b"");
    assert_eq!(case.output, [1]);
    case.accepts();
    let mut segment = case.segment.clone();
    let honest = &case.segment.cycles;
    let nothing = Instruction { ip: 2, ci: Symbol::Right, ni: 0 };
    segment.cycles.truncate(2);
    segment.cycles.push(Cycle { clk: 2, instruction: nothing, mp: 0, mv: 2, new: 2, seen: 2 });
    let output = Cycle { clk: 3, mp: 0, mv: 2, new: 2, seen: 2, ..honest[4] };
    segment.cycles.push(output);
    segment.written = vec![(3, 2)];
    (segment.after, segment.seen) = (vec![2], vec![4]);
    segment.end = State { clk: 4, mp: 0, ..end_of(&case, &[2], &[2]) };

    let blank = |case: &Case, trace: &mut _| {
        for column in ["ci.right", "new", "mv", "mp", "inv", "next_ip", "seen"] {
            case.set(trace, "processor", (2, column), 0);
        }
    };
    // As padding: the row takes part in nothing, and the registers of the next one are free.
    let padding = |case: &Case, trace: &mut _| {
        blank(case, trace);
        case.set(trace, "processor", (2, "real"), 0);
    };
    case.rejects(&segment, &[2], &padding, "padding comes last");
    // As an executed row without an instruction.
    let idle = |case: &Case, trace: &mut _| {
        blank(case, trace);
        case.set(trace, "processor", (2, "mv"), 2);
        case.set(trace, "processor", (2, "new"), 2);
    };
    case.rejects(&segment, &[2], &idle, "ci");
    // As an executed row with an instruction that the program does not have there.
    case.rejects(&segment, &[2], &|_, _| {}, "ip");
}

#[test]
fn n_09_a_run_does_not_halt_early() {
    // The forger stops before the loop that clears the output's cell, or before the output.
    let case = Case::new("++.>+++.", b"");
    for length in 1..case.segment.cycles.len() {
        let mut segment = case.segment.clone();
        segment.cycles.truncate(length);
        let last = segment.cycles[length - 1];
        let written: Vec<u8> =
            segment.written.iter().filter(|(clk, _)| *clk <= last.clk).map(|&(_, b)| b).collect();
        segment.written.truncate(written.len());
        // An honest proof of the first cycles, with its own state at the end …
        let mut all = Segments::new(&case.program, b"", Options::default(), case.shape);
        let whole = all.next().unwrap().unwrap();
        let mut vm =
            chipwright_examples::brainfuck::Vm::new(&case.program, b"", Options::default());
        for _ in 0..length {
            vm.step().unwrap();
        }
        (segment.after, segment.seen) = (vm.tape.clone(), vm.seen.clone());
        segment.end =
            State { clk: vm.clk, ip: vm.ip, mp: vm.mp, ..end_of(&case, &vm.tape, &written) };
        assert_eq!(whole.start, segment.start);
        let verdict = case.verdict(&segment, &written, &|_, _| {}, |_| {});
        assert!(matches!(verdict, Err(VerifyError::NotHalted { .. })), "{verdict:?}");
        // … and with the pointer at the end of the program.
        segment.end.ip = case.program.end();
        case.rejects(&segment, &written, &|_, _| {}, "ip after");
    }
}

#[test]
fn n_12_memory_that_was_never_written_is_zero() {
    // The forger's tape begins with 5.
    let case = Case::new(".", b"");
    let mut segment = case.segment.clone();
    segment.before = vec![5];
    segment.after = vec![5];
    (segment.cycles[0].mv, segment.cycles[0].new) = (5, 5);
    segment.written[0].1 = 5;
    segment.end = end_of(&case, &[5], &[5]);
    // Under the digest of a tape of zeros.
    case.rejects(&segment, &[5], &|_, _| {}, "tape before");
    // Under its own digest the trace is right, and the verifier does not start there.
    segment.start.memory = chipwright_examples::brainfuck::Hasher::new().tape(&[5], &case.shape);
    assert!(case.report(&case.trace(&segment, &[5], &|_, _| {})).is_ok());
    let verdict = case.verdict(&segment, &[5], &|_, _| {}, |_| {});
    assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "{verdict:?}");
}

#[test]
fn n_13_a_cell_has_one_address() {
    let case = Case::new("+>.", b"");
    // The addresses are in the key: all different, from 0 on.
    let machine = case.engine.prover().machine();
    let memory = &machine.chips[case.table("memory")];
    let addresses = &memory.fixed.as_ref().expect("preprocessed").columns[0];
    let expected: Vec<u64> = (0..case.shape.cells() as u64).step_by(4).collect();
    assert_eq!(*addresses, expected);
    // Outside of the tape there is nothing, neither below nor above nor behind 2^32.
    let modulus = chipwright_examples::brainfuck::machine::FIELD.modulus();
    for mp in [case.shape.cells() as u64, 1 << 32, modulus - 1] {
        case.rejects_cycles(|cycles| cycles[1].mp = mp, "memory");
    }
}

#[test]
fn n_13_a_segment_starts_from_the_tape_that_the_one_before_left() {
    // The second segment is that of another run, which wrote another cell.
    let source = |setting: &str| format!("{setting}>>{}<<.", "+-".repeat(20));
    let options = ProveOptions { log_cycles: 5, ..options() };
    let honest = chipwright_examples::brainfuck::Program::compile(&source("+")).unwrap();
    let (proof, run) = prove(&honest, b"", &options).unwrap();
    assert_eq!((run.output.as_slice(), proof.segments.len()), (&[1][..], 2));
    verify(&honest, b"", &[1], &proof, &options).unwrap();

    let engine = Engine::new(&honest, proof.shape, &Config::testing()).unwrap();
    let segments: Vec<_> = Segments::new(&honest, b"", Options::default(), proof.shape)
        .collect::<Result<_, _>>()
        .unwrap();
    let mut second = segments[1].clone();
    let forged_tape: Vec<u64> = std::iter::once(7).chain(second.before[1..].to_vec()).collect();
    let hasher = chipwright_examples::brainfuck::Hasher::new();
    second.before.clone_from(&forged_tape);
    second.after[0] = 7;
    let output = second.cycles.iter_mut().find(|cycle| cycle.mp == 0).unwrap();
    assert_eq!(output.instruction.ci, Symbol::Output);
    (output.mv, output.new) = (7, 7);
    second.written[0].1 = 7;
    second.end.memory = hasher.tape(&second.after, &proof.shape);
    second.end.output = [0; 4];
    hasher.append_bytes(&mut second.end.output, [7]);
    second.start.memory = hasher.tape(&forged_tape, &proof.shape);
    let claim = Claim::new(&honest, b"", &[7], &Options::default());
    let prove = |segment| {
        let stark = engine.prove(segment, claim.digest()).unwrap();
        SegmentProof { end: segment.end, proof: stark.to_bytes() }
    };
    let forged = Proof { claim, segments: vec![prove(&segments[0]), prove(&second)], ..proof };
    let verdict = verify(&honest, b"", &[7], &forged, &options);
    assert!(matches!(verdict, Err(VerifyError::Segment { segment: 1, .. })), "{verdict:?}");
}
