//! How building, optimising, lowering and executing a circuit grow with its size.
//!
//! Before the timings a table is printed: time and memory for one run from 10⁴ to 10⁶ operations, and
//! the bytes per operation, which should not grow. Memory is the growth of the resident set (Linux).

use std::hint::black_box;
use std::time::Instant;

use chipwright_ir::Field;
use chipwright_ir::circuit::passes::optimisations;
use chipwright_ir::circuit::{
    BinaryOp, Circuit, Environment, Form, Graph, HintKind, Inputs, Tables, ValueType,
    lower_to_slots, lower_to_tables,
};
use chipwright_ir::field::Goldilocks2;
use criterion::{BenchmarkId, Criterion, Throughput};

/// A circuit of about `operations` operations: Horner steps over the extension, with a repeated and a
/// neutral operation now and then for the passes to find.
fn build(operations: usize) -> Graph {
    let mut graph = Graph::new("scale", Field::Goldilocks2);
    let x = graph.public(ValueType::Ext);
    let base = graph.public(ValueType::Felt);
    let one = graph.constant(1);
    let mut accumulator = x;
    let mut coefficient = base;
    while graph.len() < operations {
        coefficient = graph.binary(BinaryOp::Mul, coefficient, base);
        let again = graph.binary(BinaryOp::Mul, base, coefficient);
        coefficient = graph.binary(BinaryOp::Add, again, coefficient);
        for _ in 0..4 {
            let product = graph.binary(BinaryOp::Mul, accumulator, x);
            accumulator = graph.binary(BinaryOp::Add, product, coefficient);
        }
        accumulator = graph.binary(BinaryOp::Mul, accumulator, one);
    }
    // A rule that holds for every input, but that no pass can see through: everything stays alive.
    let inverse = graph.hint(HintKind::InverseOrZero, &[accumulator])[0];
    let product = graph.binary(BinaryOp::Mul, accumulator, inverse);
    let again = graph.binary(BinaryOp::Mul, product, accumulator);
    graph.assert_eq(again, accumulator);
    graph
}

fn compile(graph: Graph) -> Tables {
    let optimised = optimisations().verify_each(false).run(Circuit::Expr(graph));
    let Ok(Circuit::Expr(graph)) = optimised else { unreachable!("the circuit is well formed") };
    lower_to_tables(lower_to_slots(&graph, Form::Fused).expect("no contradiction"))
}

fn inputs() -> Inputs {
    Inputs { publics: vec![vec![3, 5], vec![7]], ..Inputs::default() }
}

/// The resident set in bytes, or 0 where the system does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn table() {
    println!("operations   build ms   compile ms   execute ms   bytes/operation (graph + tables)");
    for operations in [10_000, 100_000, 1_000_000] {
        let before = resident();
        let start = Instant::now();
        let graph = build(operations);
        let built = start.elapsed();
        let kept = graph.clone();
        let start = Instant::now();
        let tables = compile(graph);
        let compiled = start.elapsed();
        let bytes = resident().saturating_sub(before) / operations;
        let start = Instant::now();
        let run = tables.program.execute::<Goldilocks2>(&inputs(), Environment::default());
        let executed = start.elapsed();
        assert!(run.is_ok() && kept.len() >= operations);
        assert!(tables.row_count() > operations / 3, "the passes removed the circuit");
        println!(
            "{operations:>10} {:>10.1} {:>12.1} {:>12.1} {bytes:>8}",
            built.as_secs_f64() * 1e3,
            compiled.as_secs_f64() * 1e3,
            executed.as_secs_f64() * 1e3,
        );
    }
}

fn main() {
    table();
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("circuit");
    for operations in [10_000, 100_000] {
        group.throughput(Throughput::Elements(operations as u64));
        group.bench_function(BenchmarkId::new("build", operations), |b| {
            b.iter(|| black_box(build(operations)));
        });
        let graph = build(operations);
        group.bench_function(BenchmarkId::new("compile", operations), |b| {
            b.iter(|| black_box(compile(graph.clone())));
        });
        let tables = compile(graph);
        group.bench_function(BenchmarkId::new("execute", operations), |b| {
            b.iter(|| tables.program.execute::<Goldilocks2>(&inputs(), Environment::default()));
        });
    }
    group.finish();
    criterion.final_summary();
}
