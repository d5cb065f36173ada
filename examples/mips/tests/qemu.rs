//! The registers before every instruction are those of `qemu-mipsel`.

mod image;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chipwright_mips::{Executor, Fault, Input, Program, Trace};
use chipwright_mips_isa::{
    A0, Assembler, Code, Group, Instruction, Label, Opcode, Operand, RA, Register, S7, SP, T9, V0,
    ZERO,
};

/// The stack pointer is set by then.
const PROLOGUE: usize = 4;

fn installed() -> bool {
    let found = Command::new("qemu-mipsel").arg("--version").output().is_ok();
    if !found {
        println!("skipped: qemu-mipsel is not installed");
    }
    found
}

/// The lines of the trace that both write, without what only one of them has.
fn registers(line: &str) -> Option<&str> {
    let ours = line.starts_with("pc=") || line.starts_with("GPR");
    ours.then(|| line.split(" ds ").next().unwrap_or(line))
}

/// The address in the first line of an instruction.
fn address(line: &str) -> u32 {
    let digits = line.strip_prefix("pc=0x").and_then(|rest| rest.get(..8));
    u32::from_str_radix(digits.expect("lines are of one format"), 16).expect("it is a number")
}

fn is_likely(program: &Program, pc: u32) -> bool {
    let instruction = program.instruction(pc).flatten().expect("it was executed");
    instruction.opcode.group() == Group::LikelyBranch
}

/// Runs a file on both machines, compares all registers before each instruction, and returns their number.
fn compare(path: &Path, input: &[u8]) -> usize {
    let file = fs::read(path).expect("the program is there");
    let program = Program::from_elf(&file).expect("the program is sound");
    let buffers = Input { buffers: vec![input.to_vec()] };
    let mut ours = Vec::new();
    let mut trace = Trace::new(&mut ours, u64::MAX);
    // A fault ends the run on both machines, at the same instruction.
    let result = Executor::new(&program, &buffers).run(10_000_000, &mut trace);
    assert!(
        !matches!(&result, Err(error) if matches!(error.fault, Fault::Limit { .. })),
        "{result:?}"
    );
    trace.finish().expect("memory can be written to");
    let ours = String::from_utf8(ours).expect("a trace is text");

    let log = std::env::temp_dir().join(format!(
        "chipwright-qemu-{}-{}.log",
        std::process::id(),
        path.file_name().expect("a file").to_string_lossy()
    ));
    let mut qemu = Command::new("qemu-mipsel")
        .args(["-singlestep", "-d", "nochain,cpu,exec", "-D"])
        .arg(&log)
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("qemu is installed");
    qemu.stdin.take().expect("it is piped").write_all(input).expect("qemu reads");
    qemu.wait().expect("it was started");
    let theirs = BufReader::new(fs::File::open(&log).expect("qemu writes a log"));
    let theirs = theirs.lines().map(|line| line.expect("a trace is text"));
    let mut theirs = theirs.filter_map(|line| registers(&line).map(str::to_owned));
    let mut count = 0;
    let mut pc = None;
    for line in ours.lines() {
        let mut expected = theirs.next().unwrap_or_default();
        if line.starts_with("pc=") {
            count += 1;
            let before = pc.replace(address(line));
            // A delay slot that is skipped is a line of qemu's, as it is skipped within.
            let slot =
                before.filter(|&before| is_likely(&program, before)).map(|before| before + 4);
            if slot == Some(address(&expected)) && slot != pc {
                expected = theirs.nth(8).unwrap_or_default();
            }
        }
        // Where the environment puts the stack is not part of the machine.
        let is_stack = line.starts_with("GPR28") && count <= PROLOGUE;
        assert!(
            line == expected || is_stack,
            "{}: instruction {count}, at {pc:x?}: {line}, qemu has {expected}",
            path.display()
        );
    }
    assert_eq!(theirs.next(), None, "{}: qemu goes on", path.display());
    fs::remove_file(&log).expect("the log is there");
    count
}

