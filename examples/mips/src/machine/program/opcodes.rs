//! What each opcode's words look like and mean: a table that decoding looks up, made from that of the instructions.

use std::sync::LazyLock;

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{Description, Opcode};

use super::meaning::{Constant, Meaning, Place, meaning};

/// How the words of an opcode are cut and what they mean.
///
/// A number below `2^w` is one that is below `2^16` after multiplication with `2^(16 − w)`: `bound`s are such factors, and `2^16`
/// where a field is not there, so that it is zero. Numbers of registers are sums of fields and constants.
#[derive(Debug, Columns)]
pub struct Decoded {
    /// The fixed bits of the word.
    pub bits: Felt,
    /// The bounds of `rs`, `rt`, `rd`, the amount, and the two halves of the constant.
    pub bounds: [Felt; 6],
    /// What `rd` is multiplied with in the word: it may stand there twice.
    pub place_of_rd: Felt,
    /// What the constant is multiplied with in the word.
    pub place_of_constant: Felt,
    /// What is done.
    pub operation: Felt,
    /// Which variant of it.
    pub mode: Felt,
    /// The number of the first register: itself, and how often `rs` and `rt` count.
    pub first: [Felt; 3],
    /// The number of the second register: itself, and how often `rt` counts.
    pub second: [Felt; 2],
    /// The number of the target: itself, and how often `rt` and `rd` count.
    pub target: [Felt; 3],
    /// What the constant is, if it is the field or an address: each kind, zero or one.
    pub constant: [Felt; KINDS],
    /// What the constant is, if it is a power of two: its kind, and whether the amount and `rd` are its arguments.
    pub power: [Felt; 3],
    /// Whether the target must not be the first register.
    pub distinct: Felt,
}

/// An entry of the table of opcodes.
#[message]
pub struct Decoding {
    /// What it says.
    pub decoded: Decoded,
}

/// The number of kinds of constants that are no powers.
pub const KINDS: usize = 5;

/// The table: one opcode a row.
///
/// # Soundness
///
/// No word belongs to two opcodes, which a test of the table of instructions shows, and a word is cut into the fields of
/// its opcode in one way. Words that belong to none have no row.
#[chip]
pub struct Opcodes {
    #[fixed]
    decoded: Decoded,
    #[port(bus = "opcodes")]
    table: Provide<Decoding>,
}

impl Chip for Opcodes {
    fn row(c: &Builder, row: &Row<Self>) {
        c.provide(row.table, Decoding { decoded: row.decoded });
    }

    fn fixed(_: Field) -> Vec<OpcodesFixed> {
        let decoded = Opcode::ALL.iter().filter_map(|&opcode| decoding(opcode));
        decoded.map(|decoded| OpcodesFixed { decoded: decoded.clone() }).collect()
    }
}

/// The row of an opcode, if there is a chip for it.
pub fn decoding(opcode: Opcode) -> Option<&'static DecodedNative> {
    static ROWS: LazyLock<Vec<Option<DecodedNative>>> =
        LazyLock::new(|| Opcode::ALL.iter().map(|&opcode| decoded(opcode)).collect());
    ROWS[opcode as usize].as_ref()
}

fn decoded(opcode: Opcode) -> Option<DecodedNative> {
    let Meaning { operation, mode, constant, first, second, target, distinct } = meaning(opcode)?;
    let layout = Word::of(opcode.description());
    let mut kinds = [0; KINDS];
    let mut power = [0; 3];
    match constant {
        Constant::None => {}
        Constant::Power(kind) => {
            let has_high = opcode == Opcode::Ext || opcode == Opcode::Ins;
            power = [kind, 1, u64::from(has_high)];
        }
        field => kinds[field.kind()] = 1,
    }
    let number = |place: Place| if let Place::Number(number) = place { number } else { 0 };
    let is = |place: Place, other: Place| u64::from(place == other);
    Some(DecodedNative {
        bits: layout.fixed,
        bounds: layout.bounds,
        place_of_rd: layout.place_of_rd,
        place_of_constant: layout.place_of_constant,
        operation: operation as u64,
        mode: Field::Goldilocks2.reduce(mode.into()),
        first: [number(first), is(first, Place::Rs), is(first, Place::Rt)],
        second: [number(second), is(second, Place::Rt)],
        target: [number(target), is(target, Place::Rt), is(target, Place::Rd)],
        constant: kinds,
        power,
        distinct: distinct.into(),
    })
}

/// Where the fields are in a word: `rs`, `rt`, `rd`, the amount, and the constant.
pub(super) const PLACES: [u32; 5] = [21, 16, 11, 6, 0];

/// A word's layout as numbers.
struct Word {
    fixed: u64,
    bounds: [u64; 6],
    place_of_rd: u64,
    place_of_constant: u64,
}

impl Word {
    /// From the text of the layout: fixed bits, and letters for fields.
    fn of(description: &Description) -> Self {
        let layout = description.layout.replace(' ', "");
        let layout = match description.opcode {
            // There is one hardware register.
            Opcode::Rdhwr => layout.replace("ddddd", "11101"),
            // What a prefetch is for stands in the place of `rt`.
            Opcode::Pref => layout.replace('a', "t"),
            _ => layout,
        };
        let letters: Vec<char> = layout.chars().collect();
        let place = |letter: char| {
            let last = letters.iter().rposition(|&other| other == letter)?;
            Some(1_u64 << (31 - last))
        };
        let width = |letter: char| letters.iter().filter(|&&other| other == letter).count() as u32;
        let fixed = letters.iter().fold(0, |bits, &letter| 2 * bits + u64::from(letter == '1'));
        let bound = |width: u32| if width == 0 { 1 << 16 } else { 1 << (16 - width) };
        let constant = width('c');
        Self {
            fixed,
            bounds: [
                bound(width('s')),
                bound(width('t')),
                bound(width('d')),
                bound(width('a')),
                bound(constant.min(16)),
                bound(constant.saturating_sub(16)),
            ],
            place_of_rd: place('d').unwrap_or(0) + place('D').unwrap_or(0),
            place_of_constant: place('c').unwrap_or(0),
        }
    }
}
