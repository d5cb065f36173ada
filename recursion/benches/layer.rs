//! One steady-state layer of self-recursion: time by phase, cells, permutations, proof size; and the ratio to
//! Plonky3's own prover for the same proof in the same run.
//!
//! `cargo bench -p chipwright-recursion` measures every named configuration; names given as arguments choose some.

// A bench prints what it measures.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::prover::Phase;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::Field;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_recursion::batch::RecursiveField;
use chipwright_recursion::chain::Chain;
use chipwright_recursion::layer::Child;
use p3_field::PrimeCharacteristicRing;

const SAMPLES: usize = 5;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for config in Config::all() {
        if !wanted.is_empty() && !wanted.contains(&config.name.to_string()) {
            continue;
        }
        match config.field {
            Field::Goldilocks2 => measure::<Goldilocks2>(&config),
            Field::Goldilocks3 => measure::<Goldilocks3>(&config),
            Field::KoalaBear4 => measure::<KoalaBear4>(&config),
            other @ Field::KoalaBear5 => println!("{}: no layers over {other}", config.name),
        }
    }
}

fn median(mut samples: Vec<Duration>) -> f64 {
    samples.sort_unstable();
    samples[samples.len() / 2].as_secs_f64() * 1e3
}

#[allow(clippy::too_many_lines, reason = "one list of samples and what they say")]
fn measure<P: RecursiveField>(config: &Config) {
    let mut builder = CircuitBuilder::with_library("base", chipwright_chips::library(P::FIELD));
    let x = builder.add_public_input();
    let square = builder.mul(x, x);
    builder.assert_eq(square, 9).named("square");
    let circuit = builder.build().expect("the circuit is sound");
    let (prover, verifier) =
        compile_circuit::<P>(circuit.tables, &circuit.library, config).expect("it compiles");
    let base = prover.prove(&Inputs::publics([3])).expect("it can be proven");
    let key = verifier.key();
    let publics: Vec<Vec<P::Base>> =
        key.tables().iter().map(|t| vec![P::Base::from_u64(3); t.publics]).collect();
    let chain = Chain::<P>::new(key, &base.batch().degree_bits, &config.for_layers(), 8)
        .expect("layers can be built");
    let Some(at) = chain.fixed_point_at() else {
        println!("{} over {}: no fixed point within 8 layers", config.name, config.field);
        return;
    };
    let layer = chain.layer(at);
    let (statement, below) = {
        let root = chain.keys().root();
        let (inputs, mut statement) =
            chain.layer(1).inputs_over(key, &publics, &base, root, false).expect("a shape");
        let mut proof = chain.layer(1).prove(&inputs).expect("layer 1");
        for number in 2..=at {
            let child = Child { key: chain.layer(number - 1).key(), statement, proof: &proof };
            let (inputs, next) =
                chain.layer(number).inputs_above(&[child], chain.keys(), false).expect("a shape");
            proof = chain.layer(number).prove(&inputs).expect("a layer");
            statement = next;
        }
        (statement, proof)
    };
    let (mut inputs_time, mut witness_time, mut trace_time) = (vec![], vec![], vec![]);
    let (mut prove_time, mut reference_time, mut verify_time) = (vec![], vec![], vec![]);
    let mut phases = vec![Vec::new(); Phase::ALL.len()];
    let mut bytes = 0;
    for _ in 0..SAMPLES {
        let start = Instant::now();
        let child = Child { key: layer.key(), statement, proof: &below };
        let (inputs, next) =
            layer.inputs_above(&[child], chain.keys(), false).expect("the proof has the shape");
        inputs_time.push(start.elapsed());
        let start = Instant::now();
        let witness = layer.prover().witness(&inputs, None).expect("the proof is valid");
        witness_time.push(start.elapsed());
        let start = Instant::now();
        let trace = layer.prover().trace(&witness).expect("the tables can be filled");
        trace_time.push(start.elapsed());
        let reference = trace.clone();
        let start = Instant::now();
        let (proof, spent) =
            layer.prover().key().prove_with_phases(trace).expect("the trace can be proven");
        prove_time.push(start.elapsed());
        for (samples, phase) in phases.iter_mut().zip(Phase::ALL) {
            samples.push(spent.spent(phase));
        }
        let start = Instant::now();
        layer.prover().key().prove_by_reference(reference).expect("the trace can be proven");
        reference_time.push(start.elapsed());
        let start = Instant::now();
        layer.verify(&next, &proof).expect("the proof is valid");
        verify_time.push(start.elapsed());
        bytes = proof.to_bytes().len();
    }
    let build = chain.build_times()[at - 1];
    let degree = P::FIELD.degree();
    println!(
        "{} over {}: steady layer {at}, {} permutations",
        config.name,
        config.field,
        layer.permutations()
    );
    for table in layer.key().tables() {
        let height = 1_usize << table.log_height.unwrap_or(0);
        let columns = table.width + degree * (table.lookup_columns + table.quotient_chunks);
        println!(
            "  table {}: {height} rows, {} main + {} fixed + {}·{degree} lookup + {}·{degree} quotient \
             columns, {} cells",
            table.name,
            table.width,
            table.fixed_width,
            table.lookup_columns,
            table.quotient_chunks,
            columns * height,
        );
    }
    let witness = median(inputs_time.clone()) + median(witness_time.clone());
    let (prove, reference) = (median(prove_time), median(reference_time));
    println!("  build {:.1} ms", build.as_secs_f64() * 1e3);
    println!(
        "  inputs {:.1} ms, witness {:.1} ms, trace {:.1} ms",
        median(inputs_time),
        median(witness_time),
        median(trace_time.clone())
    );
    for (samples, phase) in phases.into_iter().zip(Phase::ALL) {
        println!("    {phase}: {:.1} ms", median(samples));
    }
    println!(
        "  prove {prove:.1} ms (Plonky3's prover {reference:.1} ms, ratio {:.3}), layer in all {:.1} ms",
        prove / reference,
        witness + median(trace_time) + prove,
    );
    println!("  {bytes} bytes, verified in {:.1} ms", median(verify_time));
}
