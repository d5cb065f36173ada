//! What a shard's chips have rows of, while the executor runs.
//!
//! A [`Tracer`] observes a run. It knows memory and registers by itself: the image at the start, and what was accessed since.

use std::collections::{BTreeMap, BTreeSet};

use chipwright_dsl::Input;
use chipwright_ir::machine::MachineInput;
use chipwright_mips_isa::{Instruction, Opcode};

use super::alu::{
    AddConstant, AddConstantRecord, AddSub, AddSubRecord, Bitwise, BitwiseRecord, ByteSourceNative,
    Less, LessRecord, Shift, ShiftRecord,
};
use super::bus::{CycleNative, SLOTS, Slot, SourceNative, TargetNative, number, register};
use super::control::{
    Boundary, BoundaryPublics, BoundaryRecord, Branch, BranchRecord, Halt, HaltRecord, Jump,
    JumpRecord, JumpRegister, JumpRegisterRecord,
};
use super::image::{Tree, image, leaf_of, rows};
use super::memory::{
    Leaf, LoadWord, LoadWordRecord, Node, Refresh, RefreshRecord, StoreWord, StoreWordRecord,
};
use super::program::{
    Decode, DecodeRecord, DecodedNative, TextLeaf, TextLeafRecord, TextNode, TextNodeRecord,
    decoding,
};
use super::{FIELD, operation};
use crate::execute::{Observer, State};
use crate::program::Program;

/// The order of the field.
const ORDER: u64 = 0xffff_ffff_0000_0001;

/// The records of a shard, by chip.
#[derive(Clone, Debug, Default)]
struct Records {
    add_sub: Vec<AddSubRecord>,
    add_constant: Vec<AddConstantRecord>,
    less: Vec<LessRecord>,
    shift: Vec<ShiftRecord>,
    bitwise: Vec<BitwiseRecord>,
    load_word: Vec<LoadWordRecord>,
    store_word: Vec<StoreWordRecord>,
    branch: Vec<BranchRecord>,
    jump: Vec<JumpRecord>,
    jump_register: Vec<JumpRegisterRecord>,
    halt: Vec<HaltRecord>,
    refresh: Vec<RefreshRecord>,
}

/// Collects what a shard's chips have rows of.
#[derive(Clone, Debug)]
pub struct Tracer {
    /// Memory and registers at the start.
    before: Tree,
    /// The text of the program.
    text: Tree,
    /// `pc`, `next_pc`, `clk` at the start.
    from: [u64; 3],
    /// What was accessed: when, and what it holds.
    accessed: BTreeMap<u64, (u64, u64)>,
    /// The instructions executed, by address.
    executed: BTreeMap<u32, Instruction>,
    records: Records,
    /// The first instruction without a chip.
    missing: Option<(u32, Instruction)>,
}

/// An instruction that the machine cannot prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the instruction `{instruction}` at {pc:#x} has no chip")]
pub struct NoChip {
    /// Its address.
    pub pc: u32,
    /// The instruction.
    pub instruction: Instruction,
}

impl Tracer {
    /// Begins a shard.
    pub fn new(program: &Program, state: &State) -> Self {
        Self {
            before: image(state),
            text: super::image::text(program),
            from: [state.pc.into(), state.next_pc.into(), state.clock],
            accessed: BTreeMap::new(),
            executed: BTreeMap::new(),
            records: Records::default(),
            missing: None,
        }
    }

    /// When everything counts as accessed before the shard: just before its first cycle.
    fn start(&self) -> u64 {
        (self.from[2] * SLOTS as u64 + ORDER - 1) % ORDER
    }

    /// Accesses a word: what it held, and the time since the access before, less one.
    fn access(&mut self, address: u64, time: u64, value: Option<u64>) -> (u64, u64) {
        let initial = (self.start(), self.before.word(address));
        let (seen, held) = self.accessed.get(&address).copied().unwrap_or(initial);
        self.accessed.insert(address, (time, value.unwrap_or(held)));
        (held, (time + ORDER - 1 - seen) % ORDER)
    }

