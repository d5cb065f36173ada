//! Where the fields of an instruction are in its word.
//!
//! A layout is written as in the manual, from bit 31 down: `000000 sssss ttttt ddddd 00000 100001`. Digits are fixed bits;
//! equal letters are a field.

/// The fields that instructions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// `s`: a register.
    Rs,
    /// `t`: a register.
    Rt,
    /// `d`: a register, or the highest bit of `ext` and `ins`.
    Rd,
    /// `D`: the same register as `d`, again.
    RdAgain,
    /// `a`: an amount.
    Amount,
    /// `c`: a constant.
    Constant,
}

impl Field {
    pub(crate) const ALL: [Self; 6] =
        [Self::Rs, Self::Rt, Self::Rd, Self::RdAgain, Self::Amount, Self::Constant];

    const fn of_letter(letter: u8) -> Self {
        match letter {
            b's' => Self::Rs,
            b't' => Self::Rt,
            b'd' => Self::Rd,
            b'D' => Self::RdAgain,
            b'a' => Self::Amount,
            b'c' => Self::Constant,
            _ => panic!("a layout has a letter that is no field"),
        }
    }
}

/// A layout that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// The values of the fixed bits.
    pub(crate) bits: u32,
    /// Which bits are fixed.
    pub(crate) mask: u32,
    /// The lowest bit and the width of each field; no width if there is none.
    fields: [(u32, u32); Field::ALL.len()],
}

impl Layout {
    /// Reads a layout. This happens when the crate is compiled, and so do its panics.
    pub(crate) const fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut layout = Self { bits: 0, mask: 0, fields: [(0, 0); Field::ALL.len()] };
        let (mut at, mut bit) = (0, 32);
        while at < bytes.len() {
            let letter = bytes[at];
            at += 1;
            if letter == b' ' {
                continue;
            }
            bit -= 1;
            match letter {
                b'0' | b'1' => {
                    layout.bits |= ((letter - b'0') as u32) << bit;
                    layout.mask |= 1 << bit;
                }
                _ => {
                    let field = &mut layout.fields[Field::of_letter(letter) as usize];
                    assert!(field.1 == 0 || field.0 == bit + 1, "a field is in two pieces");
                    *field = (bit, field.1 + 1);
                }
            }
        }
        assert!(bit == 0, "a layout has 32 bits");
        layout
    }

    /// The width of a field, zero if there is none.
    pub(crate) const fn width(&self, field: Field) -> u32 {
        self.fields[field as usize].1
    }

    /// What a field holds in a word.
    pub(crate) const fn get(&self, field: Field, word: u32) -> u32 {
        let (shift, width) = self.fields[field as usize];
        word >> shift & ((1 << width) - 1)
    }

    /// The bits of a field that holds a value; higher bits of the value are dropped.
    pub(crate) const fn put(&self, field: Field, value: u32) -> u32 {
        let (shift, width) = self.fields[field as usize];
        (value & ((1 << width) - 1)) << shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_from_the_highest_bit_down() {
        let layout = Layout::parse("000000 sssss ttttt ddddd 00000 100001");
        assert_eq!((layout.bits, layout.mask), (0b10_0001, 0xfc00_07ff));
        assert_eq!(layout.get(Field::Rt, 0x0085_1021), 5);
        assert_eq!(layout.put(Field::Rd, 0x22), 2 << 11, "the sixth bit is dropped");
        assert_eq!((layout.width(Field::Rs), layout.width(Field::Constant)), (5, 0));
    }
}
