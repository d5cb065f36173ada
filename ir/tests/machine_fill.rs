//! Filling and checking small machines, written in the text form.

use std::sync::Arc;

use chipwright_ir::chip::parse::parse_machine;
use chipwright_ir::chip::{FillOp, NativeCall, NativeFn};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{
    ChipRows, FillError, FillErrors, FillOptions, Forge, Machine, MachineInput, MachineTrace,
    MemoryCell, Report, check, fill, fill_with,
};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

const ADD: &str = "
machine adder over goldilocks^2 {
  chip user over goldilocks^2 {
    x: record u32 c0..c2
    y: record u32 c2..c4
    z: u32 c4..c6
    real: real bit c6
    port add: lookup add32(a0: u16, a1: u16, b0: u16, b1: u16, s0: u16, s1: u16)
    row {
      fill z[0], z[1] = call add(x[0], x[1], y[0], y[1]) when real
      eq real * real, real                                   ; from padding
      lookup add(x[0], x[1], y[0], y[1], z[0], z[1]) times real
    }
    step { eq next.real, real * next.real                    ; from padding }
    }
  }
  chip add32 over goldilocks^2 {
    a: input u32 c0..c2
    b: input u32 c2..c4
    sum: output u32 c4..c6
    carry: [bit; 2] c6..c8
    real: real bit c8
    calls: multiplicity felt c9
    port u16: lookup u16(value: u16)
    port add32: table add32(a0: u16, a1: u16, b0: u16, b1: u16, s0: u16, s1: u16)
    row {
      %0 = a[0] + b[0]
      fill sum[0], carry[0] = split(%0, 16, 1)
      eq %0, sum[0] + 65536 * carry[0]                       ; limb[0]
      %1 = a[1] + b[1] + carry[0]
      fill sum[1], carry[1] = split(%1, 16, 1)
      eq %1, sum[1] + 65536 * carry[1]                       ; limb[1]
      eq carry[0] * carry[0], carry[0]                       ; from type
      eq carry[1] * carry[1], carry[1]                       ; from type
      eq real * real, real                                   ; from padding
      eq calls * real, calls                                 ; from interface
      lookup u16(sum[0]) times real                          ; from type: sum[0]
      lookup u16(sum[1]) times real                          ; from type: sum[1]
      provide add32(a[0], a[1], b[0], b[1], sum[0], sum[1]) times calls
    }
    step {
      eq next.real, real * next.real                         ; from padding
    }
  }
  chip range16 over goldilocks^2, dense {
    value: fixed u16 c0
    asked: multiplicity felt c1
    port u16: table u16(value: u16)
    contents value = 0..65536
    row { provide u16(value) times asked }
  }
}";

const FIBONACCI: &str = "
machine fibonacci over goldilocks^2 {
  chip fib over goldilocks^2, dense {
    a: felt c0
    b: felt c1
    public start[0]
    public start[1]
    public result
    first {
      fill a = start[0]
      fill b = start[1]
      eq a, start[0]
      eq b, start[1]
    }
    step {
      fill next.a = b
      fill next.b = a + b
      eq next.a, b
      eq next.b, a + b   ; the sum
    }
    last { eq b, result }
  }
}";

const MEMORY: &str = "
machine memory over goldilocks^2 {
  chip cpu over goldilocks^2 {
    time: record felt c0
    address: record felt c1
    value: record felt c2
    write: record bit c3
    before: felt c4
    old: felt c5
    real: real bit c6
    port ram: memory ram(address: felt, time: felt, value: felt)
    row {
      fill before, old = access ram(address) at time set (value) when real
      eq old * (1 - write), value * (1 - write)   ; a read keeps the value
      eq write * write, write
      eq real * real, real
      receive ram(address, before, old) times real
      send ram(address, time, value) times real
    }
    step { eq next.real, real * next.real
    }
  }
  chip ram over goldilocks^2, memory of ram {
    address: record felt c0
    time: record felt c1
    final: record felt c2
    initial: record felt c3
    real: real bit c4
    port ram: memory ram(address: felt, time: felt, value: felt)
    row {
      eq real * real, real
      send ram(address, 0, initial) times real
      receive ram(address, time, final) times real
    }
    step { eq next.real, real * next.real
    }
  }
}";

fn machine(text: &str) -> Machine {
    parse_machine(text).unwrap_or_else(|error| panic!("{error}"))
}

fn input(rows: &[(&str, &[&[u64]])]) -> MachineInput {
    let chip_rows = |rows: &[&[u64]]| rows.iter().map(|r| r.to_vec()).collect::<ChipRows>();
    MachineInput {
        rows: rows.iter().map(|(chip, rows)| ((*chip).to_owned(), chip_rows(rows))).collect(),
        ..MachineInput::default()
    }
}

