//! The text form of chips and machines.
//!
//! One fact a line; `Display` prints it, and `{:#}` adds source locations to the comments. Comments carry
//! the names of rules and who made them. The grammar (`[x]` optional, `x,*` separated by commas):
//!
//! ```text
//! machine   = "machine" NAME "over" FIELD "{" chip* "}"
//! chip      = "chip" NAME "over" FIELD ["," "dense"] ["," "memory" "of" NAME] "{" fact* section* "}"
//! fact      = NAME ":" [KIND] type place ["of" cell_type,*] ["named" NAME,*] ["free" TEXT]
//!           | "public" NAME ("," ("common" | "before" | "after") NAME)?
//!           | "port" NAME ":" PORT_KIND NAME "(" (NAME ":" cell_type),* ")"
//!           | "contents" NAME "=" [run,*]
//! place     = "c" INT [".." "c" INT]
//! run       = INT | INT ".." INT | INT "*" INT             ; from .. below, value * times
//! cell_type = "felt" | "bit" | "u" BITS | "ext" "[" INT "]"
//! section   = ("row" | "first" | "step" | "last") "{" line* "}"
//! line      = "%" INT "=" expr
//!           | "eq" expr "," expr ["when" expr]
//!           | "fill" cell,* "=" value ["when" expr,*]
//!           | VERB NAME "(" expr,* ")" ["times" expr] ["weight" INT] ["exclusive" INT]
//! value     = expr | "split" "(" expr "," BITS,* ")" | "native" TEXT "(" expr,* ")"
//!           | "call" NAME "(" expr,* ")"
//!           | "access" NAME "(" expr,* ")" "at" expr ["set" "(" expr,* ")"]
//! VERB      = "lookup" | "provide" | "send" | "receive" | "plus" | "minus"
//! expr      = sums, differences, products, "-" x, "(" x ")", INT, "-" INT, "#" INT [":" INT],
//!             cell, NAME, "%" INT, "int(" x ")", "inverse(" x ")", "select(" c "," x "," y ")",
//!             "(" x OP y ")" with OP = div rem and or xor shl shr less equal
//! cell      = ["next" "."] NAME
//! ```
//!
//! `#5` is an integer of advice, `5` a field element; `+ - *` between advice are integer operations.

use std::fmt::{self, Write as _};

use super::formula::{Style, printable, quoted};
use super::normalise::comment;
use super::outline::{Line, outline};
use super::types::expected_cells;
use super::{
    CellType, Chip, ColumnKind, Fill, FillOp, Group, Interaction, Label, NodeId, Origin, PortKind,
    Rule, Section, Sign, StepPart,
};
use crate::machine::Machine;

/// Where the comments of facts begin.
const COMMENT_COLUMN: usize = 48;

impl fmt::Display for Machine {
    /// The chips, one after the other, in the text form of [`print`](crate::chip::print).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine {} over {} {{", quoted(&self.name), self.field)?;
        for chip in &self.chips {
            if f.alternate() {
                writeln!(f, "{chip:#}")?;
            } else {
                writeln!(f, "{chip}")?;
            }
        }
        f.write_str("}")
    }
}

impl fmt::Display for Chip {
    /// The text form of [`print`](crate::chip::print). `{:#}` adds source locations.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer { chip: self, f, names: vec![None; self.graph.len()], named: 0 };
        printer.head()?;
        printer.sections()?;
        printer.foot()
    }
}

struct Printer<'a, 'b> {
    chip: &'a Chip,
    f: &'a mut fmt::Formatter<'b>,
    names: Vec<Option<u32>>,
    named: u32,
}

