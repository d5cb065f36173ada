//! Structs that mirror the declared one, field by field: rows of handles, records of native values.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Visibility};

use super::generics;
use crate::ast::{Column, plain};
use crate::syntax::show;

/// A struct to generate.
pub(super) struct Mirror<'a> {
    pub(super) name: Ident,
    pub(super) vis: &'a Visibility,
    pub(super) attributes: &'a [Attribute],
    pub(super) doc: String,
    /// The generics of the declared struct; those that the fields use are kept.
    pub(super) generics: &'a Generics,
    pub(super) fields: Vec<MirrorField<'a>>,
    /// Whether the struct is `Copy` if its fields are.
    pub(super) copy: bool,
    /// Whether the fields hold native values.
    pub(super) native: bool,
}

/// A field to generate.
pub(super) struct MirrorField<'a> {
    pub(super) column: &'a Column,
    pub(super) vis: &'a Visibility,
    pub(super) ty: TokenStream,
}

impl Mirror<'_> {
    /// The generics that remain.
    fn kept(&self) -> Generics {
        let declared: Vec<_> = self.fields.iter().map(|field| &field.column.ty).collect();
        generics::used_by(self.generics, &declared)
    }

    /// The struct as a type, in the scope of the declared struct's generics.
    pub(super) fn as_type(&self) -> TokenStream {
        let name = &self.name;
        let kept = self.kept();
        let arguments = kept.split_for_impl().1;
        quote!(#name #arguments)
    }

    /// The definition.
    pub(super) fn definition(&self) -> TokenStream {
        let Self { name, vis, attributes, doc, .. } = self;
        let kept = self.kept();
        let clause = &kept.where_clause;
        // Records of a chip that is only called are made by the machine, not by the author's crate.
        let unused = self.native.then(|| quote!(#[allow(dead_code)]));
        let fields = self.fields.iter().map(|field| {
            let MirrorField { column, vis, ty } = field;
            let Column { name, attributes, .. } = column;
            let doc = column.doc.or(&format!("`{}`, of type `{}`.", plain(name), show(&column.ty)));
            quote!(#doc #(#attributes)* #vis #name: #ty)
        });
        quote! {
            #[doc = #doc]
            #(#attributes)*
            #unused
            #vis struct #name #kept #clause {
                #(#fields,)*
            }
        }
    }

    /// `Clone`, `Debug`, and `Copy` if asked for. A derive would put bounds on the parameters instead of
    /// on the fields.
    pub(super) fn impls(&self) -> TokenStream {
        let name = &self.name;
        let kept = self.kept();
        let (params, arguments, clause) = kept.split_for_impl();
        let text = plain(name);
        let fields: Vec<&Ident> = self.fields.iter().map(|field| &field.column.name).collect();
        let labels: Vec<String> = fields.iter().map(|field| plain(field)).collect();
        let copy = self.copy.then(|| self.copy_impl(&kept));
        quote! {
            #[automatically_derived]
            impl #params ::core::clone::Clone for #name #arguments #clause {
                fn clone(&self) -> Self {
                    Self { #(#fields: ::core::clone::Clone::clone(&self.#fields),)* }
                }
            }
            #[automatically_derived]
            impl #params ::core::fmt::Debug for #name #arguments #clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#text) #(.field(#labels, &self.#fields))* .finish()
                }
            }
            #copy
        }
    }

    /// The bounds are under a `for<..>` so that one that does not hold switches the impl off instead of
    /// being an error: the row of a run-time length is not `Copy`.
    fn copy_impl(&self, kept: &Generics) -> TokenStream {
        let name = &self.name;
        let mut bounded = kept.clone();
        let lifetime = syn::Lifetime::new("'__field", Span::mixed_site());
        for field in &self.fields {
            let ty = &field.ty;
            let bound = quote_spanned!(place_of(&field.column.ty)=>
                for<#lifetime> #ty: ::core::marker::Copy
            );
            bounded.make_where_clause().predicates.push(syn::parse_quote!(#bound));
        }
        let (params, arguments, clause) = bounded.split_for_impl();
        quote! {
            #[automatically_derived]
            impl #params ::core::marker::Copy for #name #arguments #clause {}
        }
    }
}

/// The name of a generated struct: `Add32` and `Row` to `Add32Row`, at the declared name.
pub(super) fn suffixed(name: &Ident, suffix: &str) -> Ident {
    format_ident!("{}{suffix}", plain(name), span = name.span())
}

/// Attributes of the declared struct that hold for what is generated too: lints and `cfg`.
pub(super) fn shared(attributes: &[Attribute]) -> Vec<Attribute> {
    const SHARED: [&str; 8] =
        ["allow", "expect", "warn", "deny", "forbid", "cfg", "cfg_attr", "deprecated"];
    let is_shared =
        |attribute: &&Attribute| SHARED.iter().any(|name| attribute.path().is_ident(name));
    attributes.iter().filter(is_shared).cloned().collect()
}

/// A type within another type's path: `<T as Trait>::Row`.
pub(super) fn projection(
    ty: &impl ToTokens,
    library: &impl ToTokens,
    of: &str,
    item: &str,
) -> TokenStream {
    let span = place_of(ty);
    let (of, item) = (Ident::new(of, span), Ident::new(item, span));
    quote_spanned!(span=> <#ty as #library::#of>::#item)
}

/// Where a type is written, for code about it: one that does not implement a trait is underlined there.
pub(super) fn place_of(ty: &impl ToTokens) -> Span {
    ty.span().resolved_at(Span::call_site())
}
