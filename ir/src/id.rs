//! Typed indices.
//!
//! Everything in the IR refers to everything else by index: indices are `Copy`, they serialise as
//! themselves, and their `Display` *is* the text format (`%3`, `w7`), so a value printed in an error
//! message can be searched for in a dump.

/// Declares a typed index whose `Display` is `prefix` followed by the number.
#[macro_export]
macro_rules! typed_index {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the vector that this index points into.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The index of position `index`.
            ///
            /// # Panics
            ///
            /// Panics if `index` does not fit 32 bits.
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("more than 2^32 items of one kind"))
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }
    };
}