impl Printer<'_, '_> {
    fn head(&mut self) -> fmt::Result {
        let chip = self.chip;
        for line in chip.doc.lines() {
            writeln!(self.f, "; {}", line.trim())?;
        }
        write!(self.f, "chip {} over {}", quoted(&chip.name), chip.field)?;
        if chip.dense {
            self.f.write_str(", dense")?;
        }
        if let Some(bus) = &chip.memory_of {
            write!(self.f, ", memory of {}", quoted(bus))?;
        }
        writeln!(self.f, " {{")?;
        for group in &chip.groups {
            self.group(group)?;
        }
        for public in &chip.publics {
            write!(self.f, "  public {}", quoted(&public.name))?;
            if let Some(StepPart { role, name }) = &public.part {
                write!(self.f, ", {role} {}", quoted(name))?;
            }
            writeln!(self.f)?;
        }
        for port in &chip.ports {
            let (name, bus) = (quoted(&port.name), quoted(&port.bus));
            let elements: Vec<String> =
                port.message.iter().map(|(name, ty)| format!("{}: {ty}", quoted(name))).collect();
            let elements = elements.join(", ");
            writeln!(self.f, "  port {name}: {} {bus}({elements})", port.kind)?;
        }
        if let Some(fixed) = &chip.fixed {
            for (column, values) in chip.columns_of(ColumnKind::Fixed).zip(&fixed.columns) {
                self.contents(&chip.columns[column.index()].name, values)?;
            }
        }
        for (column, values) in chip.columns_of(ColumnKind::Periodic).zip(&chip.periodic) {
            self.contents(&chip.columns[column.index()].name, values)?;
        }
        Ok(())
    }

    fn group(&mut self, group: &Group) -> fmt::Result {
        let start = group.start.index();
        let cells = &self.chip.columns[start..start + group.len as usize];
        let mut line = format!("{}: ", quoted(&group.name));
        if group.kind != ColumnKind::Private {
            let _ = write!(line, "{} ", group.kind);
        }
        line.push_str(&super::types::written(&group.type_name));
        let place = match group.len {
            1 => group.start.to_string(),
            len => format!("{}..c{}", group.start, start + len as usize),
        };
        let mut line = format!("  {line:<32} {place}");
        let types: Vec<CellType> = cells.iter().map(|cell| cell.ty).collect();
        if expected_cells(&group.type_name, types.len()).as_ref() != Some(&types) {
            let types: Vec<String> = types.iter().map(ToString::to_string).collect();
            let _ = write!(line, " of {}", types.join(", "));
        }
        let default = super::types::default_names(group);
        if cells.iter().map(|cell| &cell.name).ne(&default) {
            let names: Vec<String> = cells.iter().map(|cell| quoted(&cell.name)).collect();
            let _ = write!(line, " named {}", names.join(", "));
        }
        if let Some(reason) = &group.free {
            let _ = write!(line, " free \"{}\"", printable(reason));
        }
        let doc = group.doc.lines().next().unwrap_or_default();
        self.line(&line, doc.trim())
    }

    fn contents(&mut self, name: &str, values: &[u64]) -> fmt::Result {
        writeln!(self.f, "  contents {} = {}", quoted(name), super::types::runs(values).join(", "))
    }

    fn sections(&mut self) -> fmt::Result {
        for (section, lines) in Section::ALL.into_iter().zip(outline(self.chip)) {
            if lines.is_empty() {
                continue;
            }
            writeln!(self.f, "  {section} {{")?;
            for line in lines {
                match line {
                    Line::Node(node) => self.node(node)?,
                    Line::Fill(index) => self.fill(&self.chip.fills[index])?,
                    Line::Rule(index) => self.rule(&self.chip.rules[index])?,
                    Line::Interaction(index) => self.interaction(&self.chip.interactions[index])?,
                }
            }
            writeln!(self.f, "  }}")?;
        }
        Ok(())
    }

    fn node(&mut self, node: NodeId) -> fmt::Result {
        let text = self.expression(node);
        let name = self.named;
        self.named += 1;
        self.names[node.index()] = Some(name);
        writeln!(self.f, "    %{name} = {text}")
    }

    fn fill(&mut self, fill: &Fill) -> fmt::Result {
        let chip = self.chip;
        let port = |port: super::PortId| quoted(&chip.ports[port.index()].name);
        let value = match &fill.op {
            FillOp::Set { value, .. } => self.expression(*value),
            FillOp::Split { parts, value } => {
                let widths: String = parts.iter().map(|(_, bits)| format!(", {bits}")).collect();
                format!("split({}{widths})", self.expression(*value))
            }
            FillOp::Native { inputs, function, .. } => {
                format!("native \"{}\"({})", printable(&function.name), self.expressions(inputs))
            }
            FillOp::Call { port: to, inputs, .. } => {
                format!("call {}({})", port(*to), self.expressions(inputs))
            }
            FillOp::Access { port: to, address, time, write, .. } => {
                let set =
                    write.as_ref().map(|values| format!(" set ({})", self.expressions(values)));
                let (address, time) = (self.expressions(address), self.expression(*time));
                format!("access {}({address}) at {time}{}", port(*to), set.unwrap_or_default())
            }
        };
        let cells: Vec<String> =
            fill.cells().into_iter().map(|cell| chip.cell_name(cell)).collect();
        let mut line = format!("    fill {} = {value}", cells.join(", "));
        if !fill.guards.is_empty() {
            let _ = write!(line, " when {}", self.expressions(&fill.guards));
        }
        writeln!(self.f, "{line}")
    }

