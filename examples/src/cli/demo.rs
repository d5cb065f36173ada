//! The tour: a toy circuit from its text to a verified proof, a forged witness, a forged chip, and a program that is proven.

use std::fmt::Display;
use std::io::Write;
use std::time::Instant;

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::Config;
use chipwright_chips::Add32;
use chipwright_dsl::prelude::*;
use chipwright_dsl::{Input, Machine};
use chipwright_ir::chip::{Chip as IrChip, ColumnId};
use chipwright_ir::circuit::{Circuit, Form, Inputs, parse, passes};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{FillOptions, Forge, check, fill_with};
use chipwright_ir::pass::{Dump, Pipeline};
use chipwright_mips::Program;
use chipwright_mips::prove::{MipsProver, Options};
use p3_field::PrimeCharacteristicRing;

use super::error::CliError;
use super::progress::Progress;

/// The text of the toy circuit: 37·x − 111 = 0.
pub const TOY: &str = include_str!("../../circuits/toy.ir");

const FIELD: Field = Field::Goldilocks2;

type Sum = Record<Add32>;

/// Writes the tour.
///
/// # Errors
///
/// Fails if an honest step fails, or `out` cannot be written.
pub fn run(out: &mut dyn Write) -> Result<(), CliError> {
    circuit(out)?;
    chip(out)?;
    program(out)
}

fn title(out: &mut dyn Write, text: &str) -> Result<(), CliError> {
    writeln!(out, "\n== {text}\n")?;
    Ok(())
}

/// Takes the error, as `map_err` gives it.
#[allow(clippy::needless_pass_by_value, reason = "the shape that `map_err` asks for")]
fn failed(error: impl Display) -> CliError {
    CliError::Demo(format!("{error}"))
}

/// From text to tables, then to an honest and to a forged proof.
fn circuit(out: &mut dyn Write) -> Result<(), CliError> {
    title(out, "A circuit, as it is built: 37·x − 111 = 0 for a public x")?;
    let toy = parse(TOY).map_err(failed)?;
    write!(out, "{toy}")?;

    title(out, "What each pass changes")?;
    let mut diffs = Vec::new();
    let optimised = passes::optimisations()
        .run_with(toy, &Dump::Changed, &mut |diff| diffs.push(diff.trim_end().to_owned()))?;
    writeln!(out, "{}", diffs.join("\n\n"))?;

    title(out, "Its witness table")?;
    let slots = Pipeline::new().then(passes::LowerToSlots(Form::Fused)).run(optimised.clone())?;
    write!(out, "{slots}")?;

    for (form, text) in [
        (Form::Separate, "Its tables, one for each operation"),
        (Form::Fused, "Its tables, fused: this is what is proven"),
    ] {
        title(out, text)?;
        write!(out, "{}", passes::lowering(form).run(optimised.clone())?)?;
    }

    let Circuit::Tables(tables) = passes::lowering(Form::Fused).run(optimised)? else {
        return Err(failed("the lowering does not end with tables"));
    };
    let config = Config::default();
    title(out, &format!("A proof for x = 3, under the configuration `{}`", config.name))?;
    let progress = Progress::new("proving");
    let library = chipwright_chips::library(FIELD);
    let slot = tables.program.publics[0];
    let (prover, verifier) = compile_circuit::<Goldilocks2>(tables, &library, &config)?;
    let inputs = Inputs::publics([3]);
    let start = Instant::now();
    let proof = prover.prove(&inputs)?;
    let proving = start.elapsed();
    let bytes = proof.to_bytes().len();
    let start = Instant::now();
    verifier.verify(&[vec![3]], &proof)?;
    let verifying = start.elapsed();
    drop(progress);
    writeln!(out, "proved in {proving:.2?}: {bytes} bytes")?;
    writeln!(out, "verified in {verifying:.2?}")?;
    writeln!(out, "{}", proof.security(verifier.key())?)?;

    title(out, "The same for x = 4")?;
    match prover.prove(&Inputs::publics([4])) {
        Err(refusal) => writeln!(out, "the prover refuses: {refusal}")?,
        Ok(_) => return Err(failed("37·4 = 111 was proven")),
    }
    writeln!(out, "\nA prover that writes x = 4 into the tables all the same violates a rule:\n")?;
    let mut witness = prover.witness(&inputs, None)?;
    witness.values[slot.index()] = <Goldilocks2 as chipwright_ir::FieldPair>::Ext::from_u64(4);
    let forged = prover.trace(&witness)?;
    writeln!(out, "{}", check::<Goldilocks2>(prover.machine(), &forged))?;
    let proof = prover.key().prove(forged).map_err(failed)?;
    match verifier.verify(&[vec![4]], &proof) {
        Err(rejection) => writeln!(out, "\nits proof is no proof: {rejection}")?,
        Ok(()) => return Err(failed("a forged proof was accepted")),
    }
    Ok(())
}

