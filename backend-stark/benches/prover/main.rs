//! This crate's own prover against Plonky3's on a table of the shape of a recursion layer.
mod layer;

use std::time::{Duration, Instant};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::compile;
use chipwright_backend_stark::prover::Phase;
use chipwright_ir::field::Goldilocks2;

const SAMPLES: usize = 9;

fn main() {
    for (log_height, grinding) in [(12, true), (12, false)] {
        let (machine, trace) = layer::layer::<Goldilocks2>(log_height);
        let mut config = Config::proven_100();
        config.parameters.queries = 59;
        if !grinding {
            config.target = None;
            config.parameters.grinding = chipwright_backend_stark::config::Grinding::NONE;
        }
        let start = Instant::now();
        let (key, verifying) =
            compile::<Goldilocks2>(&machine, &config).expect("the layer compiles");
        let setup = start.elapsed();
        let table = &verifying.tables()[0];
        println!(
            "2^{log_height} rows; columns: {} main, {} preprocessed, {} lookup; {} chunks; setup {:.1} ms",
            table.width,
            table.fixed_width,
            table.lookup_columns,
            table.quotient_chunks,
            setup.as_secs_f64() * 1e3
        );
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut phases = vec![Vec::new(); Phase::ALL.len()];
        for sample in 0..=SAMPLES {
            let copy = trace.clone();
            let start = Instant::now();
            let (proof, spent) = key.prove_with_phases(copy).expect("the shapes fit");
            let our = start.elapsed();
            verifying.verify(&trace.publics, &proof).expect("the proof verifies");
            let copy = trace.clone();
            let start = Instant::now();
            let reference = key.prove_by_reference(copy).expect("the shapes fit");
            let their = start.elapsed();
            if sample == 0 {
                if !grinding {
                    assert_eq!(proof.to_bytes(), reference.to_bytes());
                }
                continue;
            }
            ours.push(our);
            theirs.push(their);
            for (samples, &phase) in phases.iter_mut().zip(&Phase::ALL) {
                samples.push(spent.spent(phase));
            }
        }
        let least = |samples: &[Duration]| samples.iter().min().copied().unwrap_or_default();
        println!("least: ours {:.1} ms, reference {:.1} ms", ms(least(&ours)), ms(least(&theirs)));
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "ours {:.1} ms, reference {:.1} ms, ratio {:.3}",
            ms(ours),
            ms(theirs),
            ms(ours) / ms(theirs)
        );
        for (samples, phase) in phases.into_iter().zip(Phase::ALL) {
            println!(
                "  {phase:16} {:7.1} ms (least {:.1})",
                ms(median(samples.clone())),
                ms(least(&samples))
            );
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples[samples.len() / 2]
}
