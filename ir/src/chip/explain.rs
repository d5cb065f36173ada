//! Where a degree comes from.
//!
//! ```text
//! error[D0001]: rule `next pc` of chip `cpu` has degree 5; the bound is 3
//!   --> chips/src/cpu.rs:71:11
//!    = degree 5 = 1 (guard `op.beq`) + 4 (`t·t·t·t`)
//!    = degree 4 = 2 (`t·t`) + 2 (`t·t`)
//!    = help: `save` a part of it in a column, or lower degrees
//! ```

use super::verify::{Finding, Severity};
use super::{Chip, Node, NodeId};

/// One error for each rule whose degree exceeds `max`.
pub fn degree_findings(chip: &Chip, max: usize) -> Vec<Finding> {
    let degrees = chip.graph.degrees(&chip.columns);
    let mut findings = Vec::new();
    for (index, rule) in chip.rules.iter().enumerate() {
        let degree = rule.degree(&degrees);
        if degree > max {
            findings.push(Finding {
                code: "V09",
                severity: Severity::Error,
                message: format!(
                    "rule `{}` of chip `{}` has degree {degree}; the bound is {max}",
                    chip.rule_name(index),
                    chip.name
                ),
                location: rule.label.location,
                notes: explain_degree(chip, index),
            });
        }
    }
    findings
}

/// The products that a rule's degree comes from, one a line, the largest first.
pub fn explain_degree(chip: &Chip, rule: usize) -> Vec<String> {
    let degrees = chip.graph.degrees(&chip.columns);
    let of = |id: NodeId| degrees[id.index()];
    let rule = &chip.rules[rule];
    let body = if of(rule.left) >= of(rule.right) { rule.left } else { rule.right };
    let mut parts = Vec::new();
    if rule.section.degree() > 0 {
        parts.push(format!("{} (`{}`)", rule.section.degree(), rule.section));
    }
    if let Some(guard) = rule.guard {
        parts.push(format!("{} (guard `{}`)", of(guard), chip.formula(guard)));
    }
    parts.push(format!("{} (`{}`)", of(body), chip.formula(body)));
    let mut notes = vec![format!("degree {} = {}", rule.degree(&degrees), parts.join(" + "))];
    let mut node = body;
    while of(node) > 1 {
        match chip.graph.node(node) {
            Node::Mul(a, b) => {
                // A factor of degree zero explains nothing.
                if of(a) > 0 && of(b) > 0 {
                    notes.push(format!(
                        "degree {} = {} (`{}`) + {} (`{}`)",
                        of(node),
                        of(a),
                        chip.formula(a),
                        of(b),
                        chip.formula(b)
                    ));
                }
                node = if of(a) >= of(b) { a } else { b };
            }
            other => {
                let Some(largest) = other.operands().max_by_key(|operand| of(*operand)) else {
                    break;
                };
                node = largest;
            }
        }
    }
    notes.push("help: `save` a part of it in a column, or lower degrees".to_owned());
    notes
}
