//! Random programs that end.
//!
//! A loop of such a program either counts a cell down that nothing else in the loop touches, or empties a cell,
//! so it ends. The pointer is known everywhere, so it stays on the tape.
//!
//! ```
//! use chipwright_examples::brainfuck::{Options, Program, generate, run};
//!
//! let source = generate(1, 40);
//! assert_eq!(source, generate(1, 40));
//! assert!(run(&Program::compile(&source)?, b"input", &Options::default()).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// Cells that commands work on; counters of loops are on their right, one for each depth.
const DATA: usize = 6;

/// The deepest loops.
const DEPTH: usize = 3;

/// A random program of about so many statements.
pub fn generate(seed: u64, statements: usize) -> String {
    let mut generator =
        Generator { state: seed ^ 0x5851_f42d_4c95_7f2d, source: String::new(), at: 0 };
    generator.block(statements, 0);
    generator.source
}

struct Generator {
    state: u64,
    source: String,
    /// Where the pointer is.
    at: usize,
}

impl Generator {
    /// A number below `bound`: `splitmix64`.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn write(&mut self, command: char, times: usize) {
        self.source.extend(std::iter::repeat_n(command, times));
    }

    fn go(&mut self, to: usize) {
        let (command, distance) =
            if to >= self.at { ('>', to - self.at) } else { ('<', self.at - to) };
        self.write(command, distance);
        self.at = to;
    }

    fn block(&mut self, statements: usize, depth: usize) {
        let mut left = statements;
        while left > 0 {
            let cell = self.below(DATA);
            let kind = self.below(10);
            if kind < 9 || depth == DEPTH {
                self.go(cell);
                left -= 1;
            }
            match kind {
                0..=2 => {
                    let times = 1 + self.below(5);
                    self.write('+', times);
                }
                // Below zero as often as not.
                3..=4 => {
                    let times = 1 + self.below(5);
                    self.write('-', times);
                }
                5 => self.write('.', 1),
                6 => self.write(',', 1),
                7 => self.source += "[-]",
                // Moves the cell to another one.
                8 => {
                    let to = (cell + 1 + self.below(DATA - 1)) % DATA;
                    self.source += "[-";
                    self.go(to);
                    self.source += "+";
                    self.go(cell);
                    self.source += "]";
                }
                _ if depth == DEPTH => self.write('.', 1),
                _ => {
                    let inner = 1 + self.below(left);
                    self.counted_loop(inner, depth);
                    left -= inner;
                }
            }
        }
    }

    /// A loop with a counter that its body leaves alone.
    fn counted_loop(&mut self, statements: usize, depth: usize) {
        let counter = DATA + depth;
        self.go(counter);
        let times = 1 + self.below(4);
        self.source += "[-]";
        self.write('+', times);
        self.source += "[";
        self.block(statements, depth + 1);
        self.go(counter);
        self.source += "-]";
    }
}
