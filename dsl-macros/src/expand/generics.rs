//! The part of an item's generics that a generated struct needs.
//!
//! `struct Sponge<P: Params, T: ColumnType> { state: [T; 8] }` gives `SpongeRow<T: ColumnType>`: a type
//! parameter that no field mentions would be an error in a struct.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, TypeParamBound};

use crate::syntax::mentions;

/// The parameters that any of `types` mentions, with the bounds that speak of these only.
pub(super) fn used_by<T: ToTokens>(generics: &Generics, types: &[T]) -> Generics {
    let is_used = |parameter: &GenericParam| {
        let name = parameter_name(parameter);
        name.is_some_and(|name| types.iter().any(|ty| mentions(ty, name)))
    };
    let (mut kept, dropped): (Vec<GenericParam>, Vec<GenericParam>) =
        generics.params.iter().cloned().partition(is_used);
    let dropped: Vec<&Ident> = dropped.iter().filter_map(parameter_name).collect();
    let speaks_of_dropped = |tokens: &dyn ToTokens| {
        dropped.iter().any(|name| mentions(&tokens.to_token_stream(), name))
    };

    for parameter in &mut kept {
        if let GenericParam::Type(parameter) = parameter {
            parameter.bounds = std::mem::take(&mut parameter.bounds)
                .into_iter()
                .filter(|bound: &TypeParamBound| !speaks_of_dropped(bound))
                .collect();
            if parameter.bounds.is_empty() {
                parameter.colon_token = None;
            }
        }
    }
    let where_clause = generics.where_clause.clone().and_then(|mut clause| {
        let predicates: Punctuated<_, _> = clause
            .predicates
            .into_iter()
            .filter(|predicate| !speaks_of_dropped(predicate) && is_about(&kept, predicate))
            .collect();
        clause.predicates = predicates;
        (!clause.predicates.is_empty()).then_some(clause)
    });
    let brackets = !kept.is_empty();
    Generics {
        lt_token: generics.lt_token.filter(|_| brackets),
        params: kept.into_iter().collect(),
        gt_token: generics.gt_token.filter(|_| brackets),
        where_clause,
    }
}

/// A parameter's name.
pub(super) fn parameter_name(parameter: &GenericParam) -> Option<&Ident> {
    match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        GenericParam::Const(parameter) => Some(&parameter.ident),
        GenericParam::Lifetime(_) => None,
    }
}

fn is_about(kept: &[GenericParam], predicate: &impl ToTokens) -> bool {
    kept.iter().filter_map(parameter_name).any(|name| mentions(predicate, name))
}

#[cfg(test)]
mod tests {
    use syn::{Type, parse_quote};

    use super::*;

    #[track_caller]
    fn check(item: &syn::DeriveInput, types: &[Type], expected: &str) {
        let kept = used_by(&item.generics, types);
        let (params, _, clause) = kept.split_for_impl();
        let text = format!("{} {}", params.to_token_stream(), clause.to_token_stream());
        assert_eq!(text.trim(), expected);
    }

    #[test]
    fn parameters_that_no_field_mentions_are_dropped_with_their_bounds() {
        let item = parse_quote!(
            struct A<P: Params, T: ColumnType + Made<P>, const W: usize>
            where
                P: Wide<W>,
                T: Narrow;
        );
        check(&item, &[parse_quote!([T; 8])], "< T : ColumnType > where T : Narrow");
        check(&item, &[parse_quote!([Felt; W])], "< const W : usize >");
        check(&item, &[parse_quote!(Felt)], "");
    }

    #[test]
    fn everything_is_kept_if_everything_is_used() {
        let item = parse_quote!(
            struct A<T: ColumnType, const W: usize>
            where
                [T; W]: Sized;
        );
        check(
            &item,
            &[parse_quote!([T; W])],
            "< T : ColumnType , const W : usize > where [T ; W] : Sized",
        );
    }
}
