//! A new opcode breaks the build at every place that must change.
use chipwright_dsl::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
enum Op {
    Add,
    Sub,
    Halt,
}

#[chip]
struct Alu {
    #[record]
    op: OneHot<Op>,
    #[record]
    x: Felt,
}

impl Chip for Alu {
    fn row(c: &Builder, row: &Row<Self>) {
        c.case(row.op, |c, op| match op {
            Op::Add => {
                c.assert_zero(row.x);
            }
            Op::Sub => {
                c.assert_eq(row.x, 1);
            }
        });
    }
}

fn main() {}
