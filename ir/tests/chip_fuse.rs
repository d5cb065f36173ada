//! Chips side by side: what the fused chip is, and that it accepts what its parts accept.

use chipwright_ir::chip::parse::parse;
use chipwright_ir::chip::passes::{FuseError, fuse};
use chipwright_ir::chip::verify::{lint, verify};
use chipwright_ir::chip::{Chip, FixedData};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{ChipRows, Machine, MachineInput, MachineTrace, Table, check, fill};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

/// Counts up by one from zero, and sends its number.
const COUNTER: &str = "chip counter over goldilocks^2, dense {
  step: fixed felt      c0
  n: private felt       c1
  public last
  port numbers: send numbers(n: felt)
  first { eq n, 0 }
  row { send numbers(n) times step }
  step { fill next.n = n + 1   eq next.n, n + 1 }
  last { eq n, last }
}";

/// Takes as many numbers, and their squares.
const SQUARER: &str = "chip squarer over goldilocks^2, dense {
  used: fixed bit       c0
  n: record felt        c1
  square: private felt  c2
  port numbers: receive numbers(n: felt)
  row {
    fill square = n * n
    eq square, n * n
    receive numbers(n) times used
  }
}";

fn chip(text: &str, fixed: &[u64]) -> Chip {
    let mut chip = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    chip.fixed = Some(FixedData { columns: vec![fixed.to_vec()] });
    chip
}

fn parts() -> [Chip; 2] {
    [chip(COUNTER, &[1; 4]), chip(SQUARER, &[1; 4])]
}

fn machine(chips: &[Chip]) -> Machine {
    let mut machine = Machine::new("test", chips[0].field);
    machine.chips.extend(chips.iter().cloned());
    machine
}

fn honest(machine: &Machine) -> MachineTrace<Goldilocks> {
    let rows = |rows: Vec<Vec<u64>>| ChipRows::from(rows);
    let input = MachineInput {
        rows: vec![("squarer".to_owned(), rows((0..4).map(|n| vec![n]).collect()))],
        publics: vec![("counter".to_owned(), vec![3])],
        ..MachineInput::default()
    };
    fill::<Goldilocks2>(machine, &input).expect("the machine can be filled")
}

/// The tables side by side.
fn beside(trace: &MachineTrace<Goldilocks>) -> MachineTrace<Goldilocks> {
    let height = trace.tables[0].height;
    let row = |row| trace.tables.iter().flat_map(move |table| table.row(row).to_vec());
    let values = (0..height).flat_map(row).collect();
    let width = trace.tables.iter().map(|table| table.width).sum();
    MachineTrace {
        tables: vec![Table { height, width, values, real_rows: height }],
        publics: vec![trace.publics.concat()],
    }
}

