//! A picture of a run: one HTML page with the tables, in which rows that belong together are linked.
//!
//! Two rows are linked if they exchange a message over a bus: a cycle with its instruction, with the accesses of the
//! same cell before and after it, and with the byte that it reads or writes.
//!
//! ```
//! use chipwright_examples::brainfuck::{Options, Program, page};
//!
//! let page = page(&Program::compile(",+.")?, b"a", &Options::default(), 100)?;
//! assert!(page.contains("processor") && !page.contains("src="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde::Serialize;

use super::program::{Program, Symbol};
use super::vm::{Options, RunError, Vm};

/// What is shown.
#[derive(Serialize)]
struct Data {
    summary: String,
    tables: Vec<Table>,
}

/// The table of a chip.
#[derive(Serialize)]
struct Table {
    name: &'static str,
    about: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
}

/// A row with the messages that it exchanges. A message is a number; rows that share it are linked.
#[derive(Serialize)]
struct Row {
    cells: Vec<String>,
    links: Vec<u64>,
}

/// The page of a run, with its first cycles.
///
/// # Errors
///
/// Fails if the program cannot be executed so far.
///
/// # Panics
///
/// Never: numbers and names are always written as JSON.
pub fn page(
    program: &Program,
    input: &[u8],
    options: &Options,
    cycles: u64,
) -> Result<String, RunError> {
    let data = data(program, input, options, cycles)?;
    let json = serde_json::to_string(&data).expect("plain data serialises");
    // The data stands in a script element, which only a tag could end.
    Ok(include_str!("page.html").replace("/*DATA*/", &json.replace('<', "\\u003c")))
}

fn data(program: &Program, input: &[u8], options: &Options, cycles: u64) -> Result<Data, RunError> {
    // Messages: of the program by instruction, of the memory by the cycle that leaves a value behind (and by cell
    // for the initial ones), of the streams by cycle.
    let fetch = |ip: u64| 4 * ip;
    let left = |clk: u64| 4 * clk + 1;
    let initial = |mp: u64| 4 * mp + 2;
    let transfer = |clk: u64| 4 * clk + 3;

    let mut vm = Vm::new(program, input, *options);
    let mut processor = Vec::new();
    let (mut read, mut written) = (Vec::new(), Vec::new());
    while vm.clk < cycles {
        let Some(cycle) = vm.step()? else { break };
        let instruction = cycle.instruction;
        let mut links = vec![fetch(instruction.ip), left(cycle.clk)];
        // The value comes from the access before, or from the initial tape.
        links.push(if cycle.seen == 0 { initial(cycle.mp) } else { left(cycle.seen - 1) });
        let stream = match instruction.ci {
            Symbol::Input => Some(&mut read),
            Symbol::Output => Some(&mut written),
            _ => None,
        };
        if let Some(stream) = stream {
            links.push(transfer(cycle.clk));
            let cells = vec![cycle.clk.to_string(), cycle.new.to_string(), character(cycle.new)];
            stream.push(Row { cells, links: vec![transfer(cycle.clk)] });
        }
        let registers = [cycle.clk, instruction.ip].map(|value| value.to_string());
        let others = [instruction.ni, cycle.mp, cycle.mv, cycle.new, cycle.seen];
        let cells = registers
            .into_iter()
            .chain([instruction.ci.to_string()])
            .chain(others.map(|value| value.to_string()));
        processor.push(Row { cells: cells.collect(), links });
    }
    let program_rows = program.instructions().iter().map(|instruction| Row {
        cells: vec![
            instruction.ip.to_string(),
            instruction.ci.to_string(),
            instruction.ni.to_string(),
        ],
        links: vec![fetch(instruction.ip)],
    });
    let memory = vm.tape.iter().zip(&vm.seen).zip(0..).map(|((value, &seen), mp)| Row {
        cells: vec![mp.to_string(), "0".to_owned(), value.to_string(), seen.to_string()],
        links: [initial(mp)].into_iter().chain(seen.checked_sub(1).map(left)).collect(),
    });
    let ended = vm.instruction().is_none();
    let summary = format!(
        "{} cycles{}, {} cells, {} bytes read, {} bytes written.",
        vm.clk,
        if ended { ", to the end of the program" } else { " shown; the program goes on" },
        vm.tape.len(),
        vm.read,
        vm.output.len()
    );
    let memory = memory.collect();
    let stream = vec!["clk", "byte", "character"];
    let tables = vec![
        Table {
            name: "processor",
            about: "a cycle a row",
            columns: vec!["clk", "ip", "ci", "ni", "mp", "mv", "new", "seen"],
            rows: processor,
        },
        Table {
            name: "program",
            about: "an instruction a row",
            columns: vec!["ip", "ci", "ni"],
            rows: program_rows.collect(),
        },
        Table {
            name: "memory",
            about: "the tape before and after",
            columns: vec!["mp", "before", "after", "seen"],
            rows: memory,
        },
        Table { name: "input", about: "bytes read", columns: stream.clone(), rows: read },
        Table { name: "output", about: "bytes written", columns: stream, rows: written },
    ];
    Ok(Data { summary, tables })
}

/// A byte as a character, if it can be seen.
fn character(byte: u64) -> String {
    match u8::try_from(byte) {
        Ok(byte) if byte.is_ascii_graphic() => char::from(byte).to_string(),
        _ => String::new(),
    }
}
