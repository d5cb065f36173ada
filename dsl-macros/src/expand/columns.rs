//! `#[derive(Columns)]`: a column type whose cells are those of its fields.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{GenericParam, parse_quote};

use super::chip::instance_name;
use super::structs::{Mirror, MirrorField, projection, shared, suffixed};
use crate::ast::{Plain, plain};
use crate::names::snake_case;

/// The length of the longest tuple that can stand for a nested struct.
const MOST_IN_TUPLE: usize = 12;

pub(crate) fn columns(item: &Plain) -> TokenStream {
    let library = &item.crate_path;
    let shell = &item.shell;
    let name = &shell.name;
    let lints = shared(&shell.attributes);
    let mirror = |suffix: &str, doc: String, associated: &str, copy| Mirror {
        name: suffixed(name, suffix),
        vis: &shell.vis,
        attributes: &lints,
        doc,
        generics: &shell.generics,
        fields: item
            .columns
            .iter()
            .map(|column| MirrorField {
                column,
                vis: if copy { &column.vis } else { &shell.vis },
                ty: projection(&column.ty, library, "ColumnType", associated),
            })
            .collect(),
        copy,
        native: !copy,
    };
    let row = mirror("Row", format!("The cells of a [`{name}`]."), "Row", true);
    let natives = mirror("Native", format!("The native value of a [`{name}`]."), "Native", false);
    let (row_type, native_type) = (row.as_type(), natives.as_type());
    let (row_name, row_definition, row_impls) = (&row.name, row.definition(), row.impls());
    let (native_definition, native_impls) = (natives.definition(), natives.impls());

    let names: Vec<&Ident> = item.columns.iter().map(|column| &column.name).collect();
    let labels: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let types: Vec<_> = item.columns.iter().map(|column| &column.ty).collect();
    let type_name = instance_name(&snake_case(&plain(name)), &shell.generics, library);
    let (params, arguments, clause) = shell.generics.split_for_impl();
    let local = |name| Ident::new(name, Span::mixed_site());
    let (layout, place, native, cells, out) =
        (local("layout"), local("place"), local("native"), local("cells"), local("out"));
    let tuple = tuple(item);
    let assignable = assignable(item, &row);
    quote! {
        #row_definition
        #native_definition

        #(#lints)*
        const _: () = {
            #row_impls
            #native_impls

            #[automatically_derived]
            impl #params #library::ColumnType for #name #arguments #clause {
                type Row = #row_type;
                type Native = #native_type;

                fn type_name() -> ::std::string::String {
                    // The struct is a description: nothing but this makes one or looks into one.
                    let _ = |#(#names: #types),*| Self { #(#names),* };
                    let _ = |value: Self| {
                        let Self { #(#names),* } = value;
                        (#(#names,)*)
                    };
                    #type_name
                }

                fn layout(#layout: &mut #library::Layout) {
                    #(#layout.part::<#types>(#labels);)*
                }

                fn bind(#place: &mut #library::Place<'_>) -> Self::Row {
                    #row_name { #(#names: <#types as #library::ColumnType>::bind(#place),)* }
                }

                fn store(#native: &Self::Native, #cells: &mut #library::Cells<'_>) {
                    #(#cells.put::<#types>(&#native.#names);)*
                }
            }

            #[automatically_derived]
            impl #params #library::As<#name #arguments> for #row_type #clause {
                fn elements(self, #out: &mut #library::Elements) {
                    #(#out.put::<#types>(self.#names);)*
                }
            }

            #tuple
            #assignable
        };
    }
}

/// Cells that can be set, if those of all fields can.
fn assignable(item: &Plain, row: &Mirror<'_>) -> TokenStream {
    let (library, shell) = (&item.crate_path, &item.shell);
    let name = &shell.name;
    let arguments = shell.generics.split_for_impl().1;
    let mut generics = shell.generics.clone();
    // Under a `for<..>`, a bound that does not hold switches the impl off instead of being an error.
    let lifetime = syn::Lifetime::new("'__field", Span::mixed_site());
    for field in &row.fields {
        let ty = &field.ty;
        let bound = parse_quote!(for<#lifetime> #ty: #library::Assignable);
        generics.make_where_clause().predicates.push(bound);
    }
    let (params, _, clause) = generics.split_for_impl();
    let row_type = row.as_type();
    let names = item.columns.iter().map(|column| &column.name);
    let cells = Ident::new("cells", Span::mixed_site());
    quote! {
        #[automatically_derived]
        impl #params #library::Assignable for #row_type #clause {
            type Shape = #name #arguments;

            fn cells(self, #cells: &mut ::std::vec::Vec<#library::Cell>) {
                #(#library::Assignable::cells(self.#names, #cells);)*
            }
        }
    }
}

/// A tuple of values for the fields, in order, stands for the struct where one is asked for.
fn tuple(item: &Plain) -> Option<TokenStream> {
    if item.columns.len() > MOST_IN_TUPLE {
        return None;
    }
    let (library, shell) = (&item.crate_path, &item.shell);
    let name = &shell.name;
    let arguments = shell.generics.split_for_impl().1;
    let values: Vec<Ident> = (0..item.columns.len()).map(|i| format_ident!("Value{i}")).collect();
    let types: Vec<_> = item.columns.iter().map(|column| &column.ty).collect();
    let mut generics = shell.generics.clone();
    for (value, ty) in values.iter().zip(&types) {
        let parameter: GenericParam = parse_quote!(#value: #library::As<#ty>);
        generics.params.push(parameter);
    }
    let (params, _, clause) = generics.split_for_impl();
    let positions = (0..values.len()).map(syn::Index::from);
    let out = Ident::new("out", Span::mixed_site());
    Some(quote! {
        #[automatically_derived]
        impl #params #library::As<#name #arguments> for (#(#values,)*) #clause {
            fn elements(self, #out: &mut #library::Elements) {
                #(#out.put::<#types>(self.#positions);)*
            }
        }
    })
}