    /// Accesses a register, whose time has one digit; longer times are bridged.
    fn register(&mut self, register: u64, time: u64, value: Option<u64>) -> (u64, u16) {
        let (held, elapsed) = self.access(register, time, value);
        let short = u16::try_from(elapsed).unwrap_or_else(|_| {
            let gap = (elapsed - 1) as u32;
            let seen = (time + ORDER - 1 - elapsed) % ORDER;
            self.records.refresh.push(RefreshRecord {
                address: register,
                time: seen,
                value: held,
                gap,
            });
            0
        });
        (held, short)
    }

    fn read(&mut self, register: u64, clk: u64, slot: Slot) -> SourceNative {
        let (value, elapsed) = self.register(register, time(clk, slot), None);
        SourceNative { register, value, elapsed }
    }

    fn write(&mut self, register: u64, clk: u64, value: u64) -> TargetNative {
        let (before, elapsed) = self.register(register, time(clk, Slot::Target), Some(value));
        TargetNative { register, before, elapsed }
    }

    /// Accesses a word of memory.
    fn memory(&mut self, address: u64, clk: u64, value: Option<u64>) -> (u64, [u16; 2]) {
        let (held, elapsed) = self.access(address, time(clk, Slot::Memory), value);
        (held, [elapsed as u16, (elapsed >> 16) as u16])
    }

    fn record(&mut self, state: &State, instruction: &Instruction) -> Option<()> {
        let decoded = decoding(instruction.opcode)?;
        let places = Places::of(instruction, &decoded, state.pc);
        let Places { target, first, second, constant } = places;
        let (clk, pc) = (state.clock, u64::from(state.pc));
        let cycle = CycleNative { clk, pc, next_pc: state.next_pc.into() };
        let mode = decoded.mode;
        let word = |value: u64| value & 0xffff_ffff;
        match decoded.operation.cast_signed() {
            operation::ADD => {
                let first = self.read(first, clk, Slot::First);
                let second = self.read(second, clk, Slot::Second);
                let subtract = mode == 1;
                let (x, y) = (first.value, second.value);
                let result = if subtract { x.wrapping_sub(y) } else { x + y };
                let target = self.write(target, clk, word(result));
                self.records.add_sub.push(AddSubRecord { cycle, first, second, target, subtract });
            }
            operation::ADD_CONSTANT => {
                let first = self.read(first, clk, Slot::First);
                let target = self.write(target, clk, word(first.value + constant));
                self.records.add_constant.push(AddConstantRecord {
                    cycle,
                    first,
                    target,
                    constant,
                });
            }
            operation::LOAD_WORD => {
                let first = self.read(first, clk, Slot::First);
                let (value, since) = self.memory(word(first.value + constant), clk, None);
                let target = self.write(target, clk, value);
                let record = LoadWordRecord { cycle, first, target, constant, value, since };
                self.records.load_word.push(record);
            }
            operation::STORE_WORD => {
                let first = self.read(first, clk, Slot::First);
                let second = self.read(second, clk, Slot::Second);
                let address = word(first.value + constant);
                let (before, since) = self.memory(address, clk, Some(second.value));
                let record = StoreWordRecord { cycle, first, second, constant, before, since };
                self.records.store_word.push(record);
            }
            operation::LESS => {
                let first = self.read(first, clk, Slot::First);
                let second = self.read(second, clk, Slot::Second);
                let signed = mode == 1;
                let compared = |value: u64| word(value + (u64::from(signed) << 31));
                let less = compared(first.value) < compared(second.value + constant);
                let target = self.write(target, clk, less.into());
                let record = LessRecord { cycle, first, second, target, constant, signed };
                self.records.less.push(record);
            }
            operation::SHIFT => {
                let first = self.read(first, clk, Slot::First);
                let right = instruction.opcode == Opcode::Srl && instruction.amount > 0;
                let product = first.value * constant;
                let target =
                    self.write(target, clk, if right { product >> 32 } else { word(product) });
                self.records.shift.push(ShiftRecord { cycle, first, target, constant, right });
            }
            operation::BRANCH => {
                let first = self.read(first, clk, Slot::First);
                let second = self.read(second, clk, Slot::Second);
                let different = mode == 1;
                self.records.branch.push(BranchRecord {
                    clk,
                    pc,
                    first,
                    second,
                    constant,
                    different,
                });
            }
            operation::JUMP => {
                let target = self.write(target, clk, pc + 8);
                self.records.jump.push(JumpRecord { clk, pc, target, constant });
            }
            operation::JUMP_REGISTER => {
                let first = self.read(first, clk, Slot::First);
                let target = self.write(target, clk, pc + 8);
                self.records.jump_register.push(JumpRegisterRecord { clk, pc, first, target });
            }
            operation::SYSTEM_CALL => {
                let first = self.read(first, clk, Slot::First);
                let second = self.read(second, clk, Slot::Second);
                if first.value != 0 {
                    return None;
                }
                self.records.halt.push(HaltRecord { cycle, first, second });
            }
            _ => {
                let sums = decoded.operation.cast_signed() - operation::BITWISE;
                self.bitwise(cycle, places, mode, sums);
            }
        }
        Some(())
    }

