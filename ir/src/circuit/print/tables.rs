//! Text of stage `tables`: the witness bus slot by slot, then the rows of each table.

use std::fmt::{self, Write as _};

use super::slots::{arithmetic_text, slots, stage};
use super::{header, label, line};
use crate::circuit::rows::{A, B, C, OUT, Port, Role, Row, RowOp};
use crate::circuit::tables::{TableKind, Tables};

impl fmt::Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = &self.program;
        header(f, &program.name, program.field, &stage("tables", program.form))?;
        self.bus(f)?;
        for table in &self.tables {
            writeln!(f, "  table {} {{", table.kind)?;
            for (index, row) in table.rows.iter().enumerate() {
                let text = format!("    {index}: {}", self.row_text(row));
                line(f, &text, &label(&program.names, row.origin))?;
            }
            writeln!(f, "  }}")?;
        }
        writeln!(f, "}}")?;
        let terms: usize = self.tables.iter().map(|table| table.rows.ports().len()).sum();
        let balanced = match crate::circuit::verify::verify_tables(self) {
            Ok(()) => "balanced",
            Err(_) => "not balanced",
        };
        let slots = program.slots.len();
        writeln!(f, "; {} rows, {slots} slots, {terms} bus terms: {balanced}", self.row_count())
    }
}

impl Tables {
    fn bus(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms = vec![(String::new(), String::new()); self.program.slots.len()];
        for table in &self.tables {
            let name = table.kind.to_string();
            for (index, row) in table.rows.iter().enumerate() {
                for port in row.ports {
                    let Some((creators, readers)) = terms.get_mut(port.slot.index()) else {
                        continue;
                    };
                    let place = format!("{name}[{index}].{}", port_name(row.op, *port));
                    match port.role {
                        Role::Creates => {
                            let _ = write!(creators, " +{} {place}", self.multiplicity(*port));
                        }
                        Role::Reads => _ = write!(readers, " -1 {place}"),
                        Role::Peeks => {}
                    }
                }
            }
        }
        writeln!(f, "  bus witness {{")?;
        for (slot, (creators, readers)) in terms.iter().enumerate() {
            let ty = self.program.slots[slot].ty;
            let ty = if ty.is_ext() { " : ext" } else { "" };
            writeln!(f, "    w{slot}{ty}:{creators}{readers}")?;
        }
        writeln!(f, "  }}")
    }

    fn row_text(&self, row: Row<'_>) -> String {
        match row.op {
            RowOp::Witness => slots(row.ports),
            RowOp::Const(value) => {
                format!("{} = {}", slots(row.ports), value.display(self.program.field))
            }
            RowOp::Public(index) => format!("{} = public {index}", slots(row.ports)),
            RowOp::Private(index) => format!("{} = private {index}", slots(row.ports)),
            RowOp::Arithmetic(relation, ty) => {
                // Roles are in the bus section; here the relation is enough.
                let readers: Vec<_> =
                    row.ports.iter().map(|port| Port { role: Role::Reads, ..*port }).collect();
                let text = arithmetic_text(*relation, *ty, &readers);
                text.strip_prefix("check_").unwrap_or(&text).to_owned()
            }
            RowOp::Base => format!("base {}", slots(&row.ports[..row.ports.len().min(1)])),
            RowOp::Hint(hint) => hint.to_string(),
            RowOp::Advice { hint, output } => {
                let kind = self.program.hints.get(hint.index()).map(|hint| hint.kind.to_string());
                let kind = kind.unwrap_or_default();
                format!("{} = output {output} of hint {} {kind}", slots(row.ports), hint.index())
            }
            RowOp::Call { call, row: number } => {
                let ports = row.ports.iter().map(|p| format!("{}={}", p.position, p.slot));
                let ports: Vec<_> = ports.collect();
                format!("{call} row {number}({})", ports.join(", "))
            }
        }
    }
}

/// The name of a port in the bus section.
fn port_name(op: &RowOp, port: Port) -> String {
    match (op, port.position) {
        (RowOp::Arithmetic(..) | RowOp::Base, A) => "a".to_owned(),
        (RowOp::Arithmetic(..), B) => "b".to_owned(),
        (RowOp::Arithmetic(..), C) => "c".to_owned(),
        (RowOp::Call { .. }, position) => format!("p{position}"),
        (RowOp::Arithmetic(..), OUT) | (_, _) => "out".to_owned(),
    }
}

impl TableKind {
    /// Whether the table is one of a chip.
    pub fn is_call(&self) -> bool {
        matches!(self, Self::Call(_))
    }
}
