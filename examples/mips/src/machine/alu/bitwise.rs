//! Bitwise operations.

use chipwright_dsl::prelude::*;

use crate::machine::FIELD;
use crate::machine::access::Accesses;
use crate::machine::bus::{
    Access, Cycle, Fetch, HALF, Instruction, Slot, SourceNative, Target, WORD,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// The conjunction of two bytes.
#[message]
pub struct And {
    /// The one.
    pub a: Felt,
    /// The other.
    pub b: Felt,
    /// The conjunction.
    pub both: Felt,
}

/// The conjunctions of all bytes.
#[chip]
pub struct AndTable {
    #[fixed]
    a: Felt,
    #[fixed]
    b: Felt,
    #[fixed]
    and: Felt,
    #[port]
    table: Provide<And>,
}

/// A register that is read as bytes.
#[derive(Debug, Columns)]
pub struct ByteSource {
    /// Its address.
    pub register: Felt,
    /// The time since the access before, less one.
    pub elapsed: U16,
}

/// `and`, `or`, `xor`, `nor`, and those with a constant: `target = products · (x & y) + sums · (x + y)`, complemented if `sums`
/// is minus one, where `y = second + constant`, one of which is zero.
///
/// | | `products` | `sums` |
/// |---|---|---|
/// | `and` | 1 | 0 |
/// | `or` | −1 | 1 |
/// | `xor` | −2 | 1 |
/// | `nor` | 1 | −1 |
///
/// # Soundness
///
/// The table proves that `x` and `y` are made of bytes, and their conjunction with them. What the sum is multiplied with is told
/// by the operation, what the conjunction is by the mode, so both are the program's.
#[chip]
pub struct Bitwise {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: ByteSource,
    #[record]
    pub second: ByteSource,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// What the conjunction is multiplied with.
    #[record]
    pub products: Felt,
    /// What the sum is multiplied with: −1, 0 or 1.
    #[record]
    pub sums: Felt,
    /// The bytes of `x`.
    #[record]
    pub x: [Felt; 4],
    /// The bytes of `y`.
    #[record]
    pub y: [Felt; 4],
    /// The bytes of the conjunction.
    #[record]
    pub and: [Felt; 4],
    #[port]
    table: Lookup<And>,
    #[ports]
    ports: Instruction,
}

impl Chip for AndTable {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AndTableRow { a, b, and, table } = row;
        c.provide(table, And { a, b, both: and });
    }

    fn fixed(_: Field) -> Vec<AndTableFixed> {
        (0..1 << 16)
            .map(|i| (i >> 8, i & 255))
            .map(|(a, b)| AndTableFixed { a, b, and: a & b })
            .collect()
    }
}

impl Chip for Bitwise {
    fn row(c: &Builder, row: &Row<Self>) {
        let &BitwiseRow { cycle, first, second, target, constant, products, sums, .. } = row;
        let &BitwiseRow { x, y, and, table, ports, .. } = row;
        for i in 0..4 {
            c.lookup(table, And { a: x[i], b: y[i], both: and[i] });
        }
        let (x, y, and) = (of_bytes(x), of_bytes(y), of_bytes(and));
        // One for minus one, zero for zero and one.
        let complemented = sums * (sums - 1) * HALF;
        let result = products * and + sums * (x + y) + complemented * (WORD - 1);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: sums + operation::BITWISE,
                mode: products,
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        for (source, slot, value) in [(first, Slot::First, x), (second, Slot::Second, y - constant)]
        {
            let ByteSourceRow { register, elapsed } = source;
            let access =
                Access { clk: cycle.clk, slot, address: register.into(), elapsed: elapsed.into() };
            ports.access(c, access, value, value);
        }
        ports.write(c, cycle.clk, target, result);
    }
}

/// The word of four bytes, the lowest first.
pub fn of_bytes(bytes: [impl Into<Expr>; 4]) -> Expr {
    let [a, b, c, d] = bytes.map(Into::into);
    a + b * (1 << 8) + c * (1 << 16) + d * (1 << 24)
}

impl InstructionChip for Bitwise {
    const OPERATIONS: &'static [i64] =
        &[operation::BITWISE - 1, operation::BITWISE, operation::BITWISE + 1];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<BitwiseRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let (x, y) = (first.value as u32, (second.value + constant) as u32);
        let (products, sums) = (step.mode, step.operation - operation::BITWISE);
        let result = match sums {
            0 => x & y,
            -1 => !(x | y),
            _ if products == FIELD.reduce(-1) => x | y,
            _ => x ^ y,
        };
        let target = accesses.write(step.target, clk, result.into());
        let bytes = |word: u32| word.to_le_bytes().map(u64::from);
        let of = |SourceNative { register, elapsed, .. }| ByteSourceNative { register, elapsed };
        Some(BitwiseRecord {
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
        })
    }
}
