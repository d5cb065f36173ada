//! One steady-state layer of self-recursion, and one that verifies two proofs: time by phase, cells, permutations, proof
//! size; and the ratio to Plonky3's own prover for the same proof in the same run.
//!
//! `cargo bench -p chipwright-recursion` measures every named configuration; names given as arguments choose some.

// A bench prints what it measures.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::prover::Phase;
use chipwright_ir::Field;
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_recursion::batch::{Digest, RecursiveField};
use chipwright_recursion::chain::Chain;
use chipwright_recursion::claims::Claims;
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::{Layer, LayerError};
use chipwright_recursion::tree::Tree;
use chipwright_tests::{Below, Square};

const SAMPLES: usize = 5;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for config in Config::all() {
        if !wanted.is_empty() && !wanted.contains(&config.name.to_string()) {
            continue;
        }
        let measured = match config.field {
            Field::Goldilocks2 => measure::<Goldilocks2>(&config),
            Field::Goldilocks3 => measure::<Goldilocks3>(&config),
            Field::KoalaBear4 => measure::<KoalaBear4>(&config),
            Field::KoalaBear5 => continue,
        };
        if let Err(error) = measured {
            println!("{} over {}: {error}", config.name, config.field);
        }
    }
}

fn measure<P: RecursiveField>(config: &Config) -> Result<(), LayerError> {
    let square = Square::<P>::new(config);
    let base = square.prove();
    let (key, heights) = (square.verifier.key(), base.log_heights());

    let chain = Chain::<P>::new(key, heights, &config.for_layers(), 8)?;
    let at = chain.fixed_point_at().ok_or(LayerError::NoFixedPoint { levels: 8 })?;
    let below = Below::climb(&square, &base, chain.keys(), at, 1, |number| chain.layer(number))?;
    let build = chain.build_times()[at - 1].as_secs_f64() * 1e3;
    println!("{} over {}: steady layer {at}, built in {build:.1} ms", config.name, config.field);
    Samples::take(chain.layer(at), chain.keys(), &below)?.print(chain.layer(at));

    let tree = Tree::<P>::new(key, heights, Claims::Facts, &config.for_pairs())?;
    let top = tree.height(1);
    let below = Below::climb(&square, &base, tree.keys(), top, 2, |level| tree.level(level))?;
    println!("{} over {}: steady 2-to-1 level {top}", config.name, config.field);
    Samples::take(tree.level(top), tree.keys(), &below)?.print(tree.level(top));
    Ok(())
}

/// What the proofs of one layer took.
#[derive(Default)]
struct Samples {
    inputs: Vec<Duration>,
    witness: Vec<Duration>,
    trace: Vec<Duration>,
    phases: Vec<Vec<Duration>>,
    prove: Vec<Duration>,
    reference: Vec<Duration>,
    verify: Vec<Duration>,
    bytes: usize,
}

/// The time since `start`, which becomes now.
fn lap(start: &mut Instant) -> Duration {
    let now = Instant::now();
    now.duration_since(std::mem::replace(start, now))
}

fn median(samples: &[Duration]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    samples[samples.len() / 2].as_secs_f64() * 1e3
}

impl Samples {
    fn take<P: RecursiveField>(
        layer: &Layer<P>,
        keys: &KeySet<Digest<P>>,
        below: &Below<'_, P>,
    ) -> Result<Self, LayerError> {
        let mut samples = Self { phases: vec![Vec::new(); Phase::ALL.len()], ..Self::default() };
        let prover = layer.prover();
        for _ in 0..SAMPLES {
            let mut start = Instant::now();
            let (inputs, statement) = below.inputs_above(layer, keys)?;
            samples.inputs.push(lap(&mut start));
            // The layers have one table.
            let publics = [statement.publics()];
            let witness = prover.witness(&inputs, None)?;
            samples.witness.push(lap(&mut start));
            let trace = prover.trace(&witness)?;
            samples.trace.push(lap(&mut start));
            let reference = trace.clone();
            let mut start = Instant::now();
            let (proof, spent) =
                prover.key().prove_with_phases(trace).expect("the trace can be proven");
            samples.prove.push(lap(&mut start));
            prover.key().prove_by_reference(reference).expect("the trace can be proven");
            samples.reference.push(lap(&mut start));
            layer.key().verify(&publics, &proof).expect("the proof is valid");
            samples.verify.push(lap(&mut start));
            for (samples, phase) in samples.phases.iter_mut().zip(Phase::ALL) {
                samples.push(spent.spent(phase));
            }
            samples.bytes = proof.to_bytes().len();
        }
        Ok(samples)
    }

    fn print<P: RecursiveField>(&self, layer: &Layer<P>) {
        let degree = P::FIELD.degree();
        for table in layer.key().tables() {
            let height = 1_usize << table.log_height.unwrap_or(0);
            let columns = table.width + degree * (table.lookup_columns + table.quotient_chunks);
            println!(
                "  table {}: {height} rows, {} main + {} fixed + {}·{degree} lookup + {}·{degree} \
                 quotient columns, {} cells, {} permutations",
                table.name,
                table.width,
                table.fixed_width,
                table.lookup_columns,
                table.quotient_chunks,
                columns * height,
                layer.permutations(),
            );
        }
        let [inputs, witness, trace] =
            [&self.inputs, &self.witness, &self.trace].map(|samples| median(samples));
        println!("  inputs {inputs:.1} ms, witness {witness:.1} ms, trace {trace:.1} ms");
        for (samples, phase) in self.phases.iter().zip(Phase::ALL) {
            println!("    {phase}: {:.1} ms", median(samples));
        }
        let (prove, reference) = (median(&self.prove), median(&self.reference));
        println!(
            "  prove {prove:.1} ms (Plonky3's prover {reference:.1} ms, ratio {:.3}), layer in all \
             {:.1} ms",
            prove / reference,
            inputs + witness + trace + prove,
        );
        println!("  {} bytes, verified in {:.1} ms", self.bytes, median(&self.verify));
    }
}
