//! Keys that nobody compiled: every guard of a statement, each against bytes that only it refuses.

use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use p3_batch_stark::Commitment;
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

use super::*;
use crate::config::Stark;
use crate::encoding::{self, DecodeError, Kind};
use crate::key::{KeyError, VerifyingKey};

type Cap = Commitment<Stark<Goldilocks2>>;

/// A table that asks for squares, and one that has those of 0 … 15.
fn squares() -> Statement {
    let config = Config::testing();
    let asking = TableStatement {
        name: "asking".to_owned(),
        log_height: None,
        columns: vec![Place::Main, Place::Main, Place::Periodic],
        publics: 1,
        periodic: vec![vec![1, 2]],
        nodes: vec![
            NodeCode::Cell(0, false),
            NodeCode::Cell(1, false),
            NodeCode::Public(0),
            NodeCode::Cell(2, false),
            NodeCode::Const(1),
            NodeCode::Mul(0, 0),
        ],
        rules: vec![
            RuleCode { section: Section::First as u8, guard: None, left: 0, right: 2 },
            RuleCode { section: Section::Row as u8, guard: Some(3), left: 5, right: 1 },
        ],
        messages: vec![MessageCode {
            bus: "square".to_owned(),
            plus: true,
            elements: vec![0, 1],
            count: 4,
            weight: 1,
            exclusive: None,
        }],
    };
    let table = TableStatement {
        name: "table".to_owned(),
        log_height: Some(4),
        columns: vec![Place::Fixed(0), Place::Fixed(0), Place::Main],
        publics: 0,
        periodic: Vec::new(),
        nodes: (0..3).map(|column| NodeCode::Cell(column, false)).collect(),
        rules: Vec::new(),
        messages: vec![MessageCode {
            bus: "square".to_owned(),
            plus: false,
            elements: vec![0, 1],
            count: 2,
            weight: 0,
            exclusive: None,
        }],
    };
    Statement {
        field: config.field.to_string(),
        config: config.name.to_string(),
        target: config.target,
        parameters: config.parameters,
        tables: vec![asking, table],
    }
}

/// A change of a table.
type Alteration = fn(&mut TableStatement);

fn cap() -> Cap {
    vec![[Goldilocks::ZERO; 4]; 4].into()
}

/// The bytes of a key as its writer would make them, the digest included.
fn bytes(statement: &Statement, fixed: Option<&Cap>) -> Vec<u8> {
    encoding::encode(Kind::VerifyingKey, &statement.digest(fixed), &(statement, fixed))
}

fn read(statement: &Statement, fixed: Option<&Cap>) -> Result<(), KeyError> {
    VerifyingKey::<Goldilocks2>::from_bytes(&bytes(statement, fixed)).map(|_| ())
}

