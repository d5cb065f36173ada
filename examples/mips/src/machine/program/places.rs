//! What the executor says of an instruction: the row that decodes it, and what that row says on the bus `program`.

use chipwright_mips_isa::Instruction;

use super::decode::DecodeRecord;
use super::opcodes::{DecodedNative, PLACES, decoding};
use super::powers::entry;
use crate::execute::State;
use crate::machine::FIELD;
use crate::machine::bus::{CycleNative, number, register};
use crate::machine::field::inverse;
use crate::machine::instruction::Step;

/// The fields of a word of an opcode: zero where it has none.
fn fields(instruction: &Instruction, decoded: &DecodedNative) -> [u16; 6] {
    let word = instruction.encode();
    let constant = instruction.constant;
    let mut fields = [0, 1, 2, 3, 4, 4]
        .map(|field| (word >> PLACES[field]) as u16 & if field < 4 { 31 } else { 0 });
    fields[4] = constant as u16;
    fields[5] = (constant >> 16) as u16;
    for (field, bound) in fields.iter_mut().zip(decoded.bounds) {
        if bound == 1 << 16 {
            *field = 0;
        }
    }
    fields
}

/// The numbers of the target, the first and the second register. That of the target is zero if there is none.
fn numbers(fields: &[u16; 6], decoded: &DecodedNative) -> [u64; 3] {
    let [rs, rt, rd] = [0, 1, 2].map(|field| u64::from(fields[field]));
    let DecodedNative { first, second, target, .. } = decoded;
    [
        target[0] + target[1] * rt + target[2] * rd,
        first[0] + first[1] * rs + first[2] * rt,
        second[0] + second[1] * rt,
    ]
}

/// The factor and the selector of a power, if the fields are sound.
fn power(fields: &[u16; 6], decoded: &DecodedNative) -> Option<(u64, u64)> {
    let [kind, amount, high] = decoded.power;
    entry(kind, amount * u64::from(fields[3]), high * u64::from(fields[2]))
}

/// An instruction that will be executed, if there is a chip for it.
pub fn step(state: &State, instruction: &Instruction) -> Option<Step> {
    let decoded = decoding(instruction.opcode)?;
    let fields = fields(instruction, decoded);
    let (factor, selector) = power(&fields, decoded)?;
    let [target, first, second] = numbers(&fields, decoded);
    if decoded.distinct == 1 && target == first {
        return None;
    }
    let kinds = [
        u64::from(instruction.signed().cast_unsigned()),
        u64::from(instruction.constant),
        u64::from(instruction.constant) << 16,
        instruction.branch_target(state.pc).into(),
        instruction.jump_target(state.pc).into(),
    ];
    let constant: u64 =
        kinds.into_iter().zip(decoded.constant).map(|(kind, flag)| kind * flag).sum();
    Some(Step {
        cycle: CycleNative { clk: state.clock, pc: state.pc.into(), next_pc: state.next_pc.into() },
        operation: decoded.operation.cast_signed(),
        mode: FIELD.reduce(i128::from(decoded.mode) + i128::from(selector)),
        target: register(if target == 0 { number::SCRATCH } else { target }),
        first: register(first),
        second: register(second),
        constant: constant + factor,
    })
}

/// The row that decodes an instruction, if there is a chip for it.
pub fn decode(pc: u32, instruction: &Instruction) -> Option<DecodeRecord> {
    let decoded = decoding(instruction.opcode)?;
    let fields = fields(instruction, decoded);
    let (factor, selector) = power(&fields, decoded)?;
    let [target, first, _] = numbers(&fields, decoded);
    let half = fields[4];
    let branch = instruction.branch_target(pc);
    let distance = u64::from(instruction.signed().cast_unsigned()) << 2 & 0xffff_ffff;
    let next = pc + 4;
    let written = if target == 0 { number::SCRATCH } else { target };
    let order = crate::machine::field::ORDER;
    Some(DecodeRecord {
        pc: pc.into(),
        fields,
        decoding: decoded.clone(),
        discards: target == 0,
        inverse: inverse(target),
        apart: inverse((written + order - first) % order),
        negative: half >> 15 == 1,
        wraps: u64::from(pc) + 4 + distance >= 1 << 32,
        low: branch as u16,
        next: [next as u16, (next >> 16 & 0xfff) as u16, (next >> 28) as u16],
        power: [factor, selector],
    })
}
