//! System calls: what they do to the state, and what they refuse.

use chipwright_mips::{Demand, Executor, Fault, Input, Output, Program, State};
use chipwright_mips_isa::{A0, A1, A2, A3, Assembler, V0, V1, ZERO};

const BASE: u32 = 0x40_0000;
const DATA: u32 = 0x1000_0000;

/// A call by number and arguments.
fn call(asm: &mut Assembler, number: u32, arguments: &[u32]) {
    for (register, &argument) in [A0, A1, A2, A3].into_iter().zip(arguments) {
        asm.li(register, argument);
    }
    asm.li(V0, number);
    asm.syscall(0);
}

/// What a run of some calls leaves, with words of data and buffers of input.
fn run(
    data: &[u32],
    buffers: &[&[u8]],
    emit: impl FnOnce(&mut Assembler),
) -> (State, Output, Result<u32, Fault>) {
    let mut asm = Assembler::new();
    emit(&mut asm);
    asm.stop();
    let code = asm.finish(BASE).expect("sound");
    let program = Program::assembled(&code, (DATA, data)).expect("sound");
    let input = Input { buffers: buffers.iter().map(|buffer| buffer.to_vec()).collect() };
    let mut executor = Executor::new(&program, &input);
    let mut output = Output::default();
    let result = executor.run(1000, &mut output).map_err(|error| error.fault);
    (executor.into_state(), output, result)
}

/// The state after calls that are followed by nothing.
fn after(data: &[u32], buffers: &[&[u8]], emit: impl FnOnce(&mut Assembler)) -> State {
    let (state, _, result) = run(data, buffers, emit);
    assert_eq!(result, Err(Fault::Break { code: 0 }));
    state
}

/// The fault of a call.
fn fault(number: u32, arguments: &[u32]) -> Fault {
    run(&[], &[], |asm| call(asm, number, arguments)).2.expect_err("the call is refused")
}

fn words(state: &State, count: u32) -> Vec<u32> {
    (0..count).map(|i| state.memory.load(DATA + 4 * i).expect("there is memory")).collect()
}

#[test]
fn a_program_ends_with_its_exit_code() {
    let code = |number, code| run(&[], &[], |asm| call(asm, number, &[code])).2;
    assert_eq!(code(0, 3), Ok(3));
    assert_eq!(code(0, 0x1_0003), Ok(0x1_0003), "halt takes all bits");
    assert_eq!(code(4246, 0x103), Ok(3), "exit_group takes eight");
    assert_eq!(code(4001, u32::MAX), Ok(255));
    let (state, ..) = run(&[], &[], |asm| call(asm, 0, &[7]));
    assert_eq!((state.exit, state.clock), (Some(7), 3), "the call is counted");
}

#[test]
fn a_program_that_ended_goes_nowhere() {
    let mut asm = Assembler::new();
    call(&mut asm, 0, &[7]);
    asm.li(V1, 1);
    let program =
        Program::assembled(&asm.finish(BASE).expect("sound"), (DATA, &[])).expect("sound");
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    assert_eq!(executor.run(10, &mut ()), Ok(7));
    let state = executor.state().clone();
    assert_eq!(executor.run(10, &mut ()), Ok(7));
    assert_eq!(*executor.state(), state);
}

#[test]
fn bytes_are_written_from_wherever_they_are() {
    let data = [u32::from_le_bytes(*b"abcd"), u32::from_le_bytes(*b"efgh")];
    for number in [2, 4004] {
        let (state, output, _) = run(&data, &[], |asm| {
            call(asm, number, &[1, DATA + 1, 6]);
            call(asm, number, &[2, DATA + 3, 1]);
            call(asm, number, &[3, DATA, 8]);
            call(asm, number, &[1, DATA + 7, 0]);
        });
        assert_eq!(
            (&*output.output, &*output.errors, &*output.public),
            (&b"bcdefg"[..], &b"d"[..], &b"abcdefgh"[..])
        );
        assert_eq!(
            state.get(V0),
            if number == 2 { 2 } else { 0 },
            "Linux counts, the other leaves its number"
        );
    }
    assert_eq!(fault(2, &[7, DATA, 1]), Fault::Descriptor { descriptor: 7 });
    assert_eq!(fault(2, &[1, 0, 1]), Fault::BadAddress { address: 0 });
    let limit = 1 << 24;
    assert_eq!(fault(2, &[1, DATA, limit + 1]), Fault::LongWrite { bytes: limit + 1, limit });
    assert_eq!(fault(2, &[1, 0xfffe_fffe, 0x1_0004]), Fault::BadAddress { address: 0xffff_0000 });
}

