//! Proofs of small machines, and proofs that are rejected.

use std::sync::Arc;

use crate::machines::{Writer, fibonacci, fibonacci_trace, squares, squares_trace};
use chipwright_backend_stark::config::{Config, Stark, StarkField};
use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::key::{
    KeyShape, ProvingKey, StatementError, VerifyingKey, compile, compile_shaped,
};
use chipwright_backend_stark::proof::{Proof, ProveError, VerifyError};
use chipwright_ir::chip::{CellType, Column, ColumnKind, Node, Section, Sign};
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_ir::machine::{Machine, MachineTrace, Table};
use chipwright_ir::{Field, FieldPair};
use p3_batch_stark::BatchProof;
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;
use proptest::prelude::*;

type Forge = fn(&mut BatchProof<Stark<Goldilocks2>>);
type Ext = <Goldilocks2 as FieldPair>::Ext;
pub(crate) type Keys<P> = (ProvingKey<P>, VerifyingKey<P>);

pub(crate) fn keys<P: StarkField>(machine: &Machine) -> Keys<P> {
    compile(machine, &Config::testing_over(P::FIELD)).expect("the machine compiles")
}

/// Proves, writes, reads, and verifies.
fn check<P: StarkField>(keys: &Keys<P>, trace: MachineTrace<P::Base>) -> Result<(), VerifyError> {
    let publics = trace.publics.clone();
    let proof = keys.0.prove(trace).expect("the tables have the right shapes");
    let proof = Proof::from_bytes(&keys.1, &proof.to_bytes()).expect("what was written is read");
    keys.1.verify(&publics, &proof)
}

pub(crate) fn is_rejected(result: Result<(), VerifyError>) -> bool {
    result.is_err_and(|error| matches!(error, VerifyError::Rejected { .. }))
}

#[test]
fn an_honest_proof_verifies_over_every_field() {
    fn run<P: StarkField>() {
        let fibonacci = keys::<P>(&fibonacci(P::FIELD));
        for log_height in [0, 1, 2, 3, 5, 10] {
            assert_eq!(check(&fibonacci, fibonacci_trace(log_height)), Ok(()), "2^{log_height}");
        }
        let squares = keys::<P>(&squares(P::FIELD));
        for xs in [&[3, 3, 7, 0][..], &[15], &[1; 64]] {
            assert_eq!(check(&squares, squares_trace(xs)), Ok(()), "{xs:?}");
        }
    }
    run::<Goldilocks2>();
    run::<Goldilocks3>();
    run::<KoalaBear4>();
}

#[test]
fn an_honest_proof_verifies_under_every_named_configuration() {
    for config in Config::all() {
        fn run<P: StarkField>(config: &Config) {
            let keys = compile::<P>(&fibonacci(P::FIELD), config).expect("the machine compiles");
            assert_eq!(check(&keys, fibonacci_trace(5)), Ok(()), "{}", config.name);
            if config.min_height() > 1 {
                let error = keys.0.prove(fibonacci_trace(4)).expect_err("too low a table");
                assert!(matches!(error, ProveError::Shape { .. }), "{error}");
            }
        }
        match config.field {
            Field::Goldilocks3 => run::<Goldilocks3>(&config),
            Field::KoalaBear4 => run::<KoalaBear4>(&config),
            _ => run::<Goldilocks2>(&config),
        }
    }
}

#[test]
fn a_wrong_cell_anywhere_is_rejected() {
    let keys = keys::<Goldilocks2>(&fibonacci(Field::default()));
    for cell in 0..16 {
        let mut trace = fibonacci_trace(3);
        trace.tables[0].values[cell] += Goldilocks::ONE;
        assert!(is_rejected(check(&keys, trace)), "cell {cell}");
    }
}

#[test]
fn a_wrong_public_value_is_rejected() {
    let keys = keys::<Goldilocks2>(&fibonacci(Field::default()));
    let proof = keys.0.prove(fibonacci_trace(3)).expect("shapes fit");
    for index in 0..3 {
        let mut publics = fibonacci_trace(3).publics;
        publics[0][index] += Goldilocks::ONE;
        assert!(is_rejected(keys.1.verify(&publics, &proof)), "public {index}");
    }
}

