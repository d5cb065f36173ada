//! `#[derive(Ports)]`: ports that several chips have in common.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::chip::spec;
use crate::ast::Plain;

pub(crate) fn ports(item: &Plain) -> TokenStream {
    let library = &item.crate_path;
    let name = &item.shell.name;
    let (params, arguments, clause) = item.shell.generics.split_for_impl();
    let binder = Ident::new("binder", Span::mixed_site());
    let fields = item.columns.iter().map(|column| {
        let (field, ty, spec) = (&column.name, &column.ty, spec(column, library));
        quote!(#field: #binder.port::<#ty>(#spec))
    });
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #params #library::PortGroup for #name #arguments #clause {
                fn bind(#binder: &mut #library::Binder<'_>) -> Self {
                    Self { #(#fields,)* }
                }
            }
        };
    }
}
