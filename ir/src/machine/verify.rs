//! What a machine must be.
//!
//! Besides what is demanded of each of its chips (see [`chip::verify`](crate::chip::verify)):
//!
//! | code | a machine is wrong if |
//! |---|---|
//! | V10 | two chips have one name, or a chip is over another field |
//! | V10 | a bus is a lookup bus for one port and a permutation bus for another |
//! | V10 | messages of different widths are exchanged on one bus |
//! | V10 | a port relies on a type that the other side does not promise: an asker on the table's, a receiver on the sender's |
//! | V10 | a lookup bus has no table, or a permutation bus only one side |
//!
//! That counts cannot wrap depends on heights, and is for the backend.

use super::{Bus, BusKind, Machine};
use crate::chip::verify::{Finding, Severity, VerifierErrors, errors_of, lint};
use crate::chip::{CellType, Port, PortKind};

/// Checks that a machine is what [this module](self) demands, and so are its chips.
///
/// # Errors
///
/// All errors: first those of the chips, then those of the buses, by name.
pub fn verify(machine: &Machine) -> Result<(), VerifierErrors> {
    let mut findings: Vec<Finding> = machine.chips.iter().flat_map(lint).collect();
    for (index, chip) in machine.chips.iter().enumerate() {
        if machine.position(&chip.name) != Some(index) {
            findings.push(error(format!("two chips are named `{}`", chip.name), None, &[]));
        }
        if chip.field != machine.field {
            let (name, field, of) = (&chip.name, chip.field, machine.field);
            let message = format!("chip `{name}` is over {field}, the machine over {of}");
            findings.push(error(message, None, &[]));
        }
    }
    for bus in machine.buses() {
        bus_findings(machine, &bus, &mut findings);
    }
    errors_of(findings)
}

fn error(message: String, port: Option<&Port>, notes: &[String]) -> Finding {
    Finding {
        code: "V10",
        severity: Severity::Error,
        message,
        location: port.and_then(|port| port.location),
        notes: notes.to_vec(),
    }
}

fn bus_findings(machine: &Machine, bus: &Bus, findings: &mut Vec<Finding>) {
    let ports: Vec<(&str, &Port)> = bus
        .ports
        .iter()
        .map(|(chip, port)| {
            let chip = &machine.chips[*chip];
            (chip.name.as_str(), &chip.ports[port.index()])
        })
        .collect();
    let Some((first_chip, first)) = ports.first().copied() else { return };
    let before = findings.len();
    for (chip, port) in &ports[1..] {
        let (kind, other) = (BusKind::of(port.kind), bus.kind);
        if kind != other {
            findings.push(error(
                format!(
                    "bus `{}` is a {} bus for `{first_chip}.{}` and a {} bus for `{chip}.{}`",
                    bus.name,
                    word(other),
                    first.name,
                    word(kind),
                    port.name
                ),
                Some(port),
                &[],
            ));
        }
        if port.message.len() != bus.width {
            findings.push(error(
                format!(
                    "messages of `{chip}.{}` on bus `{}` have {} elements, those of `{first_chip}.{}` {}",
                    port.name,
                    bus.name,
                    port.message.len(),
                    first.name,
                    bus.width
                ),
                Some(port),
                &[],
            ));
        }
    }
    if findings.len() > before {
        return;
    }
    type_findings(bus, &ports, findings);
    side_findings(bus, &ports, findings);
}

/// Who relies on a type must be promised it.
fn type_findings(bus: &Bus, ports: &[(&str, &Port)], findings: &mut Vec<Finding>) {
    let promises = |kind| matches!(kind, PortKind::Table | PortKind::Send);
    let relies = |kind| matches!(kind, PortKind::Lookup | PortKind::Receive);
    for (chip, port) in ports.iter().filter(|(_, port)| relies(port.kind)) {
        for (other_chip, other) in ports.iter().filter(|(_, port)| promises(port.kind)) {
            for ((name, relied), (_, promised)) in port.message.iter().zip(&other.message) {
                if !is_within(*promised, *relied) {
                    findings.push(error(
                        format!(
                            "`{chip}.{}` takes `{name}` of bus `{}` for a {relied}, but \
                             `{other_chip}.{}` promises only a {promised}",
                            port.name, bus.name, other.name
                        ),
                        Some(port),
                        &[],
                    ));
                }
            }
        }
    }
}

fn is_within(promised: CellType, relied: CellType) -> bool {
    match (promised, relied) {
        (CellType::Bits(promised), CellType::Bits(relied)) => promised <= relied,
        (_, CellType::Bits(_)) => false,
        _ => true,
    }
}

fn side_findings(bus: &Bus, ports: &[(&str, &Port)], findings: &mut Vec<Finding>) {
    let has = |kinds: &[PortKind]| ports.iter().any(|(_, port)| kinds.contains(&port.kind));
    let names = || {
        let names: Vec<String> =
            ports.iter().map(|(chip, port)| format!("`{chip}.{}`", port.name)).collect();
        names.join(", ")
    };
    let both = [PortKind::Memory, PortKind::Witness];
    let missing = match bus.kind {
        BusKind::Lookup if !has(&[PortKind::Table]) => "provides a table",
        BusKind::Permutation if has(&both) => return,
        BusKind::Permutation if !has(&[PortKind::Send]) => "sends",
        BusKind::Permutation if !has(&[PortKind::Receive]) => "receives",
        _ => return,
    };
    let message = format!("no chip {missing} on bus `{}`, which {} uses", bus.name, names());
    let help = format!("help: add the chip that {missing} there to the machine");
    findings.push(error(message, ports.first().map(|(_, port)| *port), &[help]));
}

const fn word(kind: BusKind) -> &'static str {
    match kind {
        BusKind::Lookup => "lookup",
        BusKind::Permutation => "permutation",
    }
}
