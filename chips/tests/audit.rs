//! The audit of every standard chip: no forgery escapes, and almost every rule is needed.

use chipwright_chips::{CatalogEntry, catalog};
use chipwright_ir::Field;
use chipwright_ir::audit::{AuditOptions, ChipAudit, audit};

fn audited(entry: &CatalogEntry) -> ChipAudit {
    let options = AuditOptions { forgeries: 1_000, ..AuditOptions::default() };
    audit(&entry.machine(), &entry.chip.name, &entry.inputs(options.seed), &options)
        .unwrap_or_else(|error| panic!("{}: {error}", entry.chip.name))
}

#[test]
fn every_chip_passes_its_audit() {
    let (mut deletions, mut caught) = (0, 0);
    let mut complaints = Vec::new();
    for entry in catalog(Field::Goldilocks2) {
        let audit = audited(&entry);
        deletions += audit.findings.deletions;
        caught += audit.findings.caught;
        let of_chip = |text| format!("{}: {text}", audit.name);
        complaints.extend(audit.complaints().into_iter().map(of_chip));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(caught * 100 >= deletions * 95, "{caught} of {deletions} deletions caught");
}
