//! The text form of chips: what is printed, and what the parser says of mistakes.

use chipwright_ir::chip::parse::{parse, parse_machine};

const TOUR: &str = r#"chip tour over koala-bear^4, memory of ram {
  a: input u32                     c0..c2
  flags: record one_hot(add, lw)   c2..c4
  mixed: record "a type"           c4..c6 of u8, felt named mixed.low, "odd name"
  out: output [bit; 2]             c6..c8 free "a hint"
  real: real bit                   c8
  turn: periodic felt              c9
  key: fixed felt                  c10
  public start[0]
  public end
  port ram: memory ram(address: felt, time: felt, value: ext[0])
  port and8: lookup "byte and"(x: u8, y: u8, z: u8)
  contents key = 0..5, 7 * 3, 9
  contents turn = 1, 0
  row {
    %0 = a[0] + 65536 * a[1]
    fill out[0] = (int(%0) and #1)
    fill out[1] = select((int(a[0]) less #300), #1, int(a[1]) + #2 * inverse(%0)) when real, turn
    fill mixed.low, "odd name" = split(%0, 8, 16)
    fill out[0], out[1] = native "a function"(%0, -1)
    fill mixed.low = call and8(a[0], a[1])
    fill mixed.low, "odd name" = access ram(a[0]) at %0 set (a[1]) when real
    eq %0, -(a[0] - (a[1] - end)) * -(-5) when flags[0] ; named
    eq real * real, real                           ; from padding
    lookup and8(a[0], a[1], 0) times real exclusive 1 ; from type: byte
    receive ram(1, 2, 3) times real weight 2
    plus and8(1, 1, 1)
  }
  step {
    eq next.real, real * next.real                 ; from padding: padding comes last
  }
}"#;

#[test]
fn a_canonical_text_prints_as_it_was_read() {
    let chip = parse(TOUR).unwrap_or_else(|error| panic!("{error}"));
    let printed = chip.to_string();
    insta::assert_snapshot!(printed, @r#"
    chip tour over koala-bear^4, memory of ram {
      a: input u32                     c0..c2
      flags: record one_hot(add, lw)   c2..c4
      mixed: record "a type"           c4..c6 of u8, felt named mixed.low, "odd name"
      out: output [bit; 2]             c6..c8 free "a hint"
      real: real bit                   c8
      turn: periodic felt              c9
      key: fixed felt                  c10
      public start[0]
      public end
      port ram: memory ram(address: felt, time: felt, value: ext[0])
      port and8: lookup "byte and"(x: u8, y: u8, z: u8)
      contents key = 0..5, 7 * 3, 9
      contents turn = 1, 0
      row {
        %0 = a[0] + 65536 * a[1]
        eq %0, -(a[0] - (a[1] - end)) * -(-5) when flags[0] ; named
        eq real * real, real                         ; from padding
        fill out[0] = (int(%0) and #1)
        fill out[1] = select((int(a[0]) less #300), #1, int(a[1]) + #2 * inverse(%0)) when real, turn
        fill mixed.low, "odd name" = split(%0, 8, 16)
        fill out[0], out[1] = native "a function"(%0, -1)
        fill mixed.low = call and8(a[0], a[1])
        fill mixed.low, "odd name" = access ram(a[0]) at %0 set (a[1]) when real
        lookup and8(a[0], a[1], 0) times real exclusive 1 ; from type: byte
        receive ram(1, 2, 3) times real weight 2
        lookup and8(1, 1, 1)
      }
      step {
        eq next.real, real * next.real               ; from padding: padding comes last
      }
    }
    ; 11 columns, 3 rules (max degree 2), 2 lookups, 1 memory message
    "#);
    assert_eq!(parse(&printed), Ok(chip.normalise()));
    assert_eq!(chip.normalise().to_string(), printed);
}

#[test]
fn a_machine_reads_back() {
    let text = format!("machine \"two chips\" over koala-bear^4 {{ {TOUR}\n {TOUR} }}");
    let machine = parse_machine(&text).unwrap();
    assert_eq!(machine.chips.len(), 2);
    let again = parse_machine(&machine.to_string()).unwrap();
    assert_eq!(again.to_string(), machine.to_string());
}

#[test]
fn locations_are_printed_on_request_only() {
    let mut chip =
        parse("chip c over goldilocks^2 { x: felt c0 \n row { eq x, 0 ; zero \n } }").unwrap();
    chip.rules[0].label.location = Some(std::panic::Location::caller().into());
    assert!(!chip.to_string().contains('@'));
    assert!(format!("{chip:#}").contains("; zero @ir/tests/chip_text.rs:"));
}

#[test]
fn mistakes_are_reported_with_line_and_column() {
    let message = |text: &str| match parse(text) {
        Ok(chip) => panic!("accepted:\n{chip}"),
        Err(error) => error.to_string(),
    };
    let body = |text: &str| {
        message(&format!(
            "chip c over goldilocks^2 {{ x: felt c0 \n real: bit c1\n port p: send b(v: felt)\n {text} }}"
        ))
    };
    let messages = [
        message("chip c over mersenne { }"),
        message("chip c over goldilocks^2 { x: felt c1 }"),
        message("chip c over goldilocks^2 { x: thing c0 }"),
        message("chip c over goldilocks^2 { x: felt c0 of felt, felt }"),
        message("chip c over goldilocks^2 { x: felt c0"),
        message("chip c over goldilocks^2 { t: periodic felt c0 }"),
        message("chip c over goldilocks^2 { t: periodic felt c0 contents t = 1, 2, 3 }"),
        message("chip c over goldilocks^2 { t: fixed felt c0 contents t = 0..99999999999 }"),
        body("x: felt c2"),
        body("row { eq x, y }"),
        body("row { eq x }"),
        body("row { eq x, (x + 1 }"),
        body("row { eq x, int(x) }"),
        body("row { eq x, x + #1 }"),
        body("row { eq x, %3 }"),
        body("row { fill next.x = 1 }"),
        body("row { fill x, real = 1 }"),
        body("row { frobnicate x }"),
        body("row { lookup p(x) }"),
        body("row { send q(x) }"),
        body("last { fill x = 1 }"),
        body("row { eq x, 18446744069414584322 }"),
        body("row { eq x, -18446744069414584321 }"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    1:13: unknown field `mersenne`; known are goldilocks^2, goldilocks^3, koala-bear^4 and koala-bear^5
    1:36: cells c1..c2 do not follow those before, which end at c0
    1:37: `thing` does not say what its 1 cells are; add `of` and their types
    1:48: 2 types for 1 cells
    1:38: expected a column, a port or a section, found the end of the text
    1:48: the contents of the 1 periodic columns are not as many powers of two
    1:69: the contents of the 1 periodic columns are not as many powers of two
    1:61: 99999999999 more items than are written are too many for this text
    4:10: `x` is declared twice
    4:14: there is no column or public value `y`
    4:13: expected `,`, found `}`
    4:21: expected `)`
    4:23: rule 0 is not made of field nodes
    4:19: expected a field element, found an integer of advice, which rules cannot use
    4:15: %3 is used before it is defined
    4:26: fill 0 sets a cell that its section cannot set
    4:21: one value for 2 cells
    4:8: `frobnicate` begins no line
    4:15: a port of kind `send` does not `lookup`
    4:13: there is no port `q`
    4:22: fill 0 is for the last row, which no fill is
    4:13: 18446744069414584322 is not below the modulus of goldilocks^2
    4:14: -18446744069414584321 is not below the modulus of goldilocks^2
    ");
}

#[test]
fn nesting_is_limited_by_memory_only() {
    let depth = 200_000;
    let sum = "x + ".repeat(depth);
    let (open, close) = ("(".repeat(depth), ")".repeat(depth));
    let text =
        format!("chip c over goldilocks^2 {{ x: felt c0 row {{ eq x, {sum} {open} x {close} }} }}");
    let chip = parse(&text).unwrap();
    assert_eq!(parse(&chip.to_string()), Ok(chip.normalise()));
}

#[test]
fn a_function_is_known_by_name_until_it_is_resolved() {
    use chipwright_ir::chip::interpret::fill_rows;
    use chipwright_ir::chip::{FillOp, NativeFn};
    use chipwright_ir::field::Goldilocks2;
    use chipwright_ir::machine::ChipRows;

    let text = "chip c over goldilocks^2, dense {
      x: record felt c0
      y: felt c1
      row { fill y = native \"square\"(x) \n eq y, x * x }
    }";
    let mut chip = parse(text).unwrap();
    let rows = || ChipRows::from(vec![vec![7]]);
    let errors = fill_rows::<Goldilocks2>(&chip, rows(), &[]).unwrap_err();
    insta::assert_snapshot!(errors, @"row 0 of chip `c`: `square` failed: the function `square` is known by name only");
    let call: chipwright_ir::chip::NativeCall = std::sync::Arc::new(|inputs, outputs| {
        outputs[0] = inputs[0] * inputs[0];
        Ok(())
    });
    chip.resolve_natives(&[NativeFn { name: "square".to_owned(), call }]);
    assert!(matches!(chip.fills[0].op, FillOp::Native { .. }));
    let table = fill_rows::<Goldilocks2>(&chip, rows(), &[]).unwrap();
    assert_eq!(table.row(0).iter().map(ToString::to_string).collect::<Vec<_>>(), ["7", "49"]);
}