fn filled(machine: &Machine, input: &MachineInput) -> MachineTrace<Goldilocks> {
    fill::<Goldilocks2>(machine, input).unwrap_or_else(|errors| panic!("{errors}"))
}

fn forged(machine: &Machine, input: &MachineInput, chip: &str, row: usize, cell: &str) -> Report {
    let columns = &machine.chips[machine.position(chip).unwrap()].columns;
    let column = columns.iter().position(|column| column.name == cell).unwrap();
    let column = chipwright_ir::chip::ColumnId::new(column);
    let forge = Forge { chip: chip.to_owned(), row, column, value: 77_777 };
    let options = FillOptions { forge: vec![forge], ..FillOptions::default() };
    let trace = fill_with::<Goldilocks2>(machine, input, &options)
        .unwrap_or_else(|errors| panic!("{errors}"));
    check::<Goldilocks2>(machine, &trace)
}

fn row(trace: &MachineTrace<Goldilocks>, table: usize, row: usize) -> Vec<u64> {
    trace.tables[table].row(row).iter().map(PrimeField64::as_canonical_u64).collect()
}

fn sums() -> MachineInput {
    input(&[("user", &[&[65535, 1, 1, 2], &[3, 0, 4, 0], &[65535, 1, 1, 2]])])
}

#[test]
fn a_called_chip_gets_one_row_for_each_distinct_tuple() {
    let machine = machine(ADD);
    let trace = filled(&machine, &sums());
    assert_eq!(row(&trace, 0, 0), [65535, 1, 1, 2, 0, 4, 1]);
    assert_eq!((trace.tables[1].height, trace.tables[1].real_rows), (2, 2));
    assert_eq!(row(&trace, 1, 0), [65535, 1, 1, 2, 0, 4, 1, 0, 1, 2]);
    assert_eq!(row(&trace, 1, 1), [3, 0, 4, 0, 7, 0, 0, 0, 1, 1]);
    // The limbs 0 and 4, 7 and 0.
    assert_eq!([0, 4, 7, 8].map(|r| row(&trace, 2, r)[0]), [2, 1, 1, 0]);
    let report = check::<Goldilocks2>(&machine, &trace);
    assert!(report.is_ok(), "{report}");
}

#[test]
fn every_forged_cell_of_the_adder_is_caught() {
    let machine = machine(ADD);
    for (chip, cells) in [
        ("add32", &["sum[0]", "sum[1]", "carry[0]", "carry[1]", "real", "calls"][..]),
        ("user", &["z[0]", "z[1]", "real"]),
        ("range16", &["asked"]),
    ] {
        for cell in cells {
            let report = forged(&machine, &sums(), chip, 0, cell);
            assert!(!report.is_ok(), "{chip}.{cell}");
        }
    }
}

#[test]
fn a_report_names_rule_formula_cells_and_parties() {
    let report = forged(&machine(ADD), &sums(), "add32", 0, "sum[1]");
    insta::assert_snapshot!(report, @r"
    error[R0001]: rule `limb[1]` of chip `add32` fails on row 0
       = 4 ≠ 77777
       = a[1] = 1, b[1] = 2, carry[0] = 1, sum[1] = 77777, carry[1] = 0
       = rule: a[1] + b[1] + carry[0] = sum[1] + 65536·carry[1]

    error[B0001]: bus `u16` does not balance
       | (77777)  asked 1×  by add32.u16 (sum[1]), row 0
       |          given 0×  by range16
       = help: (77777) is no entry of `range16`

    failures of rules: 1, tuples that do not balance: 1
    ");
}

#[test]
fn rows_that_depend_on_the_row_above_are_filled_in_order() {
    let machine = machine(FIBONACCI);
    let mut input = input(&[("fib", &[&[], &[], &[], &[]])]);
    input.publics.push(("fib".to_owned(), vec![1, 1, 5]));
    let trace = filled(&machine, &input);
    assert_eq!([0, 1, 2, 3].map(|r| row(&trace, 0, r)), [[1, 1], [1, 2], [2, 3], [3, 5]]);
    assert!(check::<Goldilocks2>(&machine, &trace).is_ok());
    let report = forged(&machine, &input, "fib", 2, "a");
    assert_eq!(
        report.rules.iter().map(|f| (&*f.name, f.row)).collect::<Vec<_>>(),
        [("rule 2", 1), ("rule 4", 3),]
    );
}

/// Rules are first evaluated on packs of rows. A forged cell breaks the rules of the row above it, of its own
/// row, or of both, wherever it stands in its pack.
#[test]
fn a_forged_cell_is_found_in_every_row_of_a_high_table() {
    const ROWS: usize = 64;
    let machine = machine(FIBONACCI);
    let values: Vec<Goldilocks> = (0..=ROWS)
        .scan([Goldilocks::ONE; 2], |[a, b], _| {
            let this = *a;
            [*a, *b] = [*b, *a + *b];
            Some(this)
        })
        .collect();
    let mut input = input(&[("fib", &[&[][..]; ROWS])]);
    let publics = vec![1, 1, values[ROWS].as_canonical_u64()];
    input.publics.push(("fib".to_owned(), publics));
    for forged_row in 0..ROWS {
        let mut trace = filled(&machine, &input);
        assert!(check::<Goldilocks2>(&machine, &trace).is_ok());
        trace.tables[0].values[2 * forged_row] += Goldilocks::ONE;
        let report = check::<Goldilocks2>(&machine, &trace);
        let failures: Vec<_> = report.rules.iter().map(|f| (f.rule, f.row)).collect();
        let above = forged_row.checked_sub(1).map(|row| (2, row));
        let first = (forged_row == 0).then_some((0, 0));
        let below = (forged_row + 1 < ROWS).then_some((3, forged_row));
        let expected: Vec<_> = [first, above, below].into_iter().flatten().collect();
        assert_eq!(failures, expected, "row {forged_row}");
    }
}

/// A chip whose rows need no other row, and more rows than one thread fills at a time.
fn squares() -> (Machine, MachineInput) {
    let text = "machine squares over goldilocks^2 { chip squares over goldilocks^2, dense {
      x: record felt c0
      y: felt c1
      z: felt c2
      row {
        fill y = x * x
        fill z = y + 1
        eq y, x * x
        eq z, y + 1
      }
    } }";
    let rows = (0..1024).map(|x| [x]).collect::<ChipRows>();
    let input = MachineInput { rows: vec![("squares".into(), rows)], ..MachineInput::default() };
    (machine(text), input)
}

