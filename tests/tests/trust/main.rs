//! Texts that say more than they prove, and proofs of what they say: each is refused, on every way to a key. Texts of
//! files are in `tests/hostile`.

mod chips;
mod circuits;

use std::path::Path;

/// A text of `tests/hostile`.
fn hostile(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile").join(name);
    std::fs::read_to_string(path).expect("the file is there")
}
