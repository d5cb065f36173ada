//! The page that lists all checks: its tests are there, and no named rule is missing.

/// The page.
const PAGE: &str = include_str!("../../../docs/checks.md");

/// Where the tests are.
const TESTS: [&str; 11] = [
    include_str!("../../../chips/tests/hostile/hashes.rs"),
    include_str!("../../../chips/tests/hostile/scripts.rs"),
    include_str!("../../../chips/tests/hostile/trees.rs"),
    include_str!("checks.rs"),
    include_str!("layers.rs"),
    include_str!("negative.rs"),
    include_str!("openings.rs"),
    include_str!("rules.rs"),
    include_str!("tamper.rs"),
    include_str!("../claims.rs"),
    include_str!("../verify.rs"),
];

/// Where rules get their names.
const RULES: [&str; 8] = [
    include_str!("../../../chips/src/primitive/alu.rs"),
    include_str!("../../../chips/src/primitive/values.rs"),
    include_str!("../../../chips/src/recursion/hasher.rs"),
    include_str!("../../../chips/src/recursion/index.rs"),
    include_str!("../../src/claims.rs"),
    include_str!("../../src/constraints/lookups.rs"),
    include_str!("../../src/layer.rs"),
    include_str!("../../src/pcs.rs"),
];

#[test]
fn the_page_of_checks_lists_every_named_rule_and_tests_that_exist() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| check"))
        .map(|line| line.trim_matches('|').split('|').collect())
        .collect();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    for row in &rows {
        let [_, violated, test] = row[..] else { panic!("three columns: {row:?}") };
        assert!(!violated.trim().is_empty(), "{row:?}");
        let names: Vec<&str> = test.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row:?}");
        for name in names {
            let head = format!("#[test]\nfn {name}() {{");
            assert!(TESTS.iter().any(|source| source.contains(&head)), "no test is named {name}");
        }
    }
    for source in RULES {
        let named = source.split(".named(\"").skip(1).filter_map(|rest| rest.split_once('"'));
        for (rule, _) in named {
            let listed =
                |row: &Vec<&str>| row[..2].iter().any(|c| c.contains(&format!("`{rule}`")));
            assert!(rows.iter().any(listed), "the rule `{rule}` is not listed");
        }
    }
}