    fn rule(&mut self, rule: &Rule) -> fmt::Result {
        let mut line =
            format!("    eq {}, {}", self.expression(rule.left), self.expression(rule.right));
        if let Some(guard) = rule.guard {
            let _ = write!(line, " when {}", self.expression(guard));
        }
        self.labelled(&line, rule.origin, &rule.label)
    }

    fn interaction(&mut self, interaction: &Interaction) -> fmt::Result {
        let port = &self.chip.ports[interaction.port.index()];
        let mut line = format!(
            "    {} {}({})",
            verb(port.kind, interaction.sign),
            quoted(&port.name),
            self.expressions(&interaction.message)
        );
        if self.chip.graph.node(interaction.count) != super::Node::Const(1) {
            let _ = write!(line, " times {}", self.expression(interaction.count));
        }
        if interaction.weight != default_weight(port.kind) {
            let _ = write!(line, " weight {}", interaction.weight);
        }
        if let Some(group) = interaction.exclusive {
            let _ = write!(line, " exclusive {group}");
        }
        self.labelled(&line, interaction.origin, &interaction.label)
    }

    fn labelled(&mut self, line: &str, origin: Origin, label: &Label) -> fmt::Result {
        let mut comment = comment(origin, label);
        if self.f.alternate()
            && let Some(location) = label.location
        {
            let _ = write!(comment, " @{}:{}", location.file, location.line);
        }
        self.line(line, comment.trim())
    }

    fn line(&mut self, line: &str, comment: &str) -> fmt::Result {
        if comment.is_empty() {
            writeln!(self.f, "{line}")
        } else {
            writeln!(self.f, "{line:<COMMENT_COLUMN$} ; {comment}")
        }
    }

    fn expression(&self, node: NodeId) -> String {
        let mut text = String::new();
        let style = Style { times: " * ", names: Some(&self.names), limit: usize::MAX / 2 };
        self.chip.write_formula(&mut text, node, style);
        text
    }

    fn expressions(&self, nodes: &[NodeId]) -> String {
        let texts: Vec<String> = nodes.iter().map(|node| self.expression(*node)).collect();
        texts.join(", ")
    }

    fn foot(&mut self) -> fmt::Result {
        let chip = self.chip;
        let count = |kind| {
            let of_kind =
                |interaction: &&Interaction| chip.ports[interaction.port.index()].kind == kind;
            chip.interactions.iter().filter(of_kind).count()
        };
        let degrees = chip.graph.degrees(&chip.columns);
        let degree = chip.rules.iter().map(|rule| rule.degree(&degrees)).max();
        writeln!(self.f, "}}")?;
        write!(
            self.f,
            "; {}, {} (max degree {})",
            plural(chip.columns.len(), "column"),
            plural(chip.rules.len(), "rule"),
            degree.unwrap_or(0)
        )?;
        for (kind, noun) in [
            (PortKind::Lookup, "lookup"),
            (PortKind::Table, "table"),
            (PortKind::Send, "send"),
            (PortKind::Receive, "receive"),
            (PortKind::Memory, "memory message"),
            (PortKind::Witness, "witness message"),
        ] {
            if count(kind) > 0 {
                write!(self.f, ", {}", plural(count(kind), noun))?;
            }
        }
        Ok(())
    }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The usual word for a message, if the sign is the port's usual one.
pub(crate) fn verb(kind: PortKind, sign: Sign) -> &'static str {
    match (kind, sign) {
        (PortKind::Lookup, Sign::Plus) => "lookup",
        (PortKind::Table, Sign::Minus) => "provide",
        (PortKind::Send | PortKind::Memory | PortKind::Witness, Sign::Plus) => "send",
        (PortKind::Receive | PortKind::Memory | PortKind::Witness, Sign::Minus) => "receive",
        (_, Sign::Plus) => "plus",
        (_, Sign::Minus) => "minus",
    }
}

/// The weight that is not written.
pub(crate) const fn default_weight(kind: PortKind) -> u32 {
    match kind {
        PortKind::Table => 0,
        _ => 1,
    }
}
