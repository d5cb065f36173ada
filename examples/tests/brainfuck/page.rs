//! The page of a run, in a browser without a window.

use std::fs;
use std::path::Path;
use std::process::Command;

use chipwright_examples::brainfuck::{Options, Program, page};

/// The page's document after its scripts ran; `None` without a browser.
fn document(html: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page.html");
    fs::write(&path, html).expect("the directory of tests is writable");
    let url = format!("file://{}", path.display());
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(|browser| {
        let arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &url];
        let output = Command::new(browser).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    })
}

#[test]
fn the_page_links_the_rows_of_a_run() {
    let program = Program::compile(",[.,]").expect("the program compiles");
    let html = page(&program, b"<script>", &Options::default(), 1000).expect("the program runs");
    // Nothing is loaded from elsewhere, and the data cannot end its element.
    assert!(!html.contains("http") && !html.contains("src="));
    assert_eq!(html.matches("</script>").count(), 2);
    let Some(document) = document(&html) else {
        println!("skipped: no browser is installed (apt-get install chromium)");
        return;
    };
    // 26 cycles, 5 instructions, 1 cell, 9 bytes read and 8 written.
    assert!(document.contains("data-rows=\"49\""), "{}", &document[..300.min(document.len())]);
    // The first cycle is chosen: its instruction, the next access, the tape and the byte are linked.
    assert!(document.contains("data-linked=\"4\""), "{}", &document[..300.min(document.len())]);
}
