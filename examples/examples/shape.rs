//! x
use chipwright_backend_stark::config::Config;
use chipwright_examples::brainfuck::*;
use std::time::Instant;
fn main() {
    let src = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let log: u8 = std::env::args().nth(2).unwrap().parse().unwrap();
    let program = Program::compile(&src).unwrap();
    let mut config = Config::proven_100();
    if let Some(b) = std::env::args().nth(3) {
        let b: usize = b.parse().unwrap();
        config.parameters.log_blowup = b;
        config.parameters.queries = std::env::args().nth(4).unwrap().parse().unwrap();
        config.parameters.cap_height = 1;
    }
    let options =
        ProveOptions { log_cycles: log, config: config.clone(), ..ProveOptions::default() };
    let (run, shape) = plan(&program, b"", &options).unwrap();
    println!("{run:?} {shape:?}");
    let engine = Engine::new(&program, shape, &config).unwrap();
    for t in engine.key().tables() {
        println!(
            "{} width {} fixed {} lookups {} chunks {} degree {} messages {} h {:?}",
            t.name,
            t.width,
            t.fixed_width,
            t.lookup_columns,
            t.quotient_chunks,
            t.degree,
            t.messages,
            t.log_height
        );
    }
    let heights: Vec<usize> = engine
        .key()
        .tables()
        .iter()
        .map(|t| t.log_height.or(shape.log_height(&t.name)).unwrap_or(8))
        .collect();
    let r = engine.key().security(&heights).unwrap();
    println!("{r}");
    for t in &r.proven_terms {
        println!("  {:?}", t);
    }
    let start = Instant::now();
    let segment = Segments::new(&program, b"", Options::default(), shape).next().unwrap().unwrap();
    println!("execute {:?}", start.elapsed());
    let start = Instant::now();
    let trace = engine.trace(&segment, [0; 4]).unwrap();
    println!("trace {:?}", start.elapsed());
    let start = Instant::now();
    let proof = engine.prover().key().prove(trace).unwrap();
    println!("prove {:?} {} bytes", start.elapsed(), proof.to_bytes().len());
}
