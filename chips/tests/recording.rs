//! The standard chips, as recorded: what they cost, and that honest traces of theirs are right.

use chipwright_chips::{CatalogEntry, catalog, library};
use chipwright_ir::chip::passes::{interface, lower_degree};
use chipwright_ir::machine::{check, fill};
use chipwright_ir::{Field, with_field};

fn entry(name: &str) -> CatalogEntry {
    let mut entries = catalog(Field::Goldilocks2).into_iter();
    entries.find(|entry| entry.chip.name == name).expect("the chip is listed")
}

#[test]
fn the_library_records_over_every_field() {
    for field in Field::ALL {
        assert_eq!(library(field).field(), field);
    }
}

#[test]
fn honest_traces_of_every_chip_obey_its_rules_over_every_field() {
    for field in Field::ALL {
        for entry in catalog(field) {
            let machine = entry.machine();
            for input in entry.inputs(7) {
                let report = with_field!(field, P => {
                    let trace = fill::<P>(&machine, &input)
                        .unwrap_or_else(|errors| panic!("{} over {field}: {errors}", entry.chip.name));
                    check::<P>(&machine, &trace)
                });
                assert!(report.is_ok(), "{} over {field}:\n{report}", entry.chip.name);
            }
        }
    }
}

#[test]
fn no_name_is_listed_twice() {
    let mut names: Vec<String> =
        catalog(Field::Goldilocks2).into_iter().map(|entry| entry.chip.name).collect();
    let listed = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), listed);
    assert!(listed >= 15, "{listed} chips");
}

#[test]
fn every_description_fits_on_a_screen_or_two() {
    for entry in catalog(Field::Goldilocks2) {
        let lines = entry.source_lines;
        assert!((5..=120).contains(&lines), "{}: {lines} lines", entry.chip.name);
    }
}

/// A permutation of `width` elements with a column for each input, each element after each of the 8 full
/// rounds, the first one after each of the 22 partial rounds, and the cube in each S-box: what the
/// hand-written AIR of Plonky3 has with one register an S-box.
#[test]
fn a_permutation_for_degree_three_has_the_columns_of_the_hand_written_one() {
    for width in [8, 12, 16] {
        let chip = entry(&format!("poseidon2_{width}")).chip;
        let lowered = lower_degree(&chip, 3).expect("cubes and products are enough");
        assert_eq!(lowered.degree(), 3);
        assert_eq!(lowered.width(), width + 8 * 2 * width + 22 * 2);
        assert!(chip.real().is_none(), "there is nothing to pad");
    }
}

#[test]
fn called_chips_answer_with_one_more_column() {
    for name in ["add32", "poseidon2_8", "compress"] {
        let chip = entry(name).chip;
        assert_eq!(interface(&chip).width(), chip.width() + 1, "{name}");
    }
}