#[test]
fn rows_that_need_no_other_are_filled_apart() {
    let (machine, input) = squares();
    let trace = filled(&machine, &input);
    for x in 0..1024_u64 {
        assert_eq!(row(&trace, 0, x as usize), [x, x * x, x * x + 1]);
    }
    // What is filled after a forged cell is computed from it.
    let report = forged(&machine, &input, "squares", 700, "y");
    insta::assert_snapshot!(report, @r"
    error[R0001]: rule `rule 0` of chip `squares` fails on row 700
       = 77777 ≠ 490000
       = y = 77777, x = 700
       = rule: y = x·x


    failures of rules: 1, tuples that do not balance: 0
    ");
}

/// Rows are filled apart in packs, and the last pack of these is not full. Integers, guards, inverses, fixed and
/// periodic cells differ from lane to lane.
#[test]
fn rows_in_packs_are_filled_like_single_rows() {
    const ROWS: u64 = 1003;
    let machine = machine(
        "machine lanes over goldilocks^2 { chip lanes over goldilocks^2 {
          x: record felt c0
          low: felt c1
          high: felt c2
          few: felt c3
          quotient: felt c4
          seldom: felt c5
          turn: periodic felt c6
          contents turn = 1, 2, 3, 4
          row {
            fill low, high = split(x, 4, 12)
            fill few = select((int(low) less #7), #1, int(high) + #2)
            fill quotient = inverse(x + 1)
            fill seldom = x * turn when low
          }
        } }",
    );
    let rows = (0..ROWS).map(|x| [x]).collect::<ChipRows>();
    let input = MachineInput { rows: vec![("lanes".into(), rows)], ..MachineInput::default() };
    let trace = filled(&machine, &input);
    for x in 0..ROWS {
        let (low, high) = (x % 16, x / 16);
        let few = if low < 7 { 1 } else { high + 2 };
        let quotient = Goldilocks::from_u64(x + 1).inverse().as_canonical_u64();
        let seldom = if low == 0 { 0 } else { x * (x % 4 + 1) };
        assert_eq!(row(&trace, 0, x as usize), [x, low, high, few, quotient, seldom], "row {x}");
    }
}

#[test]
fn padding_repeats_with_the_periodic_columns() {
    let machine = machine(
        "machine beat over goldilocks^2 { chip beat over goldilocks^2 {
          x: record felt c0
          sum: felt c1
          slow: periodic felt c2
          fast: periodic felt c3
          contents slow = 1, 2, 3, 4
          contents fast = 10, 20
          row {
            fill sum = x + slow + fast
          }
        } }",
    );
    for rows in [0, 1, 3, 6] {
        let records = (0..rows).map(|_| [100]).collect::<ChipRows>();
        let input =
            MachineInput { rows: vec![("beat".into(), records)], ..MachineInput::default() };
        let options = FillOptions { min_height: 32, ..FillOptions::default() };
        let trace = fill_with::<Goldilocks2>(&machine, &input, &options).expect("it is filled");
        for at in 0..32 {
            let x = if at < rows { 100 } else { 0 };
            let beat = [11, 22, 13, 24][at as usize % 4];
            assert_eq!(row(&trace, 0, at as usize), [x, x + beat], "row {at}, {rows} given");
        }
    }
}

