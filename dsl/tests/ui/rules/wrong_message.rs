//! A port takes messages of its own type, made of values of their types.
use chipwright_dsl::prelude::*;

#[message]
struct Fetch {
    pc: Felt,
    op: U8,
}

#[message]
struct Other {
    pc: Felt,
}

#[chip]
struct Cpu {
    #[record]
    pc: Felt,
    #[record]
    op: U8,
    #[port]
    program: Lookup<Fetch>,
    #[port]
    table: Provide<Fetch>,
}

impl Chip for Cpu {
    fn row(c: &Builder, row: &Row<Self>) {
        c.lookup(row.program, Fetch { pc: row.pc + 4, op: row.op });
        c.lookup(row.program, Other { pc: row.pc });
        c.lookup(row.program, Fetch { pc: row.pc, op: row.pc });
        c.lookup(row.program, Fetch { pc: row.pc });
        c.lookup(row.table, Fetch { pc: row.pc, op: row.op });
    }
}

fn main() {}