#[test]
fn the_number_of_public_values_is_checked() {
    let keys = keys::<Goldilocks2>(&fibonacci(Field::default()));
    let proof = keys.0.prove(fibonacci_trace(3)).expect("shapes fit");
    for publics in [vec![], vec![vec![]], vec![vec![Goldilocks::ONE; 4]]] {
        let error = keys.1.verify(&publics, &proof).expect_err("wrong number");
        assert!(matches!(error, VerifyError::Publics { .. }), "{error}");
    }
}

#[test]
fn a_message_that_no_table_has_is_rejected() {
    let keys = keys::<Goldilocks2>(&squares(Field::default()));
    let mut trace = squares_trace(&[3, 3, 7, 0]);
    trace.tables[0].values[1] += Goldilocks::ONE;
    assert!(is_rejected(check(&keys, trace)));
}

#[test]
fn a_wrong_multiplicity_is_rejected() {
    let keys = keys::<Goldilocks2>(&squares(Field::default()));
    for entry in 0..16 {
        let mut trace = squares_trace(&[3, 3, 7, 0]);
        trace.tables[1].values[entry] += Goldilocks::ONE;
        assert!(is_rejected(check(&keys, trace)), "entry {entry}");
    }
}

#[test]
fn a_proof_under_another_key_is_rejected() {
    let keys_of = |edit: fn(&mut Machine)| {
        let mut machine = fibonacci(Field::default());
        edit(&mut machine);
        keys::<Goldilocks2>(&machine)
    };
    let honest = keys_of(|_| ());
    let proof = honest.0.prove(fibonacci_trace(3)).expect("shapes fit");
    let publics = fibonacci_trace(3).publics;
    let edits: [fn(&mut Machine); 3] = [
        |machine| machine.chips[0].rules[3].section = Section::Row,
        |machine| drop(machine.chips[0].rules.pop()),
        |machine| {
            let two = machine.chips[0].graph.add(Node::Const(2));
            machine.chips[0].rules[0].right = two;
        },
    ];
    for edit in edits {
        let (_, other) = keys_of(edit);
        assert_ne!(other, honest.1);
        let error = other.verify(&publics, &proof).expect_err("another statement");
        assert!(matches!(error, VerifyError::Statement { .. }), "{error}");
        let error = Proof::from_bytes(&other, &proof.to_bytes()).expect_err("another statement");
        assert!(matches!(error, DecodeError::Statement { .. }), "{error}");
    }
}

#[test]
fn names_fills_and_sources_are_not_part_of_the_statement() {
    let machine = fibonacci(Field::default());
    let mut renamed = machine.clone();
    renamed.chips[0].columns[0].name = "left".to_owned();
    renamed.chips[0].rules[0].label.name = "start".to_owned();
    assert_eq!(keys::<Goldilocks2>(&machine).1, keys::<Goldilocks2>(&renamed).1);
}

#[test]
fn changed_contents_of_a_fixed_column_change_the_key() {
    let machine = squares(Field::default());
    let mut other = machine.clone();
    other.chips[1].fixed.as_mut().expect("the table is fixed").columns[1][3] = 10;
    assert_ne!(keys::<Goldilocks2>(&machine).1, keys::<Goldilocks2>(&other).1);
}

#[test]
fn the_transcript_begins_with_the_statement() {
    // The same rules under another name: every number that Plonky3 itself observes is equal.
    let mut other = fibonacci(Field::default());
    other.chips[0].name = "lucas".to_owned();
    let (honest, other) =
        (keys::<Goldilocks2>(&fibonacci(Field::default())), keys::<Goldilocks2>(&other));
    let publics = fibonacci_trace(3).publics;
    let mut bytes = honest.0.prove(fibonacci_trace(3)).expect("shapes fit").to_bytes();
    bytes[13..45].copy_from_slice(other.1.digest());
    let forged = Proof::from_bytes(&other.1, &bytes).expect("well formed");
    assert!(is_rejected(other.1.verify(&publics, &forged)));
}

