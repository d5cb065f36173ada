//! Questions about types as they are written.
//!
//! A macro sees names, not meanings: `Vec` is any type whose last segment says so. That is enough to
//! explain common mistakes early; what slips through is found by the trait bounds of the expansion.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The last segment of a path type, parentheses and groups removed.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Paren(inner) => last_segment(&inner.elem),
        Type::Group(inner) => last_segment(&inner.elem),
        _ => None,
    }
}

/// The element type of `Vec<T>`.
pub(crate) fn vec_element(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Vec")?;
    first_argument(segment)
}

/// The first type argument of a segment: `T` of `Lookup<T>`.
pub(crate) fn first_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether the identifier occurs anywhere in the tokens.
pub(crate) fn mentions(tokens: &impl ToTokens, name: &Ident) -> bool {
    fn search(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Ident(found) => found == *name,
            TokenTree::Group(group) => search(group.stream(), name),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    search(tokens.to_token_stream(), name)
}

/// Tokens on one line, spaced as `rustfmt` would.
pub(crate) fn show(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ;", ";"),
        (" ,", ","),
        ("< ", "<"),
        ("[ ", "["),
        (" ]", "]"),
        ("( ", "("),
        (" )", ")"),
        ("' ", "'"),
        ("* const", "*const"),
        ("* mut", "*mut"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}