#[test]
fn the_last_words_on_the_standard_error_are_kept_for_reports() {
    let text: Vec<u32> = b"not this; the end of it "
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&word| u32::from_le_bytes(word))
        .collect();
    let (state, ..) = run(&text, &[], |asm| call(asm, 2, &[2, DATA + 10, 14]));
    assert_eq!(state.message, b"the end of it ");
    let long = vec![u32::from_le_bytes(*b"abcd"); 2000];
    let (state, ..) = run(&long, &[], |asm| call(asm, 2, &[2, DATA, 8000]));
    assert_eq!(state.message.len(), 1024);
}

#[test]
fn descriptor_0_reads_the_first_buffer() {
    let state = after(&[u32::MAX; 3], &[b"0123456789", b"other"], |asm| {
        call(asm, 4003, &[0, DATA + 3, 6]);
        asm.or(V1, V0, ZERO);
        call(asm, 4003, &[0, DATA + 9, 100]);
    });
    assert_eq!([state.get(V1), state.get(V0), state.get(A3)], [6, 4, 0]);
    let bytes: Vec<u8> = words(&state, 4).iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(&bytes, b"\xff\xff\xff0123456789\0\0\0", "nothing but the bytes read is touched");
    let state = after(&[], &[b"0"], |asm| {
        call(asm, 4003, &[0, DATA, 8]);
        call(asm, 4003, &[0, DATA, 8]);
    });
    assert_eq!(state.get(V0), 0, "the end of the buffer");
    let state = after(&[], &[b"0"], |asm| call(asm, 4003, &[5, DATA, 8]));
    assert_eq!([state.get(V0), state.get(A3)], [9, 1], "not open");
    let outside = run(&[], &[b"0123"], |asm| call(asm, 4003, &[0, u32::MAX - 1, 4])).2;
    assert_eq!(outside, Err(Fault::BadAddress { address: u32::MAX - 1 }));
}

#[test]
fn hints_are_taken_one_after_the_other_with_their_lengths() {
    let state = after(&[u32::MAX; 3], &[b"01234", b"56"], |asm| {
        call(asm, 0xf0, &[]);
        asm.or(V1, V0, ZERO);
        call(asm, 0xf1, &[DATA, 5]);
        call(asm, 0xf1, &[DATA + 8, 2]);
    });
    assert_eq!((state.get(V1), state.hints), (5, 2));
    let [a, b, c] =
        [*b"0123", [b'4', 255, 255, 255], [b'5', b'6', 255, 255]].map(u32::from_le_bytes);
    assert_eq!(words(&state, 3), [a, b, c], "neighbours stay");
    let refused = |arguments: &[u32]| run(&[], &[b"01234"], |asm| call(asm, 0xf1, arguments)).2;
    assert_eq!(refused(&[DATA, 4]), Err(Fault::HintLength { asked: 4, given: 5 }));
    assert_eq!(refused(&[DATA + 2, 5]), Err(Fault::Unaligned { address: DATA + 2, size: 4 }));
    assert_eq!(fault(0xf0, &[]), Fault::NoHint { given: 0 });
    assert_eq!(fault(0xf1, &[DATA, 0]), Fault::NoHint { given: 0 });
}

#[test]
fn each_word_is_committed_once() {
    let state = after(&[], &[], |asm| {
        call(asm, 0x10, &[0, 5]);
        call(asm, 0x10, &[7, 0]);
        call(asm, 0x10, &[0, 5]);
    });
    let mut expected = [None; 8];
    (expected[0], expected[7]) = (Some(5), Some(0));
    assert_eq!(state.committed, expected);
    let (_, _, again) = run(&[], &[], |asm| {
        call(asm, 0x10, &[7, 0]);
        call(asm, 0x10, &[7, 1]);
    });
    assert_eq!(again, Err(Fault::Recommitted { index: 7, before: 0, now: 1 }));
    assert_eq!(fault(0x10, &[8, 0]), Fault::CommitIndex { index: 8 });
}

#[test]
fn proofs_are_demanded_in_order() {
    let data: Vec<u32> = (0..16).collect();
    let state = after(&data, &[], |asm| {
        call(asm, 0x1b, &[DATA, DATA + 32]);
        call(asm, 0x1b, &[DATA + 4, DATA]);
    });
    let words = |first| std::array::from_fn(|i| first + i as u32);
    let [first, second] = [(0, 8), (1, 0)]
        .map(|(key, committed)| Demand { key: words(key), committed: words(committed) });
    assert_eq!(state.demanded, [first, second]);
    assert_eq!(fault(0x1b, &[DATA + 1, DATA]), Fault::Unaligned { address: DATA + 1, size: 4 });
    assert_eq!(fault(0x1b, &[DATA, 0xffff_fffc]), Fault::BadAddress { address: 0xffff_fffc });
    // Digests of deferred proofs are those of another machine, unless they are zero.
    assert_eq!(fault(0x1a, &[0, 1]), Fault::Deferred { word: 1 });
    assert_eq!(after(&[], &[], |asm| call(asm, 0x1a, &[0, 0])).demanded, []);
}

