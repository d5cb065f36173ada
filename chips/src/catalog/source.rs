//! The size of a chip's description.

/// The number of lines of `source` that describe the chip `name`: comments, blank lines, and the structs and
/// rules of other chips in the file do not count.
pub(super) fn lines_of(name: &str, source: &str) -> usize {
    let mut total = 0;
    // Attributes belong to the item below them.
    let mut attributes = 0;
    let mut others_item = false;
    for line in source.lines() {
        let code = line.trim_start();
        if code.is_empty() || code.starts_with("//") {
            continue;
        }
        let top_level = code.len() == line.len();
        if top_level && code.starts_with("#[") {
            attributes += 1;
            continue;
        }
        if let Some(item) = chip_of(line) {
            others_item = item != name;
        }
        if !others_item {
            total += 1 + attributes;
        }
        attributes = 0;
        if line == "}" {
            others_item = false;
        }
    }
    total
}

/// The chip whose struct or rules start on a line.
fn chip_of(line: &str) -> Option<&str> {
    let after = match line.strip_prefix("pub struct ") {
        Some(after) => after,
        None if line.starts_with("impl") => line.split_once("Chip for ")?.1,
        None => return None,
    };
    after.split(|letter: char| !letter.is_alphanumeric()).next()
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    #[test]
    fn comments_and_other_chips_do_not_count() {
        let source = "//! Idea.\n\nuse a;\n\n/// Doc.\n#[chip]\npub struct A {\n    #[input]\n    x: Felt,\n}\n\n\
                      #[chip]\npub struct B {\n    y: Felt,\n}\n\nimpl Chip for B {\n    fn row() {}\n}\n";
        assert_eq!(lines_of("A", source), 6);
        assert_eq!(lines_of("B", source), 8);
    }
}
