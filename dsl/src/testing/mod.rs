//! Tests that every chip should have, from its own description.
//!
//! [`chip_tests!`](crate::chip_tests) expands to ordinary `#[test]`s: what the chip is (`ir`, `docs`), that it
//! computes what it should (`honest`, `padding`), and that nobody can make it say anything else (`cells`,
//! `forge`, `rules`). The last three come from one [audit](chipwright_ir::audit).
//!
//! ```
//! use chipwright_dsl::prelude::*;
//! use chipwright_dsl::testing::{Sample, any};
//!
//! /// `double = x + x`.
//! #[chip]
//! pub struct Double {
//!     #[input]
//!     x: Felt,
//!     #[output]
//!     double: Felt,
//! }
//!
//! impl Chip for Double {
//!     fn row(c: &Builder, row: &Row<Self>) {
//!         c.define(row.double, row.x + row.x);
//!     }
//! }
//!
//! let specimen = Sample::<Double>::new()
//!     .inputs(any::<u32>().prop_map(u64::from))
//!     .spec(|x| 2 * x)
//!     .build();
//! # use chipwright_dsl::testing::Strategy;
//! specimen.honest();
//! let audit = specimen.audit();
//! assert!(audit.complaints().is_empty(), "{audit}");
//! ```

mod page;
mod sample;
mod specimen;

pub use chipwright_ir::audit::{AuditOptions, ChipAudit, Rng};
pub use insta;
pub use proptest::prelude::{Just, Strategy, any};

pub use page::refresh;
pub use sample::Sample;
pub use specimen::Specimen;

/// The tests of a chip, in a module of their own.
///
/// ```text
/// chip_tests! { Add32, inputs: any::<(u32, u32)>(), spec: |(a, b)| a.wrapping_add(b) }
/// chip_tests! { xor: Bitwise<Xor>, providers: [ByteTable], inputs: .., spec: .. }
/// chip_tests! { merkle = merkle_specimen() }
/// ```
///
/// The module is called `chip_tests`, or as is said before the colon. Options are the methods of
/// [`Sample`](crate::testing::Sample), in any order; chips that this one asks are listed first, as `providers`.
/// The last form takes any expression that is a [`Specimen`](crate::testing::Specimen).
///
/// | test | shows |
/// |---|---|
/// | `ir` | the chip's IR is the committed snapshot |
/// | `docs` | `docs/chips/<name>.md` of the crate is what the chip says; it is rewritten if it was stale |
/// | `honest` | random inputs: everything holds, and the outputs are those of the specification |
/// | `padding` | padding rows exchange no messages |
/// | `cells` | a wrong value in any one cell is objected to |
/// | `forge` | a wrong value in any one cell, with everything that follows from it, is objected to |
/// | `rules` | without any one rule, some forgery succeeds |
#[macro_export]
macro_rules! chip_tests {
    ($name:ident = $specimen:expr $(,)?) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn specimen() -> $crate::testing::Specimen {
                $specimen
            }

            fn audit() -> &'static $crate::testing::ChipAudit {
                static AUDIT: ::std::sync::OnceLock<$crate::testing::ChipAudit> =
                    ::std::sync::OnceLock::new();
                AUDIT.get_or_init(|| specimen().audit())
            }

            #[test]
            fn ir() {
                let specimen = specimen();
                $crate::testing::insta::assert_snapshot!(specimen.name(), specimen.ir());
            }

            #[test]
            fn docs() {
                specimen().docs(::std::env!("CARGO_MANIFEST_DIR"));
            }

            #[test]
            fn honest() {
                specimen().honest();
            }

            #[test]
            fn padding() {
                $crate::testing::Specimen::passes(audit(), "padding");
            }

            #[test]
            fn cells() {
                $crate::testing::Specimen::passes(audit(), "cells");
            }

            #[test]
            fn forge() {
                $crate::testing::Specimen::passes(audit(), "forge");
            }

            #[test]
            fn rules() {
                $crate::testing::Specimen::passes(audit(), "rules");
            }
        }
    };
    (
        $name:ident : $chip:ty, providers: [$($provider:ty),* $(,)?]
        $(, $option:ident : $value:expr)* $(,)?
    ) => {
        $crate::chip_tests! {
            $name = {
                #[allow(unused_imports)]
                use $crate::testing::{Just, Strategy, any};
                $crate::testing::Sample::<$chip>::new()
                    $(.provider::<$provider>())*
                    $(.$option($value))*
                    .build()
            }
        }
    };
    ($name:ident : $chip:ty $(, $option:ident : $value:expr)* $(,)?) => {
        $crate::chip_tests! { $name: $chip, providers: [] $(, $option: $value)* }
    };
    ($chip:ty, providers: [$($provider:ty),* $(,)?] $(, $option:ident : $value:expr)* $(,)?) => {
        $crate::chip_tests! {
            chip_tests: $chip, providers: [$($provider),*] $(, $option: $value)*
        }
    };
    ($chip:ty $(, $option:ident : $value:expr)* $(,)?) => {
        $crate::chip_tests! { chip_tests: $chip, providers: [] $(, $option: $value)* }
    };
}
