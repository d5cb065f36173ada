//! Flawed chips have undetermined cells, mended ones do not; brute force agrees on random ones.

use super::analyse;
use crate::audit::Rng;
use crate::chip::parse::parse;
use crate::chip::{Chip, Node};

fn undetermined(body: &str) -> String {
    let text = format!("chip small over goldilocks^2 {{\n{body}\n}}");
    let chip = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let names = analyse(&chip, &[]).undetermined.into_iter();
    names.map(|id| chip.columns[id.index()].name.clone()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_split_is_determined_only_if_its_limbs_are_checked_and_cannot_wrap() {
    let split = |high: &str, rules: &str| {
        undetermined(&format!(
            "x: input felt c0\nlow: output felt c1\nhigh: output felt c2\n\
             port a: lookup a(x: u32)\nport b: lookup b(x: {high})\n\
             row {{\neq x, low + 4294967296 * high\n{rules}\n}}"
        ))
    };
    assert_eq!(split("u31", "lookup a(low)\nlookup b(high)"), "");
    assert_eq!(split("u32", "lookup a(low)\nlookup b(high)"), "low high");
    assert_eq!(split("u31", "lookup a(low)"), "low high");
    assert_eq!(split("u31", "lookup a(low)\nlookup b(high) times x"), "low high");
}

#[test]
fn a_zero_test_needs_both_of_its_rules_and_its_inverse_stays_free() {
    let columns = "x: input felt c0\ninv: private felt c1\nz: output felt c2";
    let test = |rules: &str| undetermined(&format!("{columns}\nrow {{\n{rules}\n}}"));
    assert_eq!(test("eq x * inv, 1 - z\neq x * z, 0"), "inv");
    assert_eq!(test("eq x * inv, 1 - z"), "inv z");
    assert_eq!(test("eq x * z, 0"), "inv z");
}

#[test]
fn a_guard_must_hold_in_every_case() {
    let columns = "s: input bit c0\nx: input felt c1\ny: output felt c2";
    let test = |rules: &str| undetermined(&format!("{columns}\nrow {{\n{rules}\n}}"));
    assert_eq!(test("eq y, x when s\neq y, 3 when 1 - s"), "");
    assert_eq!(test("eq y, x when s"), "y");
    assert_eq!(test("eq y, s * x"), "");
    assert_eq!(test("eq y * s, x"), "y");
}

#[test]
fn the_type_of_a_column_is_not_a_rule() {
    let test = |rule: &str| {
        undetermined(&format!(
            "x: input felt c0\na: output bit c1\nb: output bit c2\nrow {{\neq x, a + 2 * b\n{rule}\n}}"
        ))
    };
    assert_eq!(test("eq a * a, a\neq b * (b - 1), 0"), "");
    assert_eq!(test("eq a * a, a"), "a b");
}

/// Whether the rules hold on a row of bits.
fn obeys(chip: &Chip, row: &[u64]) -> bool {
    let modulus = u128::from(chip.field.modulus());
    let mut values: Vec<u128> = Vec::new();
    for node in chip.graph.nodes() {
        values.push(match *node {
            Node::Const(value) => value.into(),
            Node::Cell(cell) => row[cell.column.index()].into(),
            Node::Add(a, b) => (values[a.index()] + values[b.index()]) % modulus,
            Node::Sub(a, b) => (values[a.index()] + modulus - values[b.index()]) % modulus,
            Node::Mul(a, b) => values[a.index()] * values[b.index()] % modulus,
            Node::Neg(a) => (modulus - values[a.index()]) % modulus,
            _ => 0,
        });
    }
    chip.rules.iter().all(|rule| {
        rule.guard.is_some_and(|guard| values[guard.index()] == 0)
            || values[rule.left.index()] == values[rule.right.index()]
    })
}

#[test]
fn what_is_called_determined_is_so_by_brute_force() {
    let mut rng = Rng::new(7);
    let mut pick = |below: usize| rng.below(below);
    let (names, mut determined) = (["x", "s", "a", "b", "c"], 0);
    for _ in 0..10_000 {
        let mut body = String::from("x: input bit c0\ns: input bit c1\n");
        body += "a: output bit c2\nb: output bit c3\nc: output bit c4\nrow {\n";
        for bit in ["a", "b", "c"] {
            body += &format!("eq {bit} * {bit}, {bit}\n");
        }
        for _ in 0..=pick(3) {
            let mut term = || names[pick(5)].to_owned();
            let [t, u, v, w, guard] = [term(), term(), term(), term(), term()];
            let (k, l) = (pick(4), pick(4));
            body += &format!("eq {k} * {t} + {u} * {v}, {l} * {w}");
            body += &if pick(2) == 0 { format!(" when {guard}\n") } else { "\n".to_owned() };
        }
        let text = format!("chip random over goldilocks^2 {{\n{body}}}\n}}");
        let chip = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let steps = analyse(&chip, &[]).steps;
        determined += steps.len();
        let rows = (0..32_u64).map(|row| [0, 1, 2, 3, 4].map(|bit| (row >> bit) & 1));
        let rows: Vec<_> = rows.filter(|row| obeys(&chip, row)).collect();
        for (one, two) in rows.iter().flat_map(|one| rows.iter().map(move |two| (one, two))) {
            for step in &steps {
                let at = step.column.index();
                assert!(one[..2] != two[..2] || one[at] == two[at], "{text}\n{step:?}");
            }
        }
    }
    assert!(determined > 1_000, "{determined}");
}