#[test]
fn m_03_guests_have_the_registers_of_qemu_before_every_instruction() {
    if !installed() {
        return;
    }
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/elf");
    for name in [
        "atomic",
        "bits",
        "bits.O0",
        "brainfuck",
        "echo",
        "echo.Os",
        "exit3",
        "hello",
        "hello.O0",
        "jump",
        "jump.O0",
        "json",
        "json.Os",
        "list",
        "panics",
    ] {
        let count =
            compare(&guests.join(format!("{name}.elf")), b"Letters to be written as capitals");
        assert!(count > 50, "{name}: {count} instructions");
    }
}

/// Numbers that look random and are the same in every run: xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }

    /// A word that is an edge of something more often than not.
    fn word(&mut self) -> u32 {
        const EDGES: [u32; 12] = [
            0,
            1,
            2,
            u32::MAX,
            0x8000_0000,
            0x7fff_ffff,
            0x80,
            0x7f,
            0x8000,
            0x7fff,
            0xffff,
            0x1_0000,
        ];
        if self.below(3) > 0 { self.pick(&EDGES) } else { self.next() }
    }

    fn register(&mut self) -> Register {
        // Few of them, so that results are used again.
        const NUMBERS: [u8; 14] = [0, 2, 3, 4, 5, 8, 9, 10, 16, 17, 28, 29, 30, 31];
        Register::new(self.pick(&NUMBERS)).expect("below 32")
    }
}

/// The address of the buffer that loads and stores go to, and where it begins to be read from.
const DATA: u32 = 0x1000_0000;
const MIDDLE: u32 = DATA + 64;
const WORDS: usize = 32;

/// An instruction with random operands: `None` if it is none for the middle of a stream.
fn straight(random: &mut Random, opcode: Opcode) -> Option<Instruction> {
    if opcode.jumps() || matches!(opcode, Opcode::Syscall | Opcode::Break | Opcode::Sc) {
        return None;
    }
    let description = opcode.description();
    let mut instruction = Instruction::new(opcode);
    let (position, size) = (random.below(32), random.below(32));
    let size = size % (32 - position) + 1;
    for operand in description.operands {
        match operand {
            Operand::Rd => instruction.rd = random.register(),
            Operand::Rs => instruction.rs = random.register(),
            Operand::Rt => instruction.rt = random.register(),
            Operand::Base => instruction.rs = S7,
            Operand::Amount | Operand::Hint => instruction.amount = random.below(32) as u8,
            Operand::Position => instruction.amount = position as u8,
            Operand::ExtractSize => instruction.rd = Register::new(size as u8 - 1)?,
            Operand::InsertSize => instruction.rd = Register::new((position + size) as u8 - 1)?,
            Operand::Signed | Operand::Unsigned => instruction.constant = random.word() & 0xffff,
            Operand::Offset => {
                let offset = random.below(96) as i32 - 48;
                // Half of them are aligned.
                let offset = if random.below(2) == 0 { offset & !3 } else { offset };
                instruction.constant = offset.cast_unsigned() & 0xffff;
            }
            Operand::Code => instruction.constant = random.below(1 << 10),
            Operand::Hardware => instruction.rd = Register::new(29)?,
            // What a jump has, and kinds of barriers that there are not.
            _ => {}
        }
    }
    Some(instruction)
}

/// A jump to a place that follows.
fn jump(asm: &mut Assembler, random: &mut Random, opcode: Opcode, label: Label, at: u32) {
    match opcode {
        Opcode::J => asm.j(label),
        Opcode::Jal => asm.jal(label),
        Opcode::Jr | Opcode::JrHb | Opcode::Jalr | Opcode::JalrHb => {
            asm.li(T9, at);
            match opcode {
                Opcode::Jr => asm.jr(T9),
                Opcode::JrHb => asm.jr_hb(T9),
                Opcode::Jalr => asm.jalr(random.pick(&[RA, A0, ZERO]), T9),
                _ => asm.jalr_hb(RA, T9),
            }
        }
        _ => {
            let (mut a, b) = (random.register(), random.register());
            if a == RA {
                a = V0;
            }
            match opcode {
                Opcode::Beq => asm.beq(a, b, label),
                Opcode::Bne => asm.bne(a, b, label),
                Opcode::Blez => asm.blez(a, label),
                Opcode::Bgtz => asm.bgtz(a, label),
                Opcode::Bltz => asm.bltz(a, label),
                Opcode::Bgez => asm.bgez(a, label),
                Opcode::Bltzal => asm.bltzal(a, label),
                Opcode::Bgezal => asm.bgezal(a, label),
                Opcode::Beql => asm.beql(a, b, label),
                Opcode::Bnel => asm.bnel(a, b, label),
                Opcode::Blezl => asm.blezl(a, label),
                Opcode::Bgtzl => asm.bgtzl(a, label),
                Opcode::Bltzl => asm.bltzl(a, label),
                Opcode::Bgezl => asm.bgezl(a, label),
                Opcode::Bltzall => asm.bltzall(a, label),
                _ => asm.bgezall(a, label),
            }
        }
    }
}