    fn bitwise(&mut self, cycle: CycleNative, places: Places, products: u64, sums: i64) {
        let Places { target, first, second, constant } = places;
        let clk = cycle.clk;
        let first = self.read(first, clk, Slot::First);
        let second = self.read(second, clk, Slot::Second);
        let (x, y) = (first.value as u32, (second.value + constant) as u32);
        let result = match (sums, products) {
            (0, _) => x & y,
            (-1, _) => !(x | y),
            (_, products) if products == FIELD.reduce(-1) => x | y,
            _ => x ^ y,
        };
        let target = self.write(target, clk, result.into());
        let bytes = |word: u32| word.to_le_bytes().map(u64::from);
        let of = |SourceNative { register, elapsed, .. }| ByteSourceNative { register, elapsed };
        self.records.bitwise.push(BitwiseRecord {
            cycle,
            first: of(first),
            second: of(second),
            target,
            constant,
            products,
            sums: FIELD.reduce(sums.into()),
            x: bytes(x),
            y: bytes(y),
            and: bytes(x & y),
        });
    }

    /// Ends the shard: the input of the machine.
    ///
    /// # Errors
    ///
    /// Fails if an instruction was executed that has no chip.
    pub fn finish(self, state: &State) -> Result<MachineInput, NoChip> {
        if let Some((pc, instruction)) = self.missing {
            return Err(NoChip { pc, instruction });
        }
        let start = self.start();
        let touched: BTreeSet<u64> =
            self.accessed.keys().map(|&address| leaf_of(address)).collect();
        let touched: Vec<u64> = touched.into_iter().collect();
        let mut after = self.before.clone();
        let mut leaves: BTreeMap<u64, _> =
            touched.iter().map(|&index| (index, self.before.leaf(index))).collect();
        for (&address, &(_, value)) in &self.accessed {
            if let Some(leaf) = leaves.get_mut(&leaf_of(address)) {
                leaf[(address / 4 % 16) as usize] = value;
            }
        }
        after.update(leaves);
        let time = |address| self.accessed.get(&address).map(|&(time, _)| time);
        let (leaf_rows, node_rows) = rows(&self.before, &after, &touched, start, time);

        let to = match state.exit {
            Some(code) => [1, code.into(), 0, state.clock],
            None => [0, state.pc.into(), state.next_pc.into(), state.clock],
        };
        let (root_before, root_after) = (self.before.root(), after.root());
        let program = self.text.root();
        let boundary = BoundaryRecord {
            from: self.from,
            to,
            before: root_before,
            after: root_after,
            text: program,
        };
        let publics = BoundaryPublics {
            program,
            start: self.from,
            start_memory: root_before,
            end: to,
            end_memory: root_after,
        };

        let read: BTreeSet<u64> = self.executed.keys().map(|&pc| leaf_of(pc.into())).collect();
        let read: Vec<u64> = read.into_iter().collect();
        let text_leaves =
            read.iter().map(|&index| TextLeafRecord { index, words: self.text.leaf(index) });
        let text_nodes =
            self.text.paths(&read).into_iter().map(|(level, index, children, touched)| {
                TextNodeRecord { level, index, children, touched }
            });
        let decode = self.executed.iter().filter_map(|(&pc, instruction)| decode(pc, instruction));

        let Records { add_sub, add_constant, less, shift, bitwise, load_word, store_word, .. } =
            self.records;
        let Records { branch, jump, jump_register, halt, refresh, .. } = self.records;
        Ok(Input::new(FIELD)
            .rows::<Boundary>([boundary])
            .publics::<Boundary>(&publics)
            .rows::<AddSub>(add_sub)
            .rows::<AddConstant>(add_constant)
            .rows::<Less>(less)
            .rows::<Shift>(shift)
            .rows::<Bitwise>(bitwise)
            .rows::<LoadWord>(load_word)
            .rows::<StoreWord>(store_word)
            .rows::<Branch>(branch)
            .rows::<Jump>(jump)
            .rows::<JumpRegister>(jump_register)
            .rows::<Halt>(halt)
            .rows::<Refresh>(refresh)
            .rows::<Leaf>(leaf_rows)
            .rows::<Node>(node_rows)
            .rows::<Decode>(decode)
            .rows::<TextLeaf>(text_leaves)
            .rows::<TextNode>(text_nodes)
            .into_ir())
    }
}

