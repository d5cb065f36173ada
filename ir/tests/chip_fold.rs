//! Folded chips: what they are, and that they accept what the chip accepts, on the same bytes.

#[path = "chip/random.rs"]
mod random;

use chipwright_ir::chip::parse::parse;
use chipwright_ir::chip::passes::{FoldError, MAX_FOLDED_COLUMNS, fold, fuse, open_exclusive};
use chipwright_ir::chip::{Chip, ColumnKind, FixedData};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{Machine, MachineTrace, Report, Table, check};
use chipwright_ir::{FieldPair, with_field};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;
use proptest::prelude::*;

fn chip(body: &str) -> Chip {
    let text = format!("chip test over goldilocks^2 {{ {body} }}");
    parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn folded(body: &str, copies: usize) -> String {
    let chip = fold(&chip(body), copies).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(chip.malformation(), None);
    chip.to_string()
}

/// What does not hold of a table.
fn report<P: FieldPair>(chip: &Chip, height: usize, values: &[P::Base]) -> Report {
    let mut machine = Machine::new("test", chip.field);
    machine.chips.push(chip.clone());
    let table = Table { height, width: chip.width(), values: values.to_vec(), real_rows: height };
    let publics = vec![chip.publics.iter().map(|_| P::Base::from_u64(3)).collect()];
    check::<P>(&machine, &MachineTrace { tables: vec![table], publics })
}

/// How often a rule fails, and every tuple that does not balance.
fn outcome(report: &Report) -> (usize, usize, Vec<(Vec<u64>, i128)>) {
    assert_eq!(report.shape, [] as [String; 0]);
    let tuples = report.tuples.iter().map(|t| (t.tuple.clone(), t.balance)).collect();
    (report.failing_rules, report.unbalanced_tuples, tuples)
}

#[test]
fn fold_rules_of_all_sections() {
    let body = "
      n: felt          c0
      real: real bit   c1
      public end
      row { eq real * real, real ; bit
      }
      first { eq n, 0 }
      step {
        eq next.real, real * next.real ; padding comes last
        eq next.n, n + 1 when next.real
      }
      last { eq n, end when real }";
    insta::assert_snapshot!(folded(body, 3), @r"
    ; 3 rows of `test` in one.
    chip test over goldilocks^2 {
      copy0.n: felt                    c0
      copy0.real: real bit             c1
      copy1.n: felt                    c2
      copy1.real: real bit             c3
      copy2.n: felt                    c4
      copy2.real: real bit             c5
      public end
      row {
        eq copy0.real * copy0.real, copy0.real       ; bit
        eq copy1.real, copy0.real * copy1.real       ; padding comes last
        eq copy1.n, copy0.n + 1 when copy1.real
        eq copy1.real * copy1.real, copy1.real       ; bit
        eq copy2.real, copy1.real * copy2.real       ; padding comes last
        eq copy2.n, copy1.n + 1 when copy2.real
        eq copy2.real * copy2.real, copy2.real       ; bit
      }
      first {
        eq copy0.n, 0
      }
      step {
        eq next.copy0.real, copy2.real * next.copy0.real ; padding comes last
        eq next.copy0.n, copy2.n + 1 when next.copy0.real
      }
      last {
        eq copy2.n, end when copy2.real
      }
    }
    ; 6 columns, 11 rules (max degree 3)
    ");
}

#[test]
fn fold_messages_in_groups_of_their_own() {
    let body = "
      f: record bit c0
      g: record bit c1
      port bus: send bus(value: felt)
      port other: receive other(value: felt)
      row {
        send bus(f + 1) times f exclusive 0
        send bus(5) times g exclusive 0
        receive other(next.f) times g
      }";
    insta::assert_snapshot!(folded(body, 2), @r"
    ; 2 rows of `test` in one.
    chip test over goldilocks^2 {
      copy0.f: record bit              c0
      copy0.g: record bit              c1
      copy1.f: record bit              c2
      copy1.g: record bit              c3
      port bus: send bus(value: felt)
      port other: receive other(value: felt)
      row {
        send bus(copy0.f + 1) times copy0.f exclusive 0
        send bus(5) times copy0.g exclusive 0
        receive other(copy1.f) times copy0.g
        send bus(copy1.f + 1) times copy1.f exclusive 1
        send bus(5) times copy1.g exclusive 1
        receive other(next.copy0.f) times copy1.g
      }
    }
    ; 4 columns, 0 rules (max degree 0), 4 sends, 2 receives
    ");
}

#[test]
fn fold_fixed_and_periodic_columns_row_by_row() {
    let body = "
      key: fixed felt      c0
      turn: periodic felt  c1
      phase: periodic felt c2
      x: felt              c3
      contents key = 0..8
      contents turn = 1, 2, 3, 4, 5, 6, 7, 8
      contents phase = 10, 20
      row { eq x, key + turn * phase }";
    insta::assert_snapshot!(folded(body, 4), @r"
    ; 4 rows of `test` in one.
    chip test over goldilocks^2 {
      copy0.key: fixed felt            c0
      copy0.turn: periodic felt        c1
      copy0.x: felt                    c2
      copy1.key: fixed felt            c3
      copy1.turn: periodic felt        c4
      copy1.x: felt                    c5
      copy2.key: fixed felt            c6
      copy2.turn: periodic felt        c7
      copy2.x: felt                    c8
      copy3.key: fixed felt            c9
      copy3.turn: periodic felt        c10
      copy3.x: felt                    c11
      contents copy0.key = 0, 4
      contents copy1.key = 1, 5
      contents copy2.key = 2, 6
      contents copy3.key = 3, 7
      contents copy0.turn = 1, 5
      contents copy1.turn = 2, 6
      contents copy2.turn = 3, 7
      contents copy3.turn = 4, 8
      row {
        eq copy0.x, copy0.key + copy0.turn * 10
        eq copy1.x, copy1.key + copy1.turn * 20
        eq copy2.x, copy2.key + copy2.turn * 10
        eq copy3.x, copy3.key + copy3.turn * 20
      }
    }
    ; 12 columns, 4 rules (max degree 1)
    ");
    // Three copies: each sees the whole period, from another place on.
    insta::assert_snapshot!(folded(body, 3), @r"
    ; 3 rows of `test` in one.
    chip test over goldilocks^2 {
      copy0.key: fixed felt            c0
      copy0.turn: periodic felt        c1
      copy0.phase: periodic felt       c2
      copy0.x: felt                    c3
      copy1.key: fixed felt            c4
      copy1.turn: periodic felt        c5
      copy1.phase: periodic felt       c6
      copy1.x: felt                    c7
      copy2.key: fixed felt            c8
      copy2.turn: periodic felt        c9
      copy2.phase: periodic felt       c10
      copy2.x: felt                    c11
      contents copy0.key = 0, 3, 6
      contents copy1.key = 1, 4, 7
      contents copy2.key = 2, 5, 0
      contents copy0.turn = 1, 4, 7, 2, 5, 8, 3, 6
      contents copy0.phase = 10, 20
      contents copy1.turn = 2, 5, 8, 3, 6, 1, 4, 7
      contents copy1.phase = 20, 10
      contents copy2.turn = 3, 6, 1, 4, 7, 2, 5, 8
      contents copy2.phase = 10, 20
      row {
        eq copy0.x, copy0.key + copy0.turn * copy0.phase
        eq copy1.x, copy1.key + copy1.turn * copy1.phase
        eq copy2.x, copy2.key + copy2.turn * copy2.phase
      }
    }
    ; 12 columns, 3 rules (max degree 2)
    ");
}

#[test]
fn fold_of_one_copy_is_the_chip() {
    let chip = chip("x: felt c0 row { fill x = 1 eq x, 1 }");
    assert_eq!(fold(&chip, 1), Ok(chip));
}

#[test]
fn fold_without_copies_or_with_too_many_is_a_typed_error() {
    let chip = chip("x: felt c0 row { eq x, 1 }");
    assert_eq!(fold(&chip, 0), Err(FoldError::NoCopies("test".to_owned())));
    assert!(fold(&chip, MAX_FOLDED_COLUMNS).is_ok());
    for copies in [MAX_FOLDED_COLUMNS + 1, usize::MAX] {
        assert!(matches!(fold(&chip, copies), Err(FoldError::TooWide { .. })));
    }
}

#[test]
fn fold_reports_name_the_copy_and_its_cells() {
    let chip = chip(
        "x: felt c0 y: felt c1 row { eq x, y ; same
 }",
    );
    let folded = fold(&chip, 2).unwrap();
    let values = [1, 1, 2, 2, 3, 3, 4, 5].map(Goldilocks::from_u64);
    let report = report::<Goldilocks2>(&folded, 2, &values);
    let [failure] = &report.rules[..] else { panic!("{report}") };
    assert_eq!((failure.row, failure.name.as_str()), (1, "copy1/same"));
    let cells = [("copy1.x".to_owned(), 4), ("copy1.y".to_owned(), 5)];
    assert_eq!(failure.cells, cells);
}

#[test]
fn exclusive_messages_are_opened_where_a_column_costs_more() {
    let flags = |count: usize, message: &str| {
        let columns: Vec<_> = (0..count).map(|i| format!("f{i}: record bit c{i}\n")).collect();
        let messages: Vec<_> =
            (0..count).map(|i| format!("send bus({message}) times f{i} exclusive 0\n")).collect();
        let ports = "port bus: send bus(value: felt)";
        chip(&format!("{} {ports} row {{ {} }}", columns.concat(), messages.concat()))
    };
    let opened = |count: usize, message: &str, max: usize| {
        let opened = open_exclusive(&flags(count, message), max);
        let messages = opened.interactions.iter();
        messages.map(|message| message.exclusive.is_some()).collect::<Vec<_>>()
    };
    // One message of the column's eight; three take three, selected by flags they take two; of degree 3, nothing
    // is less than the column.
    assert_eq!(opened(1, "f0", 9), [false]);
    assert_eq!(opened(2, "f0", 9), [false]);
    assert_eq!(opened(3, "f0 * f1 * f2", 3), [true, true, true]);
    let varied = chip(
        "f: record bit c0 g: record bit c1 h: record bit c2
         port bus: send bus(value: felt)
         row {
           send bus(g) times f exclusive 0
           send bus(h) times g exclusive 0
           send bus(f) times h exclusive 0
         }",
    );
    insta::assert_snapshot!(open_exclusive(&varied, 9).to_string(), @r"
    chip test over goldilocks^2 {
      f: record bit                    c0
      g: record bit                    c1
      h: record bit                    c2
      port bus: send bus(value: felt)
      row {
        send bus(f * g + g * h + h * f) times f + g + h
      }
    }
    ; 3 columns, 0 rules (max degree 0), 1 send
    ");
    insta::assert_snapshot!(open_exclusive(&varied, 2).to_string(), @r"
    chip test over goldilocks^2 {
      f: record bit                    c0
      g: record bit                    c1
      h: record bit                    c2
      port bus: send bus(value: felt)
      row {
        send bus(g) times f exclusive 0
        send bus(h) times g exclusive 0
        send bus(f) times h exclusive 0
      }
    }
    ; 3 columns, 0 rules (max degree 0), 3 sends
    ");
}

/// A table of random cells, many of them alike.
fn table<F: PrimeCharacteristicRing>(numbers: &[u32], cells: usize) -> Vec<F> {
    let values = [0, 0, 0, 1, 1, 2, 3, u32::MAX];
    let number =
        |cell: usize| numbers[cell % numbers.len()].rotate_left((cell / numbers.len()) as u32);
    (0..cells).map(|cell| F::from_u32(values[number(cell) as usize % values.len()])).collect()
}

/// Checks a chip and its folds on the same bytes.
fn same_outcome<P: FieldPair>(chip: &Chip, numbers: &[u32], copies: usize, height: usize) {
    let rows = copies * height;
    // Contents fill the table, as those of a key do: a fold of a chip that is open beyond its contents is refused.
    let mut chip = chip.clone();
    for column in chip.fixed.iter_mut().flat_map(|fixed| &mut fixed.columns) {
        column.resize(column.len().max(rows).next_multiple_of(copies), 0);
    }
    let chip = &chip;
    let values = table::<P::Base>(numbers, rows * chip.width());
    let expected = report::<P>(chip, rows, &values);
    let folded = fold(chip, copies).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(folded.malformation(), None, "{folded}");
    let found = report::<P>(&folded, height, &values);
    assert_eq!(outcome(&expected), outcome(&found), "{copies} copies of\n{chip}\n{folded}");
    // Beside another fold of the same rows, everything fails twice.
    let other = Chip { name: "other".to_owned(), ..folded.clone() };
    let fused = fuse(&[&folded, &other], "fused").unwrap_or_else(|error| panic!("{error}"));
    let width = folded.width().max(1);
    let twice: Vec<P::Base> = values.chunks(width).flat_map(|row| [row, row].concat()).collect();
    let twice = report::<P>(&fused, height, &twice);
    assert_eq!(twice.failing_rules, 2 * expected.failing_rules);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(1000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn fold_accepts_what_the_chip_accepts(
        seed in random::seeds(),
        numbers in random::seeds(),
        copies in 1_usize..8,
        log_height in 0_usize..4,
    ) {
        let chip = random::any_chip(&seed);
        with_field!(chip.field, P => same_outcome::<P>(&chip, &numbers, copies, 1 << log_height));
    }

    #[test]
    fn fold_accepts_valid_rows_and_nothing_else(
        seed in random::seeds(),
        numbers in random::seeds(),
        copies in 2_usize..6,
        cell in any::<prop::sample::Index>(),
    ) {
        // Rules of all sections that hold on many rows.
        let chip = random::polynomial_chip(&seed);
        same_outcome::<Goldilocks2>(&chip, &numbers, copies, 4);
        // Zeros satisfy most chips, and a few rows over and over some; one wrong cell is found in both, or in none.
        let (rows, width) = (4 * copies, chip.width());
        let folded = fold(&chip, copies).unwrap();
        let some: Vec<Goldilocks> =
            random::rows(&numbers).concat().into_iter().map(Goldilocks::from_u64).collect();
        for mut values in [Goldilocks::zero_vec(rows * width), some.repeat(copies)] {
            for wrong in [None, Some(cell.index(rows * width))] {
                if let Some(cell) = wrong {
                    values[cell] = Goldilocks::TWO;
                }
                let written = report::<Goldilocks2>(&chip, rows, &values);
                let folded = report::<Goldilocks2>(&folded, 4, &values);
                prop_assert_eq!(written.is_ok(), folded.is_ok(), "{}", chip);
            }
        }
    }

    #[test]
    fn opened_messages_say_the_same(
        seed in random::seeds(),
        numbers in random::seeds(),
        max in 3_usize..10,
    ) {
        let mut chip = random::any_chip(&seed);
        let opened = open_exclusive(&chip, max);
        prop_assert_eq!(opened.malformation(), None);
        // Nothing ensures that flags of a random chip exclude each other, so nothing is selected by them.
        for message in &mut chip.interactions {
            message.weight = 2;
        }
        let plain = open_exclusive(&chip, max);
        with_field!(chip.field, P => {
            let values = table::<<P as FieldPair>::Base>(&numbers, 4 * chip.width());
            prop_assert_eq!(
                outcome(&report::<P>(&chip, 4, &values)),
                outcome(&report::<P>(&plain, 4, &values))
            );
        });
    }
}

#[test]
fn fold_deals_contents_that_do_not_fill_the_copies() {
    let body = "key: fixed felt c0 x: felt c1 contents key = 0..7 row { eq x, key }";
    let folded = fold(&chip(body), 3).unwrap();
    let expected = [vec![0, 3, 6], vec![1, 4, 0], vec![2, 5, 0]];
    assert_eq!(folded.fixed, Some(FixedData { columns: expected.to_vec() }));
    assert_eq!(folded.columns_of(ColumnKind::Fixed).count(), 3);
}

/// How many cases to try; `CHIPWRIGHT_CASES` multiplies it for a soak.
fn cases(usual: u32) -> u32 {
    let factor = std::env::var("CHIPWRIGHT_CASES").ok().and_then(|text| text.parse().ok());
    usual * factor.unwrap_or(1)
}
