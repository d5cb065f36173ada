//! Changes to inputs: of bits and bytes, of numbers as texts and as proofs write them, of words and of lines.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The longest input.
const LONGEST: usize = 64 << 10;

/// A change. Places are fractions of the input, in units of 2^-32.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Flip {
        at: u32,
        bit: u8,
    },
    Set {
        at: u32,
        byte: u8,
    },
    Insert {
        at: u32,
        bytes: Vec<u8>,
    },
    Remove {
        at: u32,
        length: u16,
    },
    /// Repeats what stands there.
    Repeat {
        at: u32,
        length: u16,
        times: u16,
    },
    /// Copies from an input of the corpus.
    Splice {
        at: u32,
        input: u32,
        from: u32,
        length: u16,
    },
    /// The next number of a text becomes another.
    Decimal {
        at: u32,
        number: u64,
    },
    /// A number in the encoding of proofs becomes another.
    Varint {
        at: u32,
        number: u64,
    },
    /// The next word of a text becomes another word of the input, or a known one.
    Word {
        at: u32,
        from: u32,
        known: Option<&'static str>,
    },
    /// A line is copied elsewhere.
    Line {
        at: u32,
        from: u32,
    },
    Truncate {
        at: u32,
    },
}

/// Changes to an input of the corpus, which the first number chooses.
#[derive(Clone, Debug)]
pub(crate) struct Edits {
    input: u32,
    edits: Vec<Edit>,
}

/// Numbers at the bounds of what types and fields hold.
const NUMBERS: [u64; 20] = [
    0,
    1,
    2,
    3,
    255,
    256,
    65_535,
    65_536,
    1 << 20,
    2_130_706_432,
    2_130_706_433,
    1 << 31,
    u32::MAX as u64,
    1 << 32,
    0xffff_ffff_0000_0000,
    0xffff_ffff_0000_0001,
    0xffff_ffff_0000_0002,
    1 << 62,
    1 << 63,
    u64::MAX,
];

const WORDS: [&str; 32] = [
    "add",
    "mul",
    "div",
    "hint",
    "call",
    "const",
    "public",
    "private",
    "bit",
    "felt",
    "ext",
    "assert_bit",
    "assert_zero",
    "connect",
    "eq",
    "fill",
    "lookup",
    "provide",
    "send",
    "receive",
    "times",
    "weight",
    "exclusive",
    "next",
    "split",
    "native",
    "access",
    "row",
    "step",
    "first",
    "\u{1b}[2J",
    "\u{202e}",
];

pub(crate) fn edits() -> impl Strategy<Value = Edits> {
    let at = any::<u32>;
    let number = || prop_oneof![3 => select(NUMBERS.to_vec()), 1 => any::<u64>(), 1 => 0..64_u64];
    let edit = prop_oneof![
        2 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip { at, bit }),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set { at, byte }),
        1 => (at(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Edit::Insert { at, bytes }),
        2 => (at(), 1..64_u16).prop_map(|(at, length)| Edit::Remove { at, length }),
        1 => (at(), 1..64_u16, 1..2048_u16)
            .prop_map(|(at, length, times)| Edit::Repeat { at, length, times }),
        1 => (at(), at(), at(), 1..512_u16)
            .prop_map(|(at, input, from, length)| Edit::Splice { at, input, from, length }),
        4 => (at(), number()).prop_map(|(at, number)| Edit::Decimal { at, number }),
        3 => (at(), number()).prop_map(|(at, number)| Edit::Varint { at, number }),
        4 => (at(), at(), proptest::option::of(select(WORDS.to_vec())))
            .prop_map(|(at, from, known)| Edit::Word { at, from, known }),
        3 => (at(), at()).prop_map(|(at, from)| Edit::Line { at, from }),
        1 => at().prop_map(|at| Edit::Truncate { at }),
    ];
    (any::<u32>(), vec(edit, 1..6)).prop_map(|(input, edits)| Edits { input, edits })
}

/// The place that a fraction means among `count`.
fn place(fraction: u32, count: usize) -> usize {
    ((u64::from(fraction) * count as u64) >> 32) as usize
}

pub(crate) fn apply(Edits { input, edits }: &Edits, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[place(*input, corpus.len())].clone();
    for edit in edits {
        change(&mut bytes, edit, corpus);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, edit: &Edit, corpus: &[Vec<u8>]) {
    let count = bytes.len();
    let range = |at: u32, length: u16| {
        let start = place(at, count);
        start..(start + usize::from(length)).min(count)
    };
    match edit {
        Edit::Flip { at, bit } => {
            if let Some(byte) = bytes.get_mut(place(*at, count)) {
                *byte ^= 1 << bit;
            }
        }
        Edit::Set { at, byte } => {
            if let Some(old) = bytes.get_mut(place(*at, count)) {
                *old = *byte;
            }
        }
        Edit::Insert { at, bytes: new } => insert(bytes, place(*at, count), new),
        Edit::Remove { at, length } => drop(bytes.drain(range(*at, *length))),
        Edit::Repeat { at, length, times } => {
            let range = range(*at, *length);
            let piece = bytes[range.clone()].repeat(usize::from(*times));
            insert(bytes, range.end, &piece[..piece.len().min(LONGEST)]);
        }
        Edit::Splice { at, input, from, length } => {
            let other = &corpus[place(*input, corpus.len())];
            let start = place(*from, other.len());
            let end = (start + usize::from(*length)).min(other.len());
            insert(bytes, place(*at, count), &other[start..end]);
        }
        Edit::Decimal { at, number } => {
            if let Some(found) = run(bytes, place(*at, count), u8::is_ascii_digit) {
                bytes.splice(found, number.to_string().into_bytes());
            }
        }
        Edit::Varint { at, number } => {
            let start = place(*at, count);
            let long = bytes[start..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
            bytes.splice(start..(start + long).min(count), varint(*number));
        }
        Edit::Word { at, from, known } => {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let other = run(bytes, place(*from, count), is_word).map(|range| bytes[range].to_vec());
            let word = known.map(|word| word.as_bytes().to_vec()).or(other);
            if let (Some(found), Some(word)) = (run(bytes, place(*at, count), is_word), word) {
                bytes.splice(found, word);
            }
        }
        Edit::Line { at, from } => {
            let line = line(bytes, place(*from, count));
            let line = bytes[line].to_vec();
            let start = self::line(bytes, place(*at, count)).start;
            insert(bytes, start, &line);
        }
        Edit::Truncate { at } => bytes.truncate(place(*at, count)),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    bytes.splice(at..at, new.iter().copied());
}

/// The first run of such bytes from a place on.
fn run(bytes: &[u8], from: usize, accept: impl Fn(&u8) -> bool) -> Option<std::ops::Range<usize>> {
    let start = from + bytes[from..].iter().position(&accept)?;
    let length = bytes[start..].iter().take_while(|byte| accept(byte)).count();
    Some(start..start + length)
}

/// The line around a place, with its end.
fn line(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n');
    start..end.map_or(bytes.len(), |end| at + end + 1)
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