#[test]
fn native_functions_that_fail_are_reported_in_the_order_of_their_rows() {
    let (mut machine, input) = squares();
    let square = &mut machine.chips[0].fills[0];
    let FillOp::Set { cell, value } = square.op else { panic!("{square:?}") };
    let call: NativeCall = Arc::new(|inputs, outputs| {
        outputs[0] = inputs[0];
        if matches!(inputs[0], 9 | 90_000 | 1_000_000) {
            Err(format!("{} is not liked", inputs[0]))
        } else {
            Ok(())
        }
    });
    let function = NativeFn { name: "likes".into(), call };
    square.op = FillOp::Native { cells: vec![cell], inputs: vec![value], function };
    insta::assert_snapshot!(fill::<Goldilocks2>(&machine, &input).unwrap_err(), @r"
    row 3 of chip `squares`: `likes` failed: 9 is not liked
    row 300 of chip `squares`: `likes` failed: 90000 is not liked
    row 1000 of chip `squares`: `likes` failed: 1000000 is not liked
    ");
}

#[test]
fn a_dense_chip_needs_a_power_of_two_of_rows() {
    let machine = machine(FIBONACCI);
    let mut input = input(&[("fib", &[&[], &[], &[]])]);
    input.publics.push(("fib".to_owned(), vec![1, 1, 5]));
    let errors = fill::<Goldilocks2>(&machine, &input).unwrap_err();
    assert_eq!(errors.errors, [FillError::NotDense { chip: "fib".into(), rows: 3, least: 1 }]);
}

#[test]
fn a_memory_remembers_what_was_written_last() {
    let machine = machine(MEMORY);
    let mut input = input(&[("cpu", &[&[1, 9, 5, 1], &[2, 9, 5, 0], &[3, 8, 40, 0]])]);
    let initial = MemoryCell { address: vec![8], value: vec![40] };
    input.memory.push(("ram".to_owned(), vec![initial]));
    let trace = filled(&machine, &input);
    assert_eq!([0, 1, 2].map(|r| row(&trace, 0, r)[4..6].to_vec()), [[0, 0], [1, 5], [0, 40]]);
    assert_eq!(row(&trace, 1, 0), [8, 3, 40, 40, 1]);
    assert_eq!(row(&trace, 1, 1), [9, 2, 5, 0, 1]);
    let report = check::<Goldilocks2>(&machine, &trace);
    assert!(report.is_ok(), "{report}");
    assert!(!forged(&machine, &input, "cpu", 1, "old").is_ok());
    assert!(!forged(&machine, &input, "ram", 0, "final").is_ok());
}

fn errors(machine: &str, input: &MachineInput) -> FillErrors {
    fill::<Goldilocks2>(&self::machine(machine), input).unwrap_err()
}

#[test]
fn inputs_that_do_not_fit_are_typed_errors() {
    let listed = |input: MachineInput| errors(ADD, &input).to_string();
    insta::assert_snapshot!(listed(input(&[("nobody", &[])])), @"the machine has no chip `nobody`");
    insta::assert_snapshot!(listed(input(&[("user", &[&[1, 2, 3]]), ("user", &[])])), @r"
    row 0 of chip `user` has 3 values; its record has 4 cells
    the rows of chip `user` are given twice
    ");
    insta::assert_snapshot!(listed(input(&[("user", &[&[u64::MAX, 0, 0, 0]])])), @"row 0 of chip `user`: 18446744073709551615 for `x[0]` is not a canonical field element");
    insta::assert_snapshot!(
        listed(MachineInput { publics: vec![("user".into(), vec![1])], ..MachineInput::default() }),
        @"chip `user` has 0 public values; 1 were given"
    );
}

#[test]
fn a_lookup_of_something_that_is_no_entry_is_an_error() {
    let text = ADD.replace("lookup u16(sum[0])", "lookup u16(sum[0] + 65536)");
    insta::assert_snapshot!(errors(&text, &sums()), @r"
    row 0 of chip `add32`, port `u16`: [65536] is no entry of bus `u16`
    row 1 of chip `add32`, port `u16`: [65543] is no entry of bus `u16`
    ");
}

#[test]
fn chips_that_call_each_other_in_a_cycle_are_an_error() {
    let text = "machine loop over goldilocks^2 { chip a over goldilocks^2 {
      x: input felt c0
      y: output felt c1
      port me: lookup a(x: felt, y: felt)
      port a: table a(x: felt, y: felt)
      calls: multiplicity felt c2
      row {
        fill y = call me(x + 1)
        provide a(x, y) times calls
      }
    } }";
    let found = errors(text, &input(&[("a", &[&[1]])]));
    assert_eq!(found.errors, [FillError::CallCycle { chip: "a".into() }]);
}
