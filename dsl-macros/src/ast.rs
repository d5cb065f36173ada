//! What the macros understand of an item: the stage between `syn` and the checks.
//!
//! Parsing fills these types with what the author wrote, mistakes included (a column may carry two
//! kinds); the checks decide what is acceptable, and expansion may rely on what they accepted.

use std::fmt;

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span};
use quote::quote;
use syn::{Attribute, Expr, Generics, LitInt, LitStr, Path, Type, Visibility};

/// A struct under `#[chip]`.
pub(crate) struct Chip {
    pub(crate) shell: Shell,
    pub(crate) options: ChipOptions,
    pub(crate) columns: Vec<Column>,
}

/// A struct under `#[derive(Columns)]`, `#[derive(Ports)]` or `#[message]`.
pub(crate) struct Plain {
    pub(crate) shell: Shell,
    pub(crate) crate_path: Path,
    pub(crate) columns: Vec<Column>,
}

/// An enum under `#[derive(OneHot)]`.
pub(crate) struct OneHot {
    pub(crate) shell: Shell,
    pub(crate) crate_path: Path,
    pub(crate) variants: Vec<syn::Variant>,
}

/// What surrounds the fields of an item.
pub(crate) struct Shell {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) doc: Doc,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
}

/// The arguments of `#[chip(..)]`.
pub(crate) struct ChipOptions {
    pub(crate) dense: bool,
    pub(crate) name: Option<LitStr>,
    pub(crate) field_bits: Option<LitInt>,
    pub(crate) crate_path: Path,
}

/// One field of a struct.
pub(crate) struct Column {
    /// Attributes that are not ours, lints for example; they go to the generated fields.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) doc: Doc,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// In the order of the attributes; an accepted column has at most one.
    pub(crate) kinds: Vec<(Kind, Attribute)>,
    pub(crate) free: Option<Free>,
    pub(crate) len: Option<Len>,
    /// `#[port(bus = "..")]`.
    pub(crate) bus: Option<LitStr>,
    /// `#[public(before = "..")]`.
    pub(crate) part: Option<Part>,
}

/// What a public value is of a step, and the name of the part that it belongs to.
pub(crate) struct Part {
    pub(crate) role: Role,
    pub(crate) name: LitStr,
}

/// Where in a step a public value belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Common,
    Before,
    After,
}

impl Role {
    /// The option's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// The variant of the library.
    pub(crate) const fn variant(self) -> &'static str {
        match self {
            Self::Common => "Common",
            Self::Before => "Before",
            Self::After => "After",
        }
    }
}

/// `#[free("reason")]`.
pub(crate) struct Free {
    pub(crate) attribute: Attribute,
    pub(crate) reason: LitStr,
}

/// `#[len(EXPR)]`.
pub(crate) struct Len {
    pub(crate) attribute: Attribute,
    pub(crate) expr: Expr,
}

/// What a column is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Private,
    Input,
    Output,
    Record,
    Public,
    Fixed,
    Periodic,
    Port,
    Ports,
    Embed,
}

impl Kind {
    /// The kinds that an attribute stands for.
    pub(crate) const NAMED: [Self; 9] = [
        Self::Input,
        Self::Output,
        Self::Record,
        Self::Public,
        Self::Fixed,
        Self::Periodic,
        Self::Port,
        Self::Ports,
        Self::Embed,
    ];

    /// The attribute's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Input => "input",
            Self::Output => "output",
            Self::Record => "record",
            Self::Public => "public",
            Self::Fixed => "fixed",
            Self::Periodic => "periodic",
            Self::Port => "port",
            Self::Ports => "ports",
            Self::Embed => "embed",
        }
    }

    /// Whether the column's cells come from the native record.
    pub(crate) const fn is_recorded(self) -> bool {
        matches!(self, Self::Input | Self::Record)
    }
}

/// As messages write it: `` `#[output]` columns ``, `private columns`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str("private columns"),
            Self::Public => f.write_str("`#[public]` values"),
            Self::Port => f.write_str("`#[port]` fields"),
            Self::Ports => f.write_str("`#[ports]` fields"),
            Self::Embed => f.write_str("`#[embed]` fields"),
            other => write!(f, "`#[{}]` columns", other.name()),
        }
    }
}

impl Column {
    /// The column's kind, once the checks have accepted it.
    pub(crate) fn kind(&self) -> Kind {
        self.kinds.first().map_or(Kind::Private, |(kind, _)| *kind)
    }

    /// The name as a string, without `r#`.
    pub(crate) fn plain_name(&self) -> String {
        plain(&self.name)
    }
}

/// An identifier as a string, without `r#`.
pub(crate) fn plain(name: &Ident) -> String {
    use syn::ext::IdentExt;
    name.unraw().to_string()
}

/// Doc comments, kept as attributes for rustdoc and as text for the recording.
#[derive(Default)]
pub(crate) struct Doc {
    pub(crate) attributes: Vec<Attribute>,
}

impl Doc {
    /// The lines that are plain text, trimmed and joined.
    pub(crate) fn text(&self) -> String {
        let lines = self.attributes.iter().filter_map(|attribute| {
            let value = &attribute.meta.require_name_value().ok()?.value;
            match value {
                Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) => Some(line.value()),
                _ => None,
            }
        });
        let text: Vec<String> = lines
            .flat_map(|line| {
                line.split('\n').map(|part| part.trim().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        text.join("\n").trim().to_owned()
    }

    /// The author's attributes, or a sentence in their place: generated items are documented too.
    pub(crate) fn or(&self, sentence: &str) -> proc_macro2::TokenStream {
        let attributes = &self.attributes;
        if attributes.is_empty() { quote!(#[doc = #sentence]) } else { quote!(#(#attributes)*) }
    }
}

/// The path to the library, unless `crate = path` says otherwise: where the crate that is compiled has it,
/// as a dependency of its own or behind `chipwright`.
pub(crate) fn default_crate_path() -> Path {
    let found = |package: &str| {
        let name = match crate_name(package).ok()? {
            FoundCrate::Itself => package.replace('-', "_"),
            FoundCrate::Name(name) => name,
        };
        Some(Ident::new(&name, Span::call_site()))
    };
    match (found("chipwright-dsl"), found("chipwright")) {
        (Some(dsl), _) => syn::parse_quote!(::#dsl),
        (None, Some(chipwright)) => syn::parse_quote!(::#chipwright::dsl),
        // The compiler's message then names the crate that is missing.
        (None, None) => syn::parse_quote!(::chipwright_dsl),
    }
}