/// A chip, and what a forged cell looks like.
fn chip(out: &mut dyn Write) -> Result<(), CliError> {
    title(out, "A chip, as it is recorded from its source, chips/src/word/add.rs")?;
    let chip = record::<Add32>(FIELD).map_err(failed)?;
    writeln!(out, "{chip}")?;

    let machine = Machine::new("sums", FIELD).add::<Add32>().build().map_err(failed)?;
    let input =
        Input::new(FIELD).rows::<Add32>([Sum { a: 1, b: 2 }, Sum { a: 0xffff, b: 1 }]).into_ir();
    let column = |name: &str| named_column(&machine.chips[0], name);
    let (low, carry) = (column("sum[0]")?, column("carry[0]")?);
    for (text, cells) in [
        ("A forged sum: 65535 + 1 = 7", vec![(low, 7)]),
        (
            "A forged sum that satisfies every rule: 65535 + 1 = 65536, in 16 bits",
            vec![(low, 65536), (carry, 0)],
        ),
    ] {
        title(out, text)?;
        let forge = cells.into_iter().map(|(column, value)| Forge {
            chip: machine.chips[0].name.clone(),
            row: 1,
            column,
            value,
        });
        let options = FillOptions { forge: forge.collect(), ..FillOptions::default() };
        let trace = fill_with::<Goldilocks2>(&machine, &input, &options).map_err(failed)?;
        let report = check::<Goldilocks2>(&machine, &trace);
        if report.is_ok() {
            return Err(failed("a forged trace satisfies every rule"));
        }
        writeln!(out, "{report}")?;
    }
    Ok(())
}

/// A program of a compiler, which commits to a hash.
const GUEST: &[u8] = include_bytes!("../../mips/guests/elf/commit.elf");

/// From a program to a proof of its run, and what becomes of it if it is altered.
fn program(out: &mut dyn Write) -> Result<(), CliError> {
    title(out, "A program, compiled for MIPS: examples/mips/guests/src/commit.c")?;
    let program = Program::from_elf(GUEST).map_err(failed)?;
    let input = chipwright_mips::Input::default();
    let progress = Progress::new("proving");
    let prover = MipsProver::new(Config::fast_100()).map_err(failed)?;
    let key = prover.setup(&program);
    let start = Instant::now();
    let proof = prover.prove_core(&program, &input, &Options::default()).map_err(failed)?;
    let proving = start.elapsed();
    let start = Instant::now();
    let outcome = prover.verify_core(&key, &proof).map_err(failed)?;
    let verifying = start.elapsed();
    drop(progress);
    let bytes = proof.to_bytes().len();
    writeln!(out, "its key: {} bytes", key.to_bytes().len())?;
    writeln!(
        out,
        "executed and proved in {proving:.2?}: {} instructions, {bytes} bytes",
        outcome.instructions
    )?;
    writeln!(out, "verified in {verifying:.2?}: exit code {}", outcome.exit_code)?;
    let committed = outcome.committed.iter().flatten();
    let committed: Vec<String> = committed.map(|word| format!("{word:08x}")).collect();
    writeln!(out, "committed {}", committed.join(" "))?;
    let mut forged = proof;
    forged.committed.words[0] ^= 1;
    match prover.verify_core(&key, &forged) {
        Err(rejection) => writeln!(out, "with another word: {rejection}")?,
        Ok(_) => return Err(failed("a forged word was accepted")),
    }
    Ok(())
}

fn named_column(chip: &IrChip, name: &str) -> Result<ColumnId, CliError> {
    let position = chip.columns.iter().position(|column| column.name == name);
    position.map(ColumnId::new).ok_or_else(|| failed(format!("there is no column {name}")))
}
