//! Properties of random chips: the text form reads back, and passes keep what a chip accepts.

#[path = "chip/random.rs"]
mod random;

use chipwright_ir::chip::parse::parse;
use chipwright_ir::chip::passes::{lower_degree, pack_lookups, remove_unused, share_common};
use chipwright_ir::chip::{Chip, ColumnKind, Section};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{
    ChipRows, FillOptions, Machine, MachineInput, Report, check, fill_with,
};
use proptest::prelude::*;

/// Fills a chip alone and checks it.
fn report(chip: &Chip, rows: &[Vec<u64>]) -> Report {
    let mut machine = Machine::new("test", chip.field);
    machine.chips.push(chip.clone());
    let input = MachineInput {
        rows: vec![(chip.name.clone(), ChipRows::from(rows.to_vec()))],
        publics: vec![(chip.name.clone(), vec![3])],
        ..MachineInput::default()
    };
    let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
    let trace = fill_with::<Goldilocks2>(&machine, &input, &options)
        .unwrap_or_else(|errors| panic!("{errors}\n{chip}"));
    check::<Goldilocks2>(&machine, &trace)
}

/// The rows on which something fails, whatever the rule, and the tuples that do not balance.
fn outcome(report: &Report) -> (bool, Vec<(Vec<u64>, i128)>) {
    let tuples = report.tuples.iter().map(|t| (t.tuple.clone(), t.balance)).collect();
    (report.failing_rules > 0, tuples)
}

fn degree_of_messages(chip: &Chip) -> usize {
    let degrees = chip.graph.degrees(&chip.columns);
    let of = |interaction: &chipwright_ir::chip::Interaction| {
        let elements = interaction.message.iter().map(|node| degrees[node.index()]).max();
        (1 + elements.unwrap_or(0)).max(degrees[interaction.count.index()])
    };
    chip.interactions.iter().map(of).max().unwrap_or(0)
}

fn same_outcome(pass: &str, before: &Chip, after: &Chip, rows: &[Vec<u64>]) {
    assert_eq!(after.malformation(), None, "{pass}\n{after}");
    let (old, new) = (report(before, rows), report(after, rows));
    assert_eq!(outcome(&old), outcome(&new), "{pass}\n{before}\n{after}\n{rows:?}\n{old}\n{new}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(1500),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_text_form_reads_back(seed in random::seeds()) {
        let chip = random::any_chip(&seed);
        prop_assert_eq!(chip.malformation(), None);
        let text = chip.to_string();
        let normal = chip.normalise();
        match parse(&chip.normalise().to_string()) {
            Ok(read) => prop_assert_eq!(&read, &normal, "{}", normal),
            Err(error) => prop_assert!(false, "{}\n{}", error, normal),
        }
        // Names aside, which normalisation makes unique, the chip itself reads back as well.
        if chip.columns == normal.columns {
            prop_assert_eq!(parse(&text).map_err(|error| error.to_string()), Ok(normal.clone()));
        }
        prop_assert_eq!(normal.normalise(), normal);
    }

    #[test]
    fn simplifying_keeps_what_a_chip_accepts(
        seed in random::seeds(),
        numbers in random::seeds(),
    ) {
        let chip = random::polynomial_chip(&seed);
        let rows = random::rows(&numbers);
        let shared = share_common(&chip);
        same_outcome("share-common", &chip, &shared, &rows);
        prop_assert_eq!(share_common(&shared), shared);
        same_outcome("remove-unused", &chip, &remove_unused(&chip), &rows);
        same_outcome("pack-lookups", &chip, &pack_lookups(&chip, 8), &rows);
    }

    #[test]
    fn lowering_degrees_keeps_what_a_chip_accepts(
        seed in random::seeds(),
        numbers in random::seeds(),
        max in 2_usize..6,
    ) {
        let chip = random::polynomial_chip(&seed);
        match lower_degree(&chip, max) {
            Ok(lowered) => {
                prop_assert!(lowered.degree() <= max, "{}\n{}", chip, lowered);
                prop_assert!(degree_of_messages(&lowered) <= max, "{}\n{}", chip, lowered);
                same_outcome("lower-degree", &chip, &lowered, &random::rows(&numbers));
                prop_assert_eq!(lower_degree(&lowered, max), Ok(lowered));
            }
            // Only guards of this row times bodies of the next can be stuck.
            Err(error) => {
                let step = chip.rules.iter().any(|rule| rule.section == Section::Step);
                prop_assert!(step || max == 2, "{}\n{}", error, chip);
            }
        }
    }

    #[test]
    fn a_wrong_value_in_a_new_column_is_caught(
        seed in random::seeds(),
        numbers in random::seeds(),
        row in 0_usize..4,
    ) {
        let chip = random::polynomial_chip(&seed);
        let Ok(lowered) = lower_degree(&chip, 3) else { return Ok(()) };
        for column in lowered.columns_of(ColumnKind::Scratch) {
            let mut machine = Machine::new("test", lowered.field);
            machine.chips.push(lowered.clone());
            let forge = chipwright_ir::machine::Forge {
                chip: lowered.name.clone(),
                row,
                column,
                value: 123_456_789,
            };
            let input = MachineInput {
                rows: vec![(lowered.name.clone(), random::rows(&numbers).into())],
                publics: vec![(lowered.name.clone(), vec![3])],
                ..MachineInput::default()
            };
            let options = FillOptions { forge: vec![forge], ..FillOptions::default() };
            let trace = fill_with::<Goldilocks2>(&machine, &input, &options).unwrap();
            prop_assert!(check::<Goldilocks2>(&machine, &trace).failing_rules > 0);
        }
    }
}

/// How many cases to try; `CHIPWRIGHT_CASES` multiplies it for a soak.
fn cases(usual: u32) -> u32 {
    let factor = std::env::var("CHIPWRIGHT_CASES").ok().and_then(|text| text.parse().ok());
    usual * factor.unwrap_or(1)
}