const BASE: u32 = 0x40_0000;
/// The instructions of a stream, apart from those that set it up.
const LENGTH: usize = 60;
/// The streams of a program: so few processes are quicker.
const STREAMS: usize = 32;

/// A program of random streams.
fn streams(random: &mut Random) -> Code {
    let mut asm = Assembler::new();
    asm.li(SP, 0x7fff_0000);
    // The pointer that `rdhwr $29` reads.
    asm.li(V0, 4283);
    asm.li(A0, random.next());
    asm.syscall(0);
    for _ in 0..STREAMS {
        for register in Register::all().skip(1) {
            let value = if register == S7 { MIDDLE } else { random.word() };
            asm.li(register, value);
        }
        asm.mthi(random.register());
        asm.mtlo(random.register());
        for _ in 0..LENGTH {
            let opcode = random.pick(Opcode::ALL);
            if let Some(instruction) = straight(random, opcode) {
                asm.push(instruction);
            } else if opcode == Opcode::Sc {
                let (a, b) = (random.register(), random.register());
                asm.ll(a, 8, S7);
                asm.sc(b, 8, S7);
            } else if opcode.jumps() {
                let label = asm.label();
                let skipped = random.below(4);
                // A jump by a register loads its target in two instructions.
                let by_register =
                    opcode.group() == Group::Jump && !matches!(opcode, Opcode::J | Opcode::Jal);
                let before = asm.len() + if by_register { 3 } else { 1 };
                let target = BASE + 4 * (before as u32 + 1 + skipped);
                jump(&mut asm, random, opcode, label, target);
                assert_eq!(asm.len(), before);
                for _ in 0..=skipped {
                    let filler = loop {
                        let opcode = random.pick(Opcode::ALL);
                        if let Some(instruction) = straight(random, opcode) {
                            break instruction;
                        }
                    };
                    asm.push(filler);
                }
                asm.place(label);
                // What is jumped to is no jump itself: two in a row could be a delay slot.
                asm.nop();
            }
        }
    }
    asm.li(V0, 4246);
    asm.li(A0, 0);
    asm.syscall(0);
    asm.finish(BASE).expect("all labels are placed")
}

/// Replaces what traps by nothing, until the program ends: which operands trap is known once it runs.
fn without_traps(mut code: Code, data: &[u32]) -> Code {
    loop {
        let program = Program::assembled(&code, (DATA, data)).expect("sound");
        match Executor::new(&program, &Input::default()).run(1_000_000, &mut ()) {
            Ok(_) => return code,
            Err(error) => {
                assert!(
                    matches!(
                        error.fault,
                        Fault::Overflow
                            | Fault::DivisionByZero
                            | Fault::Trap { .. }
                            | Fault::Unaligned { .. }
                    ),
                    "{error}"
                );
                code.words[((error.pc - BASE) / 4) as usize] = 0;
            }
        }
    }
}

#[test]
fn random_instructions_leave_the_registers_that_qemu_has() {
    if !installed() {
        return;
    }
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut count = 0;
    for number in 0..10 {
        let data: Vec<u32> = (0..WORDS).map(|_| random.word()).collect();
        let code = without_traps(streams(&mut random), &data);
        let path =
            std::env::temp_dir().join(format!("chipwright-stream-{}-{number}", std::process::id()));
        write_program(&path, &image::elf(&code, (DATA, &data)));
        count += compare(&path, b"");
        fs::remove_file(&path).expect("the program is there");
    }
    assert!(count > 10 * STREAMS * LENGTH, "{count} instructions");
}

/// Writes a file that may be executed.
fn write_program(path: &PathBuf, file: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, file).expect("the temporary directory is writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}