#[test]
fn parts_stand_side_by_side_under_their_names() {
    let [counter, squarer] = parts();
    let fused = fuse(&[&counter, &squarer], "both").unwrap();
    verify(&fused).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(lint(&fused).len(), lint(&counter).len() + lint(&squarer).len());
    insta::assert_snapshot!(fused.to_string(), @r"
    ; Side by side: `counter`, `squarer`.
    chip both over goldilocks^2, dense {
      counter.step: fixed felt         c0
      counter.n: felt                  c1
      squarer.used: fixed bit          c2
      squarer.n: record felt           c3
      squarer.square: felt             c4
      public counter.last
      port numbers: send numbers(n: felt)
      port squarer.numbers: receive numbers(n: felt)
      contents counter.step = 1 * 4
      contents squarer.used = 1 * 4
      row {
        %0 = squarer.n * squarer.n
        fill squarer.square = %0
        eq squarer.square, %0
        send numbers(counter.n) times counter.step
        receive squarer.numbers(squarer.n) times squarer.used
      }
      first {
        eq counter.n, 0
      }
      step {
        %1 = counter.n + 1
        fill next.counter.n = %1
        eq next.counter.n, %1
      }
      last {
        eq counter.n, counter.last
      }
    }
    ; 5 columns, 4 rules (max degree 2), 1 send, 1 receive
    ");
}

#[test]
fn the_text_of_a_fused_chip_reads_back() {
    let [counter, squarer] = parts();
    // Comments are not read.
    let fused = Chip { doc: String::new(), ..fuse(&[&counter, &squarer], "both").unwrap() };
    let read = parse(&fused.to_string()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.to_string(), fused.to_string());
}

#[test]
fn a_fused_chip_accepts_what_its_parts_accept_and_nothing_else() {
    let chips = parts();
    let apart = machine(&chips);
    let together = machine(&[fuse(&[&chips[0], &chips[1]], "both").unwrap()]);
    let trace = honest(&apart);
    assert!(check::<Goldilocks2>(&apart, &trace).is_ok());
    assert!(check::<Goldilocks2>(&together, &beside(&trace)).is_ok());
    // Every cell of every table, and the public value, made wrong one at a time. What is found must be
    // found by both, as often.
    let mut forgeries = 0;
    let mut compare = |forged: &MachineTrace<Goldilocks>| {
        let parts = check::<Goldilocks2>(&apart, forged);
        let fused = check::<Goldilocks2>(&together, &beside(forged));
        assert!(!parts.is_ok() && !fused.is_ok());
        assert_eq!(parts.failing_rules, fused.failing_rules);
        assert_eq!(parts.unbalanced_tuples, fused.unbalanced_tuples);
        forgeries += 1;
    };
    for table in 0..trace.tables.len() {
        for cell in 0..trace.tables[table].values.len() {
            for offset in [1, 5] {
                let mut forged = trace.clone();
                forged.tables[table].values[cell] += Goldilocks::from_u64(offset);
                compare(&forged);
            }
        }
    }
    let mut forged = trace.clone();
    forged.publics[0][0] += Goldilocks::ONE;
    compare(&forged);
    assert_eq!(forgeries, 2 * 4 * 3 + 1);
}

#[test]
fn shorter_contents_of_fixed_columns_are_padded_with_zeros() {
    let (long, short) = (chip(COUNTER, &[1; 8]), chip(SQUARER, &[1; 3]));
    let fused = fuse(&[&long, &short], "both").unwrap();
    let columns = fused.fixed.unwrap().columns;
    assert_eq!(columns, [vec![1; 8], vec![1, 1, 1, 0, 0, 0, 0, 0]]);
}

#[test]
fn groups_of_exclusive_messages_stay_apart() {
    let text = |name: &str| {
        format!(
            "chip {name} over goldilocks^2, dense {{
               f: record bit c0
               g: record bit c1
               port bus: send bus(value: felt)
               row {{
                 eq f * f, f   eq g * g, g   eq f * g, 0
                 send bus(1) times f exclusive 0
                 send bus(2) times g exclusive 0
               }}
             }}"
        )
    };
    let [a, b] = ["a", "b"].map(|name| {
        let text = text(name);
        parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    });
    let fused = fuse(&[&a, &b], "both").unwrap();
    let groups: Vec<_> = fused.interactions.iter().map(|message| message.exclusive).collect();
    assert_eq!(groups, [Some(0), Some(0), Some(1), Some(1)]);
    assert_eq!(fused.ports.len(), 1, "both send on one bus");
}

#[test]
fn what_cannot_stand_side_by_side_is_a_typed_error() {
    let [counter, squarer] = parts();
    assert_eq!(fuse(&[], "none"), Err(FuseError::Empty));
    assert_eq!(fuse(&[&counter, &counter], "twice"), Err(FuseError::Name("counter".to_owned())));
    let other = Chip { field: chipwright_ir::Field::Goldilocks3, ..squarer.clone() };
    assert!(matches!(fuse(&[&counter, &other], "fields"), Err(FuseError::Field { .. })));
    let unknown = Chip { fixed: None, ..squarer };
    assert!(matches!(fuse(&[&counter, &unknown], "contents"), Err(FuseError::Contents(_))));
}
