//! The pages that say what proofs are worth claim nothing without a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Pages of which every paragraph, item and row is a claim, unless it says that it is assumed.
const PAGES: [&str; 2] = ["docs/soundness.md", "docs/checks.md"];

/// What a paragraph begins with that says what nobody checks.
const ASSUMED: &str = "**Assumed.**";

/// A section of what is not claimed.
const OUTSIDE: &str = "## What is outside";

/// Names with as many words are sentences, and so tests.
const WORDS_OF_A_SENTENCE: usize = 4;

/// Adds the names of the tests of a file, or of all files below a directory.
fn add_tests(path: &Path, tests: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("the directory is readable") {
            let entry = entry.expect("the directory is readable").path();
            if entry.file_name().is_some_and(|name| name != "target" && name != ".git") {
                add_tests(&entry, tests);
            }
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = fs::read_to_string(path).expect("sources are text");
        for (attribute, rest) in text.match_indices("#[test]").map(|(at, _)| text.split_at(at)) {
            let indented = attribute.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
            let function = rest.split_once("fn ").map(|(_, function)| function);
            let name = function.and_then(|function| function.split_once('('));
            if let Some((name, _)) = name.filter(|_| indented) {
                tests.insert(name.to_owned());
            }
        }
    }
}

/// The paragraphs, items of lists and rows of tables of a page, but for what is generated and what is no claim.
fn claims(page: &str) -> Vec<String> {
    let (mut claims, mut open) = (vec![String::new()], true);
    let (mut generated, mut outside) = (false, false);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        generated |= line.starts_with("<!-- generated:");
        if line.starts_with('#') {
            outside = line == OUTSIDE;
        }
        let is_row = line.starts_with('|');
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---")) && is_row;
        let is_nothing = line.is_empty() || line.starts_with('#') || line.starts_with("|---");
        if is_nothing || is_head || generated || outside {
            open = false;
        } else {
            if !open || is_row || line.starts_with("- ") {
                claims.push(String::new());
            }
            open = true;
            claims.last_mut().expect("one is open").push_str(&format!("{line}\n"));
        }
        generated &= line != "<!-- /generated -->";
    }
    claims.retain(|claim| !claim.is_empty());
    claims
}

#[test]
fn what_the_pages_claim_has_tests() {
    let mut tests = BTreeSet::new();
    add_tests(Path::new(ROOT), &mut tests);
    let mut wrong = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(Path::new(ROOT).join(page)).expect("the page is there");
        let claims = claims(&text);
        assert!(claims.len() >= 20, "{page}: {} claims", claims.len());
        for claim in claims {
            let is_name = |name: &&str| {
                name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            };
            let names: Vec<&str> = claim.split('`').skip(1).step_by(2).filter(is_name).collect();
            let sentence = |name: &str| name.split('_').count() >= WORDS_OF_A_SENTENCE;
            for name in names.iter().filter(|name| sentence(name) && !tests.contains(**name)) {
                wrong.push(format!("{page}: no test is named `{name}`"));
            }
            let assumed = claim.trim_start_matches("- ").starts_with(ASSUMED);
            if !assumed && !names.iter().any(|name| sentence(name) && tests.contains(*name)) {
                wrong.push(format!("{page}: no test stands behind\n{claim}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn claims_are_paragraphs_items_and_rows() {
    let page = "# Page\n\nOne,\nand more.\n\n- two\n- three,\n  and more\n\n| head |\n|---|\n| four |\n| five |\n\n\
                <!-- generated:x -->\nnothing\n<!-- /generated -->\n\nsix\n\n## What is outside\n\nnothing\n\n## Again\nseven\n";
    let expected = [
        "One,\nand more.",
        "- two",
        "- three,\n  and more",
        "| four |",
        "| five |",
        "six",
        "seven",
    ];
    assert_eq!(claims(page).iter().map(|claim| claim.trim_end()).collect::<Vec<_>>(), expected);
}
