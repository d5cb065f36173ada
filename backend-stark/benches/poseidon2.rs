//! The recorded Poseidon2 chip against Plonky3's hand-written AIR, under one configuration: 2^14
//! permutations of width 8. Samples alternate between the two, so that the ratio of their medians does
//! not depend on how busy the machine is. Filling the traces is not part of either.

use std::time::{Duration, Instant};

use chipwright_backend_stark::air::RecordedAir;
use chipwright_backend_stark::config::{Config, Stark, StarkField};
use chipwright_backend_stark::key::compile;
use chipwright_chips::Poseidon2;
use chipwright_dsl::prelude::record;
use chipwright_ir::FieldPair;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{ChipRows, Machine, MachineInput, MachineTrace, fill};
use p3_air::symbolic::AirLayout;
use p3_air::{Air, BaseAir};
use p3_batch_stark::folder::ProverConstraintFolderWithLookups;
use p3_batch_stark::prover::quotient_values;
use p3_batch_stark::{ProverData, StarkInstance, prove_batch};
use p3_commit::{Pcs, PolynomialSpace};
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{Field, PrimeCharacteristicRing};
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL, GenericPoseidon2LinearLayersGoldilocks, Goldilocks,
};
use p3_lookup::{InteractionSymbolicBuilder, LogUpGadget};
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_poseidon2::ExternalLayerConstants;
use p3_poseidon2_air::{Poseidon2Air, RoundConstants};
use p3_uni_stark::StarkGenericConfig;

type Pair = Goldilocks2;
type Ext = <Pair as FieldPair>::Ext;
type HandWritten = Poseidon2Air<Goldilocks, GenericPoseidon2LinearLayersGoldilocks, 8, 7, 0, 4, 22>;

const LOG_HEIGHT: usize = 14;
const SAMPLES: usize = 11;

fn main() {
    let external = ExternalLayerConstants::new(
        GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL.to_vec(),
        GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL.to_vec(),
    );
    let constants = RoundConstants::try_from_layers(&external, &GOLDILOCKS_POSEIDON2_RC_8_INTERNAL)
        .expect("4 + 22 + 4 rounds");
    let air = HandWritten::new(constants);
    let trace = air.generate_random_trace_rows(1 << LOG_HEIGHT, 0);
    let chip = record::<Poseidon2<8>>(Pair::FIELD).expect("the chip records");
    println!(
        "2^{LOG_HEIGHT} Poseidon2 permutations of width 8; columns: recorded {}, hand-written {}",
        chip.width(),
        BaseAir::<Goldilocks>::width(&air)
    );
    let mut machine = Machine::new("permutations", Pair::FIELD);
    machine.chips.push((*chip).clone());
    let filled = permutations(&machine);
    quotient(&RecordedAir::new(&chip), &matrix(&filled), &air, &trace);
    for config in [Config::proven_100(), Config::peer_plonky2()] {
        proof(&config, &machine, &filled, &air, &trace);
    }
}

/// The trace of permutations of pairwise different states.
fn permutations(machine: &Machine) -> MachineTrace<Goldilocks> {
    let state = |row: u64| (0..8).map(move |i| row.wrapping_mul(0x9e37_79b9) ^ i);
    let rows = (0..1 << LOG_HEIGHT).map(state).collect::<ChipRows>();
    let name = machine.chips[0].name.clone();
    let input = MachineInput { rows: vec![(name, rows)], ..MachineInput::default() };
    fill::<Pair>(machine, &input).expect("every state has a permutation")
}

fn matrix(trace: &MachineTrace<Goldilocks>) -> RowMajorMatrix<Goldilocks> {
    RowMajorMatrix::new(trace.tables[0].values.clone(), trace.tables[0].width)
}

/// The whole prover.
fn proof(
    config: &Config,
    machine: &Machine,
    filled: &MachineTrace<Goldilocks>,
    air: &HandWritten,
    trace: &RowMajorMatrix<Goldilocks>,
) {
    let (key, _) = compile::<Pair>(machine, config).expect("the chip compiles");
    let stark = Pair::stark(&config.parameters, &[0; 32]);
    let data = ProverData::from_airs_and_degrees(&stark, std::slice::from_ref(air), &[LOG_HEIGHT])
        .expect("no preprocessed columns");
    compare(
        &format!("proof, {}", config.name),
        || {
            drop(key.prove(filled.clone()).expect("the shapes fit"));
        },
        || {
            let instance = StarkInstance { air, trace, public_values: vec![] };
            drop(prove_batch(&stark, &[instance], &data).expect("the shapes fit"));
        },
    );
}

/// The evaluation of the constraints on the quotient domain alone.
fn quotient(
    recorded: &RecordedAir<Goldilocks>,
    filled: &RowMajorMatrix<Goldilocks>,
    air: &HandWritten,
    trace: &RowMajorMatrix<Goldilocks>,
) {
    let stark = Pair::stark(&Config::proven_100().parameters, &[0; 32]);
    let (ours, theirs) = (extended(filled), extended(trace));
    compare(
        "quotient evaluation",
        || evaluate(&stark, recorded, &ours),
        || evaluate(&stark, air, &theirs),
    );
}

/// The low-degree extension of a trace to eight times its height.
fn extended(trace: &RowMajorMatrix<Goldilocks>) -> RowMajorMatrix<Goldilocks> {
    Radix2DitParallel::default()
        .coset_lde_batch(trace.clone(), 3, Goldilocks::GENERATOR)
        .bit_reverse_rows()
        .to_row_major_matrix()
        .bit_reverse_rows()
        .to_row_major_matrix()
}

fn evaluate<A>(stark: &Stark<Pair>, air: &A, evaluations: &RowMajorMatrix<Goldilocks>)
where
    A: Air<InteractionSymbolicBuilder<Goldilocks, Ext>>
        + for<'a> Air<ProverConstraintFolderWithLookups<'a, Stark<Pair>>>,
{
    let pcs = stark.pcs();
    let domain = <_ as Pcs<Ext, <Pair as StarkField>::Challenger>>::natural_domain_for_degree(
        pcs,
        1 << LOG_HEIGHT,
    );
    let quotient_domain = domain.create_disjoint_domain(1 << (LOG_HEIGHT + 3));
    let alpha = Ext::from_u64(3);
    let values = quotient_values::<Stark<Pair>, _, _, _>(
        pcs,
        air,
        &[],
        AirLayout::from_air(air),
        domain,
        quotient_domain,
        evaluations,
        None,
        &[],
        &[],
        &LogUpGadget::new(),
        &[],
        None,
        alpha,
    );
    std::hint::black_box(values);
}

/// Prints the medians of alternating samples, and their ratio.
fn compare(what: &str, recorded: impl Fn(), hand_written: impl Fn()) {
    let time = |run: &dyn Fn()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    recorded();
    hand_written();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        ours.push(time(&recorded));
        theirs.push(time(&hand_written));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "{what}: recorded {:.1} ms, hand-written {:.1} ms, ratio {:.3}",
        ours.as_secs_f64() * 1e3,
        theirs.as_secs_f64() * 1e3,
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples[samples.len() / 2]
}