#[test]
fn tables_of_the_wrong_shape_are_refused() {
    let keys = keys::<Goldilocks2>(&squares(Field::default()));
    let edits: [fn(&mut MachineTrace<Goldilocks>); 5] = [
        |trace| trace.tables[0].height = 3,
        |trace| trace.tables[0].values.truncate(7),
        |trace| trace.tables[0].width = 1,
        |trace| trace.tables[1].height = 0,
        |trace| {
            trace.tables[1].height = 32;
            trace.tables[1].values.extend([Goldilocks::ZERO; 16]);
        },
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut trace = squares_trace(&[3, 3, 7, 0]);
        edit(&mut trace);
        let error = keys.0.prove(trace).expect_err("wrong shape");
        assert!(matches!(error, ProveError::Shape { .. }), "edit {index}: {error}");
    }
    for edit in [(|trace| drop(trace.tables.pop())) as fn(&mut MachineTrace<Goldilocks>), |trace| {
        drop(trace.publics.pop());
    }] {
        let mut trace = squares_trace(&[3, 3, 7, 0]);
        edit(&mut trace);
        let error = keys.0.prove(trace).expect_err("one is missing");
        assert!(matches!(error, ProveError::Tables { expected: 2, .. }), "{error}");
    }
    let mut trace = squares_trace(&[3, 3, 7, 0]);
    trace.publics[0].push(Goldilocks::ONE);
    let error = keys.0.prove(trace).expect_err("too many public values");
    assert!(matches!(error, ProveError::Publics { .. }), "{error}");
}

#[test]
fn a_rule_of_too_high_a_degree_is_refused() {
    let mut machine = fibonacci(Field::default());
    let chip = &mut machine.chips[0];
    let mut power = chip.rules[0].left;
    let base = power;
    for _ in 1..10 {
        power = chip.graph.add(Node::Mul(power, base));
    }
    chip.rules[1].left = power;
    let error = compile::<Goldilocks2>(&machine, &Config::testing()).expect_err("degree 11");
    assert_eq!(
        error.to_string(),
        "chip `fibonacci`: rule 1 has degree 11, the configuration's limit is 9"
    );
}

#[test]
fn a_key_is_compiled_under_the_shape_of_its_own_machine_only() {
    let config = Config::testing();
    let shape = |machine: &Machine, config: &Config| {
        Arc::new(KeyShape::<Goldilocks2>::new(machine, config).expect("the machine has a key"))
    };
    let fibonacci = fibonacci(Field::default());
    let mut altered = fibonacci.clone();
    let own = compile_shaped(&fibonacci, shape(&fibonacci, &config)).expect("it is its own shape");
    assert_eq!(own.1, keys::<Goldilocks2>(&fibonacci).1);
    altered.chips[0].rules.pop();
    for other in [&altered, &squares(Field::default())] {
        let error = compile_shaped(&fibonacci, shape(other, &config)).expect_err("another machine");
        assert_eq!(error.to_string(), "the shape is not that of the machine's key");
    }
    // The configuration is that of the shape.
    let stronger = compile_shaped(&fibonacci, shape(&fibonacci, &Config::proven_100()));
    assert_eq!(*stronger.expect("it has a key").1.config(), Config::proven_100());
}

#[test]
fn a_machine_its_configuration_and_its_keys_are_over_one_field() {
    let machine = fibonacci(Field::KoalaBear4);
    for config in [Config::testing(), Config::testing_over(Field::KoalaBear4)] {
        let error = compile::<Goldilocks2>(&machine, &config).expect_err("two fields");
        assert!(matches!(error, StatementError::Field { .. }), "{error}");
    }
}

#[test]
fn messages_of_different_lengths_on_one_bus_are_refused() {
    let mut machine = squares(Field::default());
    machine.chips[0].interactions[0].message.pop();
    let error = compile::<Goldilocks2>(&machine, &Config::testing()).expect_err("lengths differ");
    assert!(matches!(error, StatementError::MessageWidth { first: 1, other: 2, .. }), "{error}");
}

#[test]
fn no_number_of_a_machine_is_reduced() {
    let order = Field::default().modulus();
    let alter: [fn(&mut Machine, u64); 3] = [
        |machine, value| {
            machine.chips[1].fixed.as_mut().expect("the table is fixed").columns[1][3] = value;
        },
        |machine, value| {
            let chip = &mut machine.chips[0];
            chip.columns.push(Column {
                name: "beat".to_owned(),
                kind: ColumnKind::Periodic,
                ty: CellType::Felt,
            });
            chip.periodic.push(vec![0, value]);
        },
        |machine, value| {
            let chip = &mut machine.chips[0];
            let value = chip.graph.add(Node::Const(value));
            chip.interactions[0].message[0] = value;
        },
    ];
    for (number, alter) in alter.into_iter().enumerate() {
        for (value, accepted) in [(order - 1, true), (order, false), (order + 1, false)] {
            let mut machine = squares(Field::default());
            alter(&mut machine, value);
            let verdict = compile::<Goldilocks2>(&machine, &Config::testing()).map(|_| ());
            assert_eq!(verdict.is_ok(), accepted, "{number}, {value}: {verdict:?}");
        }
    }
}

