//! The table of the documentation.

use chipwright_mips::machine::roles::{markdown, without_one_role};

use crate::machine_ir;

#[test]
fn m_13_every_chip_plays_one_role() {
    assert_eq!(without_one_role(machine_ir()), [""; 0]);
    let table = markdown(machine_ir());
    let rows = table.lines().count() - 2;
    assert_eq!(rows, machine_ir().chips.len(), "a row for each chip:\n{table}");
    if std::env::var_os("SHOW").is_some() {
        println!("{table}");
    }
}
