//! Pages in the documentation that a test keeps true.
//!
//! What is generated stands between two markers; what people write around them stays.

use std::path::Path;
use std::{fs, io};

const BEGIN: &str = "<!-- generated from the chip: do not edit below -->";
const END: &str = "<!-- end of what is generated -->";

/// Puts a page between the markers of a file, and says whether it was there already.
///
/// # Errors
///
/// Fails if the file cannot be written.
pub fn refresh(path: &Path, page: &str) -> io::Result<bool> {
    let generated = format!("{BEGIN}\n\n{page}\n{END}\n");
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let (head, tail) = match (before.find(BEGIN), before.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            (&before[..begin], before[end + END.len()..].trim_start_matches('\n'))
        }
        _ => (before.as_str(), ""),
    };
    let after = format!("{head}{generated}{tail}");
    if after == before {
        return Ok(true);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, after)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_page_is_rewritten_and_what_people_wrote_stays() {
        let path = std::env::temp_dir().join(format!("chipwright-{}.md", std::process::id()));
        fs::write(&path, format!("Before.\n{BEGIN}\nold\n{END}\nAfter.\n")).unwrap();
        assert!(!refresh(&path, "new\n").unwrap());
        assert!(refresh(&path, "new\n").unwrap());
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(text, format!("Before.\n{BEGIN}\n\nnew\n\n{END}\nAfter.\n"));
    }
}
