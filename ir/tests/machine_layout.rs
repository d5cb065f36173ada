//! Layouts of machines: their text, what fits them, which one is chosen, and where cells go.

use chipwright_ir::chip::CostParameters;
use chipwright_ir::chip::parse::parse_machine;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::layout::{Apart, Fold, Fusion, ParseLayoutError, Written};
use chipwright_ir::machine::{
    FillOptions, Machine, MachineInput, MachineLayout, MachineLayoutError, check, fill_with,
};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use proptest::prelude::*;

/// A tall chip whose rows follow each other, what it asks, and a dense chip.
fn machine() -> Machine {
    let text = "machine counting over goldilocks^2 {
      chip counter over goldilocks^2 {
        n: felt         c0
        square: felt    c1
        real: real bit  c2
        port squares: lookup squares(n: felt, square: felt)
        row {
          fill square = n * n
          eq square, n * n   eq real * real, real
          lookup squares(n, square) times real
        }
        first { eq n * real, 0 }
        step { fill next.n = n + 1   eq next.n, n + 1 when next.real   eq next.real, real * next.real }
      }
      chip squares over goldilocks^2 {
        n: fixed felt            c0
        asked: multiplicity felt c1
        contents n = 0..64
        port squares: table squares(n: felt, square: felt)
        row { provide squares(n, n * n) times asked }
      }
      chip rows over goldilocks^2, dense {
        x: record felt     c0
        turn: periodic bit c1
        contents turn = 1, 0, 0, 0
        row { eq x, turn }
      }
    }";
    parse_machine(text).unwrap_or_else(|error| panic!("{error}"))
}

