//! `#[derive(OneHot)]`: the variants and their printed names.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{OneHot, plain};
use crate::names::snake_case;

pub(crate) fn one_hot(item: &OneHot) -> TokenStream {
    let (library, name) = (&item.crate_path, &item.shell.name);
    let variants: Vec<_> = item.variants.iter().map(|variant| &variant.ident).collect();
    let labels = variants.iter().map(|variant| snake_case(&plain(variant)));
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #library::OneHotEnum for #name {
                const VARIANTS: &'static [Self] = &[#(Self::#variants),*];
                const NAMES: &'static [&'static str] = &[#(#labels),*];

                fn index(self) -> usize {
                    self as usize
                }
            }
        };
    }
}