#[test]
fn the_proven_path_is_taken() {
    assert_eq!(after(&[], &[], |asm| call(asm, 3, &[])).get(V0), 0);
}

#[test]
fn heaps_and_mappings_do_not_meet() {
    let state = after(&[1], &[], |asm| {
        call(asm, 4045, &[0]);
        asm.or(V1, V0, ZERO);
        call(asm, 4045, &[DATA + 0x2345]);
    });
    assert_eq!(
        [state.get(V1), state.get(V0), state.heap_end],
        [DATA + 0x1000, DATA + 0x2345, DATA + 0x2345]
    );
    let state = after(&[], &[], |asm| call(asm, 4045, &[0x20_0000]));
    assert_eq!(state.get(V0), 0x40_1000, "a heap does not shrink");
    let mapped = |flags| {
        let state = after(&[], &[], |asm| {
            call(asm, 4090, &[0x5000_0000, 1, 3, flags]);
            call(asm, 4210, &[0, 0x1001, 3, flags]);
        });
        [state.get(V0), state.get(A3), state.mapped_end]
    };
    assert_eq!(mapped(0x802), [0x3000_1000, 0, 0x3000_3000]);
    assert_eq!(mapped(0x812), [22, 1, 0x3000_0000], "not at fixed addresses");
    assert_eq!(mapped(0x2), [9, 1, 0x3000_0000], "not of files");
    let exhausted = |asked| Fault::HeapExhausted { end: 0x3000_0000, asked };
    assert_eq!(fault(4090, &[0, 0x4000_0001, 3, 0x802]), exhausted(0x4000_0001));
    assert_eq!(fault(4090, &[0, u32::MAX, 3, 0x802]), exhausted(u32::MAX));
    assert_eq!(
        fault(4045, &[0x3000_0001]),
        Fault::HeapExhausted { end: 0x40_1000, asked: 0x2fbf_f001 }
    );
}

#[test]
fn linux_has_one_thread_no_files_and_no_time() {
    let answer = |number, arguments: &[u32]| {
        let state = after(&[u32::MAX; 3], &[], |asm| call(asm, number, arguments));
        (state.get(V0), state.get(A3), words(&state, 3))
    };
    let untouched = vec![u32::MAX; 3];
    assert_eq!(answer(4020, &[]), (1, 0, untouched.clone()), "getpid");
    assert_eq!(answer(4005, &[DATA]), (2, 1, untouched.clone()), "open");
    assert_eq!(answer(4263, &[0, DATA]), (0, 0, vec![0, 0, u32::MAX]), "clock_gettime");
    assert_eq!(answer(4055, &[1, 3]), (1, 0, untouched.clone()), "fcntl");
    assert_eq!(answer(4055, &[9, 3]), (9, 1, untouched.clone()), "fcntl of what is not open");
    assert_eq!(answer(4054, &[1]), (25, 1, untouched), "ioctl");
    let thread = after(&[], &[], |asm| {
        call(asm, 4283, &[0x1234_5678]);
        asm.rdhwr(V1, 29);
    });
    assert_eq!(thread.get(V1), 0x1234_5678);
    let [first, again] = [(); 2].map(|()| answer(4353, &[DATA, 10, 0]));
    assert_eq!(
        (first.0, first.1, first.2[2] >> 16),
        (10, 0, 0xffff),
        "nothing behind the buffer is touched"
    );
    assert_eq!(first, again, "the same bytes in every run");
    assert_ne!(first.2[0], first.2[1]);
}

#[test]
fn buffers_are_written_one_after_the_other() {
    let data = [DATA + 16, 3, DATA + 18, 2, u32::from_le_bytes(*b"abcd")];
    let (state, output, _) = run(&data, &[], |asm| call(asm, 4146, &[1, DATA, 2]));
    assert_eq!((&output.output[..], state.get(V0)), (&b"abccd"[..], 5));
    assert_eq!(fault(4146, &[1, DATA + 1, 1]), Fault::Unaligned { address: DATA + 1, size: 4 });
}

#[test]
fn unknown_calls_are_refused() {
    for number in [1, 4, 0x0101_0006, 3999, 4999, 0xffff_ffff] {
        assert_eq!(fault(number, &[]), Fault::UnknownCall { number });
    }
}