#[test]
fn fixed_columns_without_contents_are_refused() {
    let mut machine = squares(Field::default());
    machine.chips[1].fixed = None;
    let error = compile::<Goldilocks2>(&machine, &Config::testing()).expect_err("no contents");
    assert!(matches!(error, StatementError::FixedContents { columns: 2, given: 0, .. }), "{error}");
}

#[test]
fn a_verifying_key_is_read_as_it_was_written() {
    for machine in [fibonacci(Field::default()), squares(Field::default())] {
        let (_, key) = keys::<Goldilocks2>(&machine);
        let bytes = key.to_bytes();
        let read = VerifyingKey::<Goldilocks2>::from_bytes(&bytes).expect("reads back");
        assert_eq!((&read, read.tables()), (&key, key.tables()));
        assert!(VerifyingKey::<Goldilocks3>::from_bytes(&bytes).is_err(), "another field");
    }
    let (proving, key) = keys::<Goldilocks2>(&squares(Field::default()));
    let read = VerifyingKey::from_bytes(&key.to_bytes()).expect("reads back");
    let trace = squares_trace(&[4, 4]);
    let publics = trace.publics.clone();
    let proof = proving.prove(trace).expect("shapes fit");
    assert_eq!(read.verify(&publics, &proof), Ok(()));
}

#[test]
fn messages_are_packed_into_as_few_columns_as_pay() {
    let (_, key) = keys::<Goldilocks2>(&fibonacci(Field::default()));
    assert_eq!(key.tables()[0].lookup_columns, 0, "no messages");
    // Columns, chunks: a sum of k fractions is a column of degree k + 1, and takes k chunks.
    for (messages, expected) in [(1, (2, 1)), (2, (3, 1)), (8, (5, 2)), (24, (7, 4)), (40, (6, 8))]
    {
        let mut machine = squares(Field::default());
        let chip = &mut machine.chips[0];
        chip.interactions = vec![chip.interactions[0].clone(); messages];
        let (proving, key) = keys::<Goldilocks2>(&machine);
        let table = &key.tables()[0];
        assert_eq!((table.lookup_columns, table.quotient_chunks), expected, "{messages} messages");
        let mut trace = squares_trace(&[1, 2, 3, 3]);
        for count in &mut trace.tables[1].values {
            *count *= Goldilocks::from_usize(messages);
        }
        assert_eq!(check(&(proving, key), trace), Ok(()), "{messages} messages");
    }
}

#[test]
fn compiling_twice_gives_the_same_key() {
    let machine = squares(Field::default());
    assert_eq!(
        keys::<Goldilocks2>(&machine).1.to_bytes(),
        keys::<Goldilocks2>(&machine).1.to_bytes()
    );
}

#[test]
fn n_16_equal_messages_on_two_buses_do_not_cancel() {
    // One bus where what is asked is given, then two where the same messages are asked and given apart.
    for (asked, given, balanced) in [("a", "a", true), ("a", "b", false)] {
        let mut w = Writer::new("asking", Field::default());
        let x = w.column("x", ColumnKind::Private);
        let message = vec![w.cell(x, false)];
        let one = w.node(Node::Const(1));
        w.message(asked, Sign::Plus, message.clone(), one, 1);
        w.message(given, Sign::Minus, message, one, 1);
        let (name, field) = ("buses".to_owned(), Field::default());
        let keys = keys::<Goldilocks2>(&Machine { name, field, chips: vec![w.chip] });
        let values = (5..9).map(Goldilocks::from_u64).collect();
        let tables = vec![Table { height: 4, width: 1, values, real_rows: 4 }];
        let verdict = check(&keys, MachineTrace { tables, publics: vec![vec![]] });
        assert_eq!(verdict.is_ok(), balanced, "asked on {asked}, given on {given}: {verdict:?}");
    }
}