impl Observer for Tracer {
    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        self.executed.insert(state.pc, *instruction);
        if self.missing.is_none() && self.record(state, instruction).is_none() {
            self.missing = Some((state.pc, *instruction));
        }
    }
}

/// When an access takes place.
const fn time(clk: u64, slot: Slot) -> u64 {
    clk * SLOTS as u64 + slot as u64
}

/// Addresses of registers and the constant, as the bus `program` says them.
#[derive(Clone, Copy, Debug)]
struct Places {
    target: u64,
    first: u64,
    second: u64,
    constant: u64,
}

impl Places {
    fn of(instruction: &Instruction, decoded: &DecodedNative, pc: u32) -> Self {
        let field = |register: chipwright_mips_isa::Register| u64::from(register.number());
        let (rs, rt, rd) = (field(instruction.rs), field(instruction.rt), field(instruction.rd));
        let &DecodedNative { first, second, target, constant, .. } = decoded;
        let target = match target[0] + target[1] * rt + target[2] * rd {
            0 => number::SCRATCH,
            number => number,
        };
        let amount = instruction.amount;
        let kinds = [
            u64::from(instruction.signed().cast_unsigned()),
            u64::from(instruction.constant),
            u64::from(instruction.constant) << 16,
            instruction.branch_target(pc).into(),
            instruction.jump_target(pc).into(),
            1 << amount,
            if amount == 0 { 1 } else { 1 << (32 - amount) },
        ];
        Self {
            target: register(target),
            first: register(first[0] + first[1] * rs + first[2] * rt),
            second: register(second[0] + second[1] * rt),
            constant: kinds.into_iter().zip(constant).map(|(value, flag)| value * flag).sum(),
        }
    }
}

/// The row that decodes an instruction.
fn decode(pc: u32, instruction: &Instruction) -> Option<DecodeRecord> {
    let decoded = decoding(instruction.opcode)?;
    let fields = [
        instruction.rs.number().into(),
        instruction.rt.number().into(),
        instruction.rd.number().into(),
        instruction.amount.into(),
        instruction.constant as u16,
        (instruction.constant >> 16) as u16,
    ];
    let [half, _] = [fields[4], fields[5]];
    let negative = half >> 15 == 1;
    let branch = instruction.branch_target(pc);
    let wraps =
        u64::from(pc) + 4 + (u64::from(instruction.signed().cast_unsigned()) << 2 & 0xffff_ffff)
            >= 1 << 32;
    let next = pc + 4;
    let amount = instruction.amount;
    let target = decoded.target;
    let number = target[0] + target[1] * u64::from(fields[1]) + target[2] * u64::from(fields[2]);
    Some(DecodeRecord {
        pc: pc.into(),
        fields,
        decoding: decoded,
        discards: number == 0,
        inverse: inverse(number),
        negative,
        wraps,
        low: branch as u16,
        next: [next as u16, (next >> 16 & 0xfff) as u16, (next >> 28) as u16],
        power: [
            1 << amount,
            if amount == 0 { 1 } else { 1 << (32 - amount) },
            u64::from(amount > 0),
        ],
    })
}

/// The inverse of an element, or zero.
pub(crate) fn inverse(value: u64) -> u64 {
    use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
    use p3_goldilocks::Goldilocks;
    Goldilocks::from_u64(value).try_inverse().map_or(0, |inverse| inverse.as_canonical_u64())
}
