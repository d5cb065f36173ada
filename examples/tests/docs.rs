//! The generated parts of the documentation are what the code says. `UPDATE_DOCS=1` rewrites them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chipwright_backend_stark::config::Config;
use chipwright_examples::cli;
use chipwright_mips::prove::MipsProver;
use chipwright_mips::prove::cells::Cells;
use chipwright_tests::mips::compare_steady_layer;

/// What is generated: the name of the marker, the page, and the text.
fn generated() -> Vec<(&'static str, &'static str, String)> {
    let security = cli::security::markdown().expect("named configurations are valid");
    let chips = cli::chips::markdown();
    let brainfuck = cli::bf::markdown().expect("the machine is compiled");
    let layer = cli::recurse::markdown().expect("the layers are built");
    let mips = compare_steady_layer(&Config::default()).expect("the layers are proven");
    let machine = chipwright_mips::machine::machine().expect("the chips fit together");
    vec![
        (
            "help",
            "docs/building-a-circuit.md",
            format!("```text\n{}\n```\n", cli::help().trim_end()),
        ),
        ("security", "docs/soundness.md", security),
        ("mutants", "docs/soundness.md", mutants()),
        ("chips", "docs/writing-a-chip.md", chips),
        ("brainfuck", "docs/brainfuck.md", brainfuck),
        ("layer", "docs/recursion.md", layer),
        ("instructions", "docs/mips.md", chipwright_mips_isa::instruction_table()),
        ("mips", "docs/recursion.md", mips.to_string()),
        ("mips-chips", "docs/mips.md", chipwright_mips::machine::roles::markdown(&machine)),
        ("mips-cells", "docs/mips.md", cells().markdown()),
    ]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("examples is in the workspace")
}

/// The page with the text between its markers.
fn with_text(page: &str, name: &str, text: &str) -> String {
    let (start, end) = (format!("<!-- generated:{name} -->\n"), "<!-- /generated -->");
    let (before, rest) = page.split_once(&start).expect("the page has the marker");
    let (_, after) = rest.split_once(end).expect("the generated part ends");
    format!("{before}{start}{text}{end}{after}")
}

/// What became of the mutants in `docs/mutants.tsv`: by module, and all that survived.
fn mutants() -> String {
    let path = root().join("docs/mutants.tsv");
    let text = fs::read_to_string(path).expect("the results are committed");
    let mut modules: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut survivors = String::new();
    for line in text.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let &[module, function, mutation, verdict, _, reason] = &cells[..] else {
            panic!("six columns were expected: {line}");
        };
        let survived = verdict == "survived";
        if survived {
            assert!(!reason.is_empty(), "no reason is given: {line}");
            let mutation = mutation.replace('|', "\\|");
            survivors += &format!("| `{module}`, `{function}` | {mutation} | {reason} |\n");
        }
        if survived || verdict == "killed" {
            let counts = modules.entry(module).or_default();
            counts[usize::from(survived)] += 1;
        }
    }
    let row = |name: &str, [killed, survived]: [usize; 2]| {
        format!("| {name} | {} | {killed} | {survived} |\n", killed + survived)
    };
    let all = modules.values().fold([0; 2], |sum, counts| [sum[0] + counts[0], sum[1] + counts[1]]);
    let counts: String =
        modules.iter().map(|(name, &counts)| row(&format!("`{name}`"), counts)).collect();
    format!(
        "| module | judged | killed | survivors |\n|---|---:|---:|---:|\n{counts}{}\n\
         | function | survivor | why nothing notices |\n|---|---|---|\n{survivors}",
        row("all", all)
    )
}

/// What instructions of the MIPS machine cost.
fn cells() -> Cells {
    let prover = MipsProver::new(Config::fast_100()).expect("the chips fit together");
    let kind = prover.menu().iter().position(|kind| kind.name == "general-16");
    prover.cells(kind.expect("the kind is on the menu")).expect("the kind has keys")
}

#[test]
fn an_instruction_of_the_mix_has_thirty_cells_at_most() {
    let cells = cells();
    assert!(cells.weighted_cells <= 30.0, "{}", cells.weighted_cells);
    let sum: f64 = cells.by_chip.iter().map(|chip| chip.instructions).sum();
    assert!((sum - 100.0).abs() < 1e-9, "{sum}");
}

/// Guards that nobody tests are few.
#[test]
fn nearly_every_guard_is_noticed_when_it_is_gone() {
    let text =
        fs::read_to_string(root().join("docs/mutants.tsv")).expect("the results are committed");
    let count = |verdict: &str| {
        text.lines().filter(|line| line.split('\t').nth(3) == Some(verdict)).count()
    };
    let (killed, survived) = (count("killed"), count("survived"));
    assert!(killed + survived >= 200, "{killed} + {survived} judged");
    assert!(4 * survived <= killed, "{survived} of {} survive", killed + survived);
}

#[test]
fn generated_parts_are_not_stale() {
    let mut stale = Vec::new();
    for (name, path, text) in generated() {
        let file = root().join(path);
        let page = fs::read_to_string(&file).expect("the page exists");
        let expected = with_text(&page, name, &text);
        if page != expected {
            stale.push(path);
            if std::env::var_os("UPDATE_DOCS").is_some() {
                fs::write(&file, expected).expect("the page is writable");
            }
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}; run with UPDATE_DOCS=1 and look at the changes");
}

#[test]
fn every_marker_is_generated() {
    let known: Vec<String> =
        generated().iter().map(|(name, ..)| format!("<!-- generated:{name} -->")).collect();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("the page is readable");
        for line in text.lines().filter(|line| line.starts_with("<!-- generated:")) {
            assert!(known.iter().any(|marker| marker == line), "{}: {line}", page.display());
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("the page is readable");
        let directory = page.parent().expect("pages are in directories");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                assert!(directory.join(file).exists(), "{}: {link}", page.display());
            }
        }
    }
}

/// The pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("there is documentation");
    let docs = docs.map(|entry| entry.expect("the directory is readable").path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let top = ["README.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    top.into_iter().chain(pages).collect()
}