/// What is said of a key that was altered.
fn refusal(alter: impl FnOnce(&mut Statement)) -> String {
    let mut statement = squares();
    alter(&mut statement);
    match read(&statement, Some(&cap())) {
        Err(KeyError::Statement(error)) => error.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_key_that_is_sound_is_read() {
    read(&squares(), Some(&cap())).expect("nothing is wrong with it");
}

#[test]
fn a_commitment_is_present_exactly_if_there_are_fixed_columns() {
    let expected = "the preprocessed columns cannot be committed to: a commitment is present exactly if there are \
                    preprocessed columns";
    let error = read(&squares(), None).expect_err("two fixed columns");
    assert_eq!(error.to_string(), expected);
    let mut without = squares();
    without.tables.truncate(1);
    read(&without, None).expect("no fixed columns, no commitment");
    let error = read(&without, Some(&cap())).expect_err("no fixed columns");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_digest_of_a_key_is_that_of_its_statement() {
    let mut other = squares();
    other.tables[0].rules.pop();
    let mut bytes = bytes(&squares(), Some(&cap()));
    bytes[13..45].copy_from_slice(&other.digest(Some(&cap())));
    let error = VerifyingKey::<Goldilocks2>::from_bytes(&bytes).expect_err("another digest");
    assert!(matches!(error, KeyError::Decode(DecodeError::Statement { .. })), "{error}");
}

#[test]
fn a_digest_is_of_everything_behind_a_separator() {
    let (statement, cap) = (squares(), cap());
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"chipwright statement 1");
    hasher.update(&postcard::to_allocvec(&(&statement, Some(&cap))).expect("plain data"));
    assert_eq!(statement.digest(Some(&cap)), *hasher.finalize().as_bytes());
}

/// That a key is read, although it is as far as it may go.
#[track_caller]
fn check_bound(alter: impl FnOnce(&mut Statement)) {
    let mut statement = squares();
    alter(&mut statement);
    read(&statement, Some(&cap())).expect("a bound may be reached");
}

/// Powers of an expression, behind all others: of degree 2, 4 and 8 times its own.
fn push_powers(table: &mut TableStatement, of: u32) -> [u32; 3] {
    let first = table.nodes.len() as u32;
    let powers = [first, first + 1, first + 2];
    table.nodes.extend([of, first, first + 1].map(|power| NodeCode::Mul(power, power)));
    powers
}

#[test]
fn every_bound_of_a_key_may_be_reached() {
    check_bound(|s| s.tables[0].publics = MAX_PUBLICS);
    check_bound(|s| s.tables[1].log_height = Some(28));
    check_bound(|s| s.parameters.min_log_height = 4);
    // A rule of degree 9, with the 1 of its guard; and messages as wide as that, whether they ask or give.
    check_bound(|s| {
        let [.., eighth] = push_powers(&mut s.tables[0], 1);
        s.tables[0].rules[1].left = eighth;
    });
    check_bound(|s| {
        let [.., eighth] = push_powers(&mut s.tables[0], 1);
        s.tables[0].messages[0].elements[0] = eighth;
    });
    check_bound(|s| {
        let [.., eighth] = push_powers(&mut s.tables[1], 0);
        s.tables[1].messages[0].elements[0] = eighth;
    });
}

#[test]
fn the_flag_of_an_exclusive_message_counts_for_its_degree() {
    let refused = refusal(|s| {
        let table = &mut s.tables[0];
        let [.., eighth] = push_powers(table, 1);
        let flag = table.nodes.len() as u32;
        table.columns.push(Place::Main);
        table.nodes.extend([NodeCode::Cell(3, false), NodeCode::Mul(flag, flag)]);
        let section = Section::Row as u8;
        table.rules.push(RuleCode { section, guard: None, left: flag + 1, right: flag });
        let message = &mut table.messages[0];
        (message.elements[0], message.count, message.exclusive) = (eighth, flag, Some(0));
    });
    assert_eq!(
        refused,
        "chip `asking`: message 0 on bus `square` makes a constraint of degree 10, the configuration's limit is 9"
    );
}

#[test]
fn what_a_key_says_of_its_proof_system_is_checked() {
    let wrong = |alter: fn(&mut Statement), expected: &str| {
        assert_eq!(refusal(alter), expected);
    };
    wrong(|s| s.parameters.queries = 0, "parameter `queries` is 0, expected 1 to 4096");
    wrong(|s| s.field = "goldilocks^9".to_owned(), "chip `` is malformed: its field is unknown");
    wrong(
        |s| s.field = Field::KoalaBear4.to_string(),
        "the machine is over koala-bear^4, the configuration over goldilocks^2",
    );
    wrong(|s| s.tables.clear(), "the machine has no chips");
    let bytes = bytes(&squares(), Some(&cap()));
    assert!(VerifyingKey::<KoalaBear4>::from_bytes(&bytes).is_err(), "of another field");
}

#[test]
fn what_a_key_says_of_heights_is_checked() {
    let wrong = |alter: fn(&mut Statement), expected: &str| {
        assert_eq!(refusal(alter), expected);
    };
    let either = "is malformed: a table's height is stated exactly if it has preprocessed columns";
    wrong(|s| s.tables[1].log_height = None, &format!("chip `table` {either}"));
    wrong(|s| s.tables[0].log_height = Some(4), &format!("chip `asking` {either}"));
    for log_height in [29, 64, 255] {
        let expected =
            format!("chip `table` has 2^{log_height} rows, the field and the blowup allow 2^28");
        assert_eq!(refusal(|s| s.tables[1].log_height = Some(log_height)), expected);
    }
    // Lower than the configuration wants tables to be, than the final polynomial, than a period.
    wrong(|s| s.parameters.min_log_height = 5, "chip `table` has 2^4 rows, expected 2^5 or more");
    wrong(
        |s| s.parameters.log_final_poly_len = 4,
        "chip `table` has 2^4 rows, expected 2^5 or more",
    );
    wrong(
        |s| {
            s.tables[1].columns.push(Place::Periodic);
            s.tables[1].periodic.push(vec![0; 32]);
        },
        "chip `table` has 2^4 rows, expected 2^5 or more",
    );
}

#[test]
fn degrees_and_messages_of_a_key_are_checked() {
    let wrong = |alter: fn(&mut Statement), expected: &str| {
        assert_eq!(refusal(alter), expected);
    };
    wrong(
        |s| {
            let nodes = &mut s.tables[0].nodes;
            nodes.extend([NodeCode::Mul(5, 5), NodeCode::Mul(6, 6), NodeCode::Mul(7, 0)]);
            s.tables[0].rules[1].left = 8;
        },
        "chip `asking`: rule 1 has degree 10, the configuration's limit is 9",
    );
    wrong(
        |s| {
            let nodes = &mut s.tables[0].nodes;
            nodes.extend([NodeCode::Mul(5, 5), NodeCode::Mul(6, 6), NodeCode::Mul(7, 0)]);
            s.tables[0].messages[0].elements[0] = 8;
        },
        "chip `asking`: message 0 on bus `square` makes a constraint of degree 10, the configuration's limit is 9",
    );
    wrong(
        |s| {
            s.tables[0].messages[0].elements.pop();
        },
        "bus `square` carries messages of 1 elements and, from chip `table`, of 2",
    );
}

#[test]
fn everything_that_a_key_refers_to_exists() {
    let expression = "an expression refers to what does not exist";
    let rule = "a rule refers to an expression that does not exist";
    let message = "a message refers to an expression that does not exist";
    let of_node = |node: NodeCode| refusal(move |s| s.tables[0].nodes.push(node));
    for node in [
        NodeCode::Const(Field::Goldilocks2.modulus()),
        NodeCode::Cell(3, false),
        NodeCode::Cell(2, true),
        NodeCode::Public(1),
        NodeCode::Add(6, 0),
        NodeCode::Sub(0, 7),
        NodeCode::Neg(u32::MAX),
    ] {
        assert_eq!(of_node(node), format!("chip `asking` is malformed: {expression}"), "{node:?}");
    }
    let twice = "chip `asking` is malformed: an expression appears twice";
    assert_eq!(of_node(NodeCode::Cell(0, false)), twice);
    let alterations: [(Alteration, &str); 9] = [
        (|table| table.rules[0].left = 6, rule),
        (|table| table.rules[0].right = 6, rule),
        (|table| table.rules[0].guard = Some(6), rule),
        (|table| table.rules[0].section = 99, "a rule is in a section that does not exist"),
        (|table| table.messages[0].elements[1] = 6, message),
        (|table| table.messages[0].count = 6, message),
        (
            |table| table.periodic.push(vec![1]),
            "periodic columns and their contents differ in number",
        ),
        (|table| table.periodic[0].push(3), "a period is not a power of two"),
        (|table| table.publics = u32::MAX, "it has more than 2^20 public values"),
    ];
    for (alter, expected) in alterations {
        let refused = refusal(|statement| alter(&mut statement.tables[0]));
        assert_eq!(refused, format!("chip `asking` is malformed: {expected}"));
    }
    let refused = refusal(|statement| statement.tables[0].periodic[0][1] = u64::MAX);
    assert_eq!(
        refused,
        "chip `asking`: 18446744073709551615 in a periodic column is not below the order of the field"
    );
    let refused = refusal(|statement| {
        let table = &mut statement.tables[1];
        table.columns = vec![Place::Fixed(0); 3];
    });
    assert_eq!(refused, "chip `table` has no columns to commit to");
}
