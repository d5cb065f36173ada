//! `#[message]`: a struct whose every field takes whatever can stand for the field's type.
//!
//! ```text
//! #[message] pub struct Fetch { pub pc: Felt, pub op: U8 }
//! // becomes
//! pub struct Fetch<Pc = <Felt as ColumnType>::Row, Op = <U8 as ColumnType>::Row> { pub pc: Pc, pub op: Op }
//! impl Message for Fetch { .. }
//! impl<Pc: As<Felt>, Op: As<U8>> MessageOf<Fetch> for Fetch<Pc, Op> { .. }
//! ```
//!
//! So `Fetch { pc: row.pc + 4, op: row.op }` is a message, and an `op` that is not known to be a byte is a
//! type error.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse_quote;

use super::generics::parameter_name;
use super::structs::{projection, shared};
use crate::ast::{Plain, plain};
use crate::syntax::show;

pub(crate) fn message(item: &Plain) -> TokenStream {
    let library = &item.crate_path;
    let shell = &item.shell;
    let (vis, name, attributes) = (&shell.vis, &shell.name, &shell.attributes);
    let doc = shell.doc.or(&format!("The message `{}`.", plain(name)));
    let lints = shared(attributes);

    let types: Vec<_> = item.columns.iter().map(|column| &column.ty).collect();
    let names: Vec<&Ident> = item.columns.iter().map(|column| &column.name).collect();
    let labels: Vec<String> = names.iter().map(|name| plain(name)).collect();
    // A parameter shadows a type of the same name, so these have names that nobody gives a type.
    let values: Vec<Ident> =
        names.iter().map(|name| format_ident!("__{}", plain(name), span = name.span())).collect();

    let mut declared = shell.generics.clone();
    let mut sent = shell.generics.clone();
    for (value, ty) in values.iter().zip(&types) {
        let default = projection(ty, library, "ColumnType", "Row");
        declared.params.push(parse_quote!(#value = #default));
        sent.params.push(parse_quote!(#value: #library::As<#ty>));
    }
    let clause = &declared.where_clause;
    let fields = item.columns.iter().zip(&values).map(|(column, value)| {
        let doc =
            column.doc.or(&format!("`{}`, of type `{}`.", column.plain_name(), show(&column.ty)));
        let (attributes, vis, name) = (&column.attributes, &column.vis, &column.name);
        quote!(#doc #(#attributes)* #vis #name: #value)
    });

    let (params, arguments, where_clause) = shell.generics.split_for_impl();
    let (sent_params, _, sent_clause) = sent.split_for_impl();
    let constants = shell.generics.params.iter().filter_map(parameter_name);
    let layout = Ident::new("layout", Span::mixed_site());
    let out = Ident::new("out", Span::mixed_site());
    quote! {
        #doc
        #(#attributes)*
        #[allow(non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #name #declared #clause {
            #(#fields,)*
        }

        #(#lints)*
        #[allow(non_camel_case_types)]
        const _: () = {
            #[automatically_derived]
            impl #params #library::Message for #name #arguments #where_clause {
                fn layout(#layout: &mut #library::Layout) {
                    #(#layout.part::<#types>(#labels);)*
                }
            }
            #[automatically_derived]
            impl #sent_params #library::MessageOf<#name #arguments> for #name<#(#constants,)* #(#values),*>
            #sent_clause
            {
                fn elements(self, #out: &mut #library::Elements) {
                    #(#out.put::<#types>(self.#names);)*
                }
            }
        };
    }
}