#[test]
fn n_18_every_value_of_a_proof_is_bound() {
    let keys = keys::<Goldilocks2>(&squares(Field::default()));
    let trace = squares_trace(&[3, 3, 7, 0]);
    let publics = trace.publics.clone();
    let bytes = keys.0.prove(trace).expect("shapes fit").to_bytes();
    let forges: [(&str, Forge); 11] = [
        ("trace", |p| p.opened_values.instances[0].base_opened_values.trace_local[0] += Ext::ONE),
        ("fixed", |p| {
            let fixed = p.opened_values.instances[1].base_opened_values.preprocessed.as_mut();
            fixed.expect("the table is fixed").local[1] += Ext::ONE;
        }),
        ("quotient", |p| {
            p.opened_values.instances[1].base_opened_values.quotient_chunks[0][1] += Ext::ONE;
        }),
        ("lookup columns", |p| p.opened_values.instances[0].permutation_local[0] += Ext::ONE),
        ("lookup columns below", |p| p.opened_values.instances[0].permutation_next[2] += Ext::ONE),
        ("two terminals, the same sum", |p| {
            for (terminal, change) in p.lookup_terminals.iter_mut().zip([Ext::ONE, -Ext::ONE]) {
                terminal.as_mut().expect("both tables have messages").0 += change;
            }
        }),
        ("lookup grinding", |p| {
            *p.lookup_pow_witness.as_mut().expect("there are messages") += Goldilocks::ONE;
        }),
        ("out-of-domain grinding", |p| p.ood_pow_witness += Goldilocks::ONE),
        ("main commitment", |p| p.commitments.main = p.commitments.quotient_chunks.clone()),
        ("lookup commitment", |p| p.commitments.permutation = Some(p.commitments.main.clone())),
        ("no lookup commitment", |p| p.commitments.permutation = None),
    ];
    for (what, forge) in forges {
        let mut proof = Proof::from_bytes(&keys.1, &bytes).expect("reads back");
        forge(proof.batch_mut());
        assert!(is_rejected(keys.1.verify(&publics, &proof)), "{what}");
    }
}

struct Sample {
    key: VerifyingKey<Goldilocks2>,
    publics: Vec<Vec<Goldilocks>>,
    proof: Vec<u8>,
    key_bytes: Vec<u8>,
}

fn sample() -> &'static Sample {
    static SAMPLE: std::sync::OnceLock<Sample> = std::sync::OnceLock::new();
    SAMPLE.get_or_init(|| {
        let (proving, key) = keys::<Goldilocks2>(&squares(Field::default()));
        let trace = squares_trace(&[3, 3, 7, 0]);
        let publics = trace.publics.clone();
        let proof = proving.prove(trace).expect("shapes fit").to_bytes();
        let key_bytes = key.to_bytes();
        Sample { key, publics, proof, key_bytes }
    })
}

/// Reads and verifies; `true` if the proof is accepted.
fn accepted(bytes: &[u8]) -> bool {
    let Sample { key, publics, .. } = sample();
    Proof::from_bytes(key, bytes).is_ok_and(|proof| key.verify(publics, &proof).is_ok())
}

#[test]
fn every_truncation_is_rejected() {
    let proof = &sample().proof;
    assert!(accepted(proof));
    for length in 0..proof.len() {
        assert!(!accepted(&proof[..length]), "{length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_flipped_bit_is_rejected(position in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = sample().proof.clone();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        prop_assert!(!accepted(&bytes), "byte {position}, bit {bit}");
    }

    #[test]
    fn garbage_in_a_proof_is_rejected(
        start in any::<prop::sample::Index>(),
        garbage in prop::collection::vec(any::<u8>(), 1..40),
        insert in any::<bool>(),
    ) {
        let honest = &sample().proof;
        let start = start.index(honest.len());
        let end = if insert { start } else { honest.len().min(start + garbage.len()) };
        let bytes = [&honest[..start], &garbage, &honest[end..]].concat();
        prop_assert!(bytes == *honest || !accepted(&bytes));
    }

    #[test]
    fn an_altered_key_is_rejected(
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        let honest = &sample().key_bytes;
        let mut bytes = honest.clone();
        let position = position.index(bytes.len());
        bytes[position] = value;
        let altered = VerifyingKey::<Goldilocks2>::from_bytes(&bytes);
        prop_assert!(bytes == *honest || altered.is_err());
        let truncated = &honest[..length.index(honest.len())];
        prop_assert!(VerifyingKey::<Goldilocks2>::from_bytes(truncated).is_err());
    }
}
