//! The table of the documentation.

use std::fs;
use std::path::Path;

use chipwright_mips::machine::roles::{markdown, without_one_role};

use crate::machine_ir;

#[test]
fn m_13_every_chip_plays_one_role() {
    assert_eq!(without_one_role(machine_ir()), [""; 0]);
    let table = markdown(machine_ir());
    let rows = table.lines().count() - 2;
    assert_eq!(rows, machine_ir().chips.len(), "a row for each chip:\n{table}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mips.md");
    let page = fs::read_to_string(page).expect("the page is there");
    assert!(page.contains(&table), "docs/mips.md is stale; the table is\n{table}");
}