fn layout(text: &str) -> MachineLayout {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn input() -> MachineInput {
    let rows = vec![
        ("counter".to_owned(), vec![[0_u64; 0]; 60].into()),
        ("rows".to_owned(), (0..24).map(|row| [u64::from(row % 4 == 0)]).collect()),
    ];
    MachineInput { rows, ..MachineInput::default() }
}

#[test]
fn a_folded_trace_is_right_exactly_if_that_of_the_machine_is() {
    let machine = machine();
    for text in [
        "layout of 2^3 rows\n  counter: 8 copies\n  squares: 8 copies\n  rows: 3 copies",
        // Not a power of two; another order; a chip apart.
        "layout of 2^2 rows\n  squares: 16 copies\n  counter: 15 copies\n  rows: 6 copies",
        "layout of 2^3 rows\n  counter: 9 copies\n  rows: 3 copies\n  squares: apart",
        "layout of 2^3 rows\n  rows: 3 copies\n  counter: apart\n  squares: apart",
    ] {
        let layout = layout(text);
        let fusion = Fusion::new(&machine, &layout, 9).unwrap_or_else(|error| panic!("{error}"));
        let heights = fusion.rows().map(|(chip, rows)| (chip.to_owned(), rows)).collect();
        // Tables that stand apart, and those of dense chips, are as high as they are.
        let options = FillOptions { heights, ..FillOptions::default() };
        let Ok(trace) = fill_with::<Goldilocks2>(&machine, &input(), &options) else {
            panic!("{text}")
        };
        assert!(check::<Goldilocks2>(&machine, &trace).is_ok());
        let folded = fusion.trace(trace.clone()).unwrap();
        let report = check::<Goldilocks2>(&fusion.machine, &folded);
        assert!(report.is_ok(), "{text}\n{report}");
        // Every cell, wrong: found in both, as often.
        for (table, of_table) in folded.tables.iter().enumerate() {
            for at in 0..of_table.values.len() {
                let (row, cell) = (at / of_table.width, at % of_table.width);
                let Written { chip, row: written, cell: place } =
                    fusion.written(table, row, cell).expect("the cell is there");
                let mut wrong = trace.clone();
                let width = wrong.tables[chip].width;
                let value = &mut wrong.tables[chip].values[written * width + place];
                assert_eq!(*value, of_table.values[at]);
                *value += p3_goldilocks::Goldilocks::TWO;
                let mut folded = folded.clone();
                folded.tables[table].values[at] += p3_goldilocks::Goldilocks::TWO;
                let expected = check::<Goldilocks2>(&machine, &wrong);
                let found = check::<Goldilocks2>(&fusion.machine, &folded);
                assert_eq!(expected.failing_rules, found.failing_rules);
                assert_eq!(expected.unbalanced_tuples, found.unbalanced_tuples);
                assert!(!found.is_ok(), "{text}: {chip} {written} {place}");
            }
        }
        assert_eq!(fusion.written(0, 0, folded.tables[0].width), None);
    }
}

#[test]
fn the_padding_bit_falls_once_across_copies_and_rows() {
    let machine = machine();
    let layout = layout("layout of 2^3 rows\n  counter: 8 copies\n  rows: apart\n  squares: apart");
    let fusion = Fusion::new(&machine, &layout, 9).unwrap();
    let heights = vec![("counter".to_owned(), 64)];
    let input = MachineInput {
        rows: vec![
            ("counter".to_owned(), vec![[0_u64; 0]; 21].into()),
            ("rows".to_owned(), vec![[1], [0], [0], [0]].into()),
        ],
        ..MachineInput::default()
    };
    let options = FillOptions { heights, ..FillOptions::default() };
    let trace = fill_with::<Goldilocks2>(&machine, &input, &options).unwrap();
    let folded = fusion.trace(trace).unwrap();
    let table = &folded.tables[0];
    let bits: Vec<u64> =
        (0..64).map(|row| table.row(row / 8)[3 * (row % 8) + 2].as_canonical_u64()).collect();
    assert_eq!(bits, [vec![1; 21], vec![0; 43]].concat());
    assert_eq!(table.real_rows, 3);
    // A bit that rises again: beside the last real copy, in a row of its own, in the first row's second copy.
    for row in [22, 40, 63] {
        let mut wrong = folded.clone();
        wrong.tables[0].values[24 * (row / 8) + 3 * (row % 8) + 2] +=
            p3_goldilocks::Goldilocks::ONE;
        let report = check::<Goldilocks2>(&fusion.machine, &wrong);
        assert!(report.failing_rules > 0, "row {row}");
    }
}

#[test]
fn what_does_not_fit_a_layout_is_a_typed_error() {
    let machine = machine();
    let refused = |text: &str| Fusion::new(&machine, &layout(text), 9).unwrap_err();
    let error = refused("layout of 2^3 rows\n  counter: 8 copies\n  rows: apart");
    assert_eq!(error, MachineLayoutError::Missing("squares".to_owned()));
    let error = refused("layout of 2^3 rows\n  counter: 8 copies\n  counter: apart");
    insta::assert_snapshot!(error, @"the layout names chip `counter`, which it names already");
    let error = refused("layout of 2^3 rows\n  nobody: 8 copies");
    insta::assert_snapshot!(error, @"the layout names chip `nobody`, which does not exist");
    let rest = "\n  counter: 8 copies\n  rows: 3 copies";
    for (text, message) in [
        // Padding would be entries of the table.
        (
            "layout of 2^4 rows\n  squares: 8 copies",
            "chip `squares` have 64 rows; the layout has 128",
        ),
        (
            "layout of 2^2 rows\n  squares: 8 copies",
            "chip `squares` have 64 rows; the layout has 32",
        ),
        ("layout of 2^3 rows\n  squares: 0 copies", "chip `squares` is folded into no copies"),
        ("layout of 2^0 rows\n  squares: 64 copies", "repeats after 4 rows; the layout has 1"),
        ("layout of 2^31 rows\n  squares: 1 copy", "the layout's height is 2^31; 2^0 to 2^30"),
        ("layout of 2^3 rows\n  squares: 18446744073709551615 copies", "at most 65536"),
    ] {
        let error = refused(&format!("{text}{rest}")).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn rows_that_do_not_fit_the_copies_are_errors_of_the_trace() {
    let machine = machine();
    let fill = |chip: &str, height: usize| {
        let options =
            FillOptions { heights: vec![(chip.to_owned(), height)], ..FillOptions::default() };
        let filled = fill_with::<Goldilocks2>(&machine, &input(), &options);
        filled.map(|_| ()).map_err(|errors| errors.to_string())
    };
    // 24 rows are no power of two, which a dense table without a layout would have to have.
    let with_rows = "chip `rows` is dense and has 24 rows; it needs a power of two, at least 1";
    assert_eq!(fill("counter", 60), Err(with_rows.to_owned()));
    assert_eq!(fill("rows", 24), Ok(()));
    insta::assert_snapshot!(fill("rows", 32).unwrap_err(), @"chip `rows` has 24 rows; its table has to have 32, and padding only if it is not dense");
    insta::assert_snapshot!(fill("nobody", 3).unwrap_err(), @"the machine has no chip `nobody`");
}

#[test]
fn the_cheapest_layout_folds_what_is_tall_and_leaves_what_does_not_fit() {
    let machine = machine();
    let choose = |counter: usize, rows: usize, parameters: &CostParameters| {
        let rows = [("counter".to_owned(), counter), ("rows".to_owned(), rows)];
        MachineLayout::choose(&machine, &rows, parameters).unwrap().to_string()
    };
    let prover = CostParameters { opened: 0, level: 0, ..CostParameters::default() };
    let verifier = CostParameters::default();
    insta::assert_snapshot!(choose(1 << 16, 4, &prover), @r"
    layout of 2^2 rows
      counter: 16384 copies
      squares: 16 copies
      rows: 1 copy
    ");
    insta::assert_snapshot!(choose(1 << 16, 4, &verifier), @r"
    layout of 2^11 rows
      counter: 32 copies
      squares: apart
      rows: apart
    ");
    insta::assert_snapshot!(choose(48, 48, &prover), @r"
    layout of 2^0 rows
      counter: 48 copies
      squares: 64 copies
      rows: 48 copies
    ");
    let unknown = MachineLayout::choose(&machine, &[], &prover).unwrap();
    assert!(unknown.rows("counter").is_none() && unknown.rows("rows").is_none());
    // What is chosen, fits.
    for counter in [1, 7, 60, 1000, 70_000] {
        for rows in [4, 8, 12, 4096] {
            for parameters in [prover, verifier] {
                let layout: MachineLayout = choose(counter, rows, &parameters).parse().unwrap();
                layout.check(&machine).unwrap();
                assert!(layout.rows("counter").is_none_or(|held| held >= counter), "{layout}");
                assert!(layout.rows("rows").is_none_or(|held| held == rows), "{layout}");
            }
        }
    }
}

#[test]
fn there_is_no_layout_for_rows_of_nobody_or_without_number() {
    let machine = machine();
    let parameters = CostParameters::default();
    let choose = |chip: &str, rows: usize, parameters: &CostParameters| {
        MachineLayout::choose(&machine, &[(chip.to_owned(), rows)], parameters).map(|_| ())
    };
    assert!(matches!(choose("nobody", 1, &parameters), Err(MachineLayoutError::Chip { .. })));
    let none = Err(MachineLayoutError::NoHeight { low: 0, high: 30 });
    assert_eq!(choose("counter", usize::MAX, &parameters), none);
    let parameters = CostParameters { min_log_height: 9, max_log_height: 8, ..parameters };
    let none = Err(MachineLayoutError::NoHeight { low: 9, high: 8 });
    assert_eq!(choose("counter", 1, &parameters), none);
}

#[test]
fn a_text_that_is_no_layout_says_where() {
    let wrong = |text: &str| text.parse::<MachineLayout>().unwrap_err();
    let ParseLayoutError { line, .. } = wrong("layout of 2^3 rows\n  a: 1 copy\n  b: many copies");
    assert_eq!(line, 3);
    insta::assert_snapshot!(wrong("layout of 2^x rows"), @"line 1: expected `layout of 2^N rows` or separate tables, found `layout of 2^x rows`");
    insta::assert_snapshot!(wrong("layout of 2^3 rows\n  a: -1 copies"), @"line 2: expected `CHIP: N copies` or `CHIP: apart` or `CHIP: apart, 2^N rows`, found `a: -1 copies`");
    insta::assert_snapshot!(wrong(""), @"line 1: expected `layout of 2^N rows` or separate tables, found ``");
    insta::assert_snapshot!(wrong("layout of separate tables\n  a: 2 copies"), @"line 1: expected `layout of 2^N rows`, as tables are folded, found `a`");
}

proptest! {
    #[test]
    fn the_text_of_a_layout_reads_back(
        log_height in any::<usize>(),
        folded in prop::collection::vec(("[a-z .:\\[\\]0-9]{0,9}[a-z]", any::<usize>()), 1..5),
        apart in prop::collection::vec(("[a-z][a-z: ]{0,9}", any::<Option<usize>>()), 0..4),
    ) {
        let fold = |(chip, copies): (String, usize)| Fold { chip: chip.trim().to_owned(), copies };
        let folded = folded.into_iter().map(fold).collect();
        let apart = apart.into_iter().map(|(chip, log_height)| Apart { chip, log_height }).collect();
        let layout = MachineLayout { log_height, folded, apart };
        prop_assert_eq!(layout.to_string().parse(), Ok(layout));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(layout of 2\\^9 rows\n)?[ a-z:0-9\n]{0,40}") {
        let _ = text.parse::<MachineLayout>();
    }
}
