//! Progress of long commands: a spinner on a terminal, nothing in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// What is being done, shown until it is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows a spinner with what is being done. Standard error decides: if it is no terminal, nothing is
    /// shown.
    pub fn new(doing: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(doing.into());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Goes on to something else.
    pub fn next(&self, doing: impl Into<String>) {
        self.0.set_message(doing.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
