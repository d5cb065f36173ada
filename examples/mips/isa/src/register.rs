//! The 32 registers by the names of the o32 calling convention.

use std::fmt;

/// A register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(u8);

impl Register {
    /// How many there are.
    pub const COUNT: usize = 32;

    /// The register of a number, if it is below 32.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 32 { Some(Self(number)) } else { None }
    }

    /// The register of the lowest five bits of a field.
    pub(crate) const fn of_field(field: u32) -> Self {
        Self((field & 31) as u8)
    }

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..32).map(Self)
    }

    /// Its number, below 32.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its number as an index.
    pub const fn index(self) -> usize {
        (self.0 & 31) as usize
    }

    /// Its name, without `$`.
    pub const fn name(self) -> &'static str {
        NAMES[self.index()]
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.name())
    }
}

macro_rules! registers {
    ($($name:ident $number:literal $text:literal;)*) => {
        $(
            #[doc = concat!("`$", $text, "`")]
            pub const $name: Register = Register($number);
        )*
        const NAMES: [&str; 32] = [$($text),*];
    };
}

registers! {
    ZERO 0 "zero"; AT 1 "at"; V0 2 "v0"; V1 3 "v1";
    A0 4 "a0"; A1 5 "a1"; A2 6 "a2"; A3 7 "a3";
    T0 8 "t0"; T1 9 "t1"; T2 10 "t2"; T3 11 "t3"; T4 12 "t4"; T5 13 "t5"; T6 14 "t6"; T7 15 "t7";
    S0 16 "s0"; S1 17 "s1"; S2 18 "s2"; S3 19 "s3"; S4 20 "s4"; S5 21 "s5"; S6 22 "s6"; S7 23 "s7";
    T8 24 "t8"; T9 25 "t9"; K0 26 "k0"; K1 27 "k1"; GP 28 "gp"; SP 29 "sp"; FP 30 "s8"; RA 31 "ra";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_the_numbers_that_their_places_say() {
        assert!(Register::all().enumerate().all(|(index, register)| register.index() == index));
        assert_eq!([RA.to_string(), FP.to_string(), ZERO.to_string()], ["$ra", "$s8", "$zero"]);
        assert_eq!((Register::new(31), Register::new(32)), (Some(RA), None));
    }
}
