//! `#[chip]`: the schema's name, its row, its native structs, and `Schema`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericParam, Path};

use super::structs::{Mirror, MirrorField, place_of, projection, shared, suffixed};
use crate::ast::{Chip, Column, Kind, Part, Shell, plain};
use crate::names::snake_case;
use crate::syntax::vec_element;

/// The schema alone: what remains of a chip with mistakes, so that its name is found.
pub(crate) fn bare(shell: &Shell) -> TokenStream {
    let Shell { attributes, vis, name, generics, doc } = shell;
    let doc = doc.or(&format!("The chip `{}`.", plain(name)));
    // A chip with mistakes may have lifetimes; they have been complained of already.
    let lifetimes = |parameter: &GenericParam| matches!(parameter, GenericParam::Lifetime(_));
    let mut generics = generics.clone();
    generics.params = generics.params.into_iter().filter(|kept| !lifetimes(kept)).collect();
    let clause = &generics.where_clause;
    let types: Vec<&Ident> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let body = if types.is_empty() {
        quote!(#clause;)
    } else {
        quote!((::core::marker::PhantomData<fn() -> (#(#types,)*)>) #clause;)
    };
    quote! {
        #doc
        #(#attributes)*
        #vis struct #name #generics #body
    }
}

pub(crate) fn chip(chip: &Chip) -> TokenStream {
    let shell = &chip.shell;
    let lints = shared(&shell.attributes);
    let schema = bare(shell);
    let row = row(chip, &lints);
    let natives = Natives::of(chip, &lints);

    let (row_definition, row_impls) = (row.definition(), row.impls());
    let native_definitions = natives.all().map(Mirror::definition);
    let native_impls = natives.all().map(Mirror::impls);
    let markers = marker_impls(shell);
    let schema_impl = schema_impl(chip, &row, &natives);
    quote! {
        #schema
        #row_definition
        #(#native_definitions)*

        #(#lints)*
        const _: () = {
            #markers
            #row_impls
            #(#native_impls)*
            #schema_impl
        };
    }
}

/// One field a field: handles of cells, public values, ports and embedded chips.
fn row<'a>(chip: &'a Chip, lints: &'a [syn::Attribute]) -> Mirror<'a> {
    let library = &chip.options.crate_path;
    let shell = &chip.shell;
    let fields = chip.columns.iter().map(|column| {
        let ty = &column.ty;
        let ty = match column.kind() {
            Kind::Port | Kind::Ports => quote!(#ty),
            Kind::Embed => quote!(#library::Embedded<#ty>),
            Kind::Public => projection(ty, library, "PublicType", "Row"),
            _ => column_type(column, library, "Row"),
        };
        MirrorField { column, vis: &column.vis, ty }
    });
    Mirror {
        name: suffixed(&shell.name, "Row"),
        vis: &shell.vis,
        attributes: lints,
        doc: format!(
            "What the rules of [`{}`] are written with: the handles of one row.",
            shell.name
        ),
        generics: &shell.generics,
        fields: fields.collect(),
        copy: true,
        native: false,
    }
}

/// `<T as ColumnType>::Row`, or a `Vec` of it for a run-time length.
fn column_type(column: &Column, library: &Path, item: &str) -> TokenStream {
    match run_time_element(column) {
        Some(element) => {
            let element = projection(element, library, "ColumnType", item);
            quote!(::std::vec::Vec<#element>)
        }
        None => projection(&column.ty, library, "ColumnType", item),
    }
}

fn run_time_element(column: &Column) -> Option<&syn::Type> {
    column.len.as_ref().and(vec_element(&column.ty))
}

/// The structs of native values.
struct Natives<'a> {
    record: Mirror<'a>,
    fixed: Option<Mirror<'a>>,
    periodic: Option<Mirror<'a>>,
    publics: Option<Mirror<'a>>,
}

impl<'a> Natives<'a> {
    fn of(chip: &'a Chip, lints: &'a [syn::Attribute]) -> Self {
        let library = &chip.options.crate_path;
        let shell = &chip.shell;
        let mirror = |suffix: &str, doc: &str, belongs: fn(Kind) -> bool| {
            let fields =
                chip.columns.iter().filter(|column| belongs(column.kind())).map(|column| {
                    let ty = match column.kind() {
                        Kind::Public => projection(&column.ty, library, "PublicType", "Native"),
                        _ => column_type(column, library, "Native"),
                    };
                    // Whoever sees the chip may make its records, whoever reads its cells.
                    MirrorField { column, vis: &shell.vis, ty }
                });
            Mirror {
                name: suffixed(&shell.name, suffix),
                vis: &shell.vis,
                attributes: lints,
                doc: format!("{doc} of [`{}`].", shell.name),
                generics: &shell.generics,
                fields: fields.collect(),
                copy: false,
                native: true,
            }
        };
        let some = |mirror: Mirror<'a>| (!mirror.fields.is_empty()).then_some(mirror);
        Self {
            record: mirror(
                "Record",
                "The native values of the input and record columns of one row",
                Kind::is_recorded,
            ),
            fixed: some(mirror(
                "Fixed",
                "The native values of the fixed columns of one row",
                |kind| kind == Kind::Fixed,
            )),
            periodic: some(mirror(
                "Periodic",
                "The native values of the periodic columns of one row",
                |kind| kind == Kind::Periodic,
            )),
            publics: some(mirror("Publics", "The native public values", |kind| {
                kind == Kind::Public
            })),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Mirror<'a>> {
        let optional = [&self.fixed, &self.periodic, &self.publics];
        std::iter::once(&self.record).chain(optional.into_iter().flatten())
    }
}

/// The schema is a name and no value, but a public type without `Debug` would be a warning.
fn marker_impls(shell: &Shell) -> TokenStream {
    let name = &shell.name;
    let text = plain(name);
    let (params, arguments, clause) = shell.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params ::core::clone::Clone for #name #arguments #clause {
            fn clone(&self) -> Self {
                *self
            }
        }
        #[automatically_derived]
        impl #params ::core::marker::Copy for #name #arguments #clause {}
        #[automatically_derived]
        impl #params ::core::fmt::Debug for #name #arguments #clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(#text)
            }
        }
    }
}

fn schema_impl(chip: &Chip, row: &Mirror<'_>, natives: &Natives<'_>) -> TokenStream {
    let library = &chip.options.crate_path;
    let shell = &chip.shell;
    let name = &shell.name;
    let (params, arguments, clause) = shell.generics.split_for_impl();
    let row_type = row.as_type();
    let row_name = &row.name;
    let record = natives.record.as_type();
    let or_unit = |mirror: &Option<Mirror<'_>>| mirror.as_ref().map_or(quote!(()), Mirror::as_type);
    let (fixed, periodic, publics) =
        (or_unit(&natives.fixed), or_unit(&natives.periodic), or_unit(&natives.publics));
    let (inputs, outputs) = (interface(chip, Kind::Input), interface(chip, Kind::Output));
    let doc = shell.doc.text();
    let options = options(chip);
    let chip_name = chip_name(chip);

    let local = |name| Ident::new(name, Span::mixed_site());
    let (binder, native, cells) = (local("binder"), local("native"), local("cells"));
    let fields = chip.columns.iter().map(|column| bind(column, library, &binder));
    let store = |belongs: fn(Kind) -> bool| -> Vec<TokenStream> {
        let columns = chip.columns.iter().filter(|column| belongs(column.kind()));
        columns.map(|column| store(column, &native, &cells)).collect()
    };
    let store_record = store(Kind::is_recorded);
    let store_fixed = store(|kind| kind == Kind::Fixed);
    let store_periodic = store(|kind| kind == Kind::Periodic);
    let store_publics = store(|kind| kind == Kind::Public);
    quote! {
        #[automatically_derived]
        #[allow(unused_variables)]
        impl #params #library::Schema for #name #arguments #clause {
            type Row = #row_type;
            type Record = #record;
            type Fixed = #fixed;
            type Periodic = #periodic;
            type Publics = #publics;
            type Inputs = #inputs;
            type Outputs = #outputs;

            const DOC: &'static str = #doc;
            const OPTIONS: #library::Options = #options;

            fn name() -> ::std::string::String {
                #chip_name
            }

            fn bind(#binder: &mut #library::Binder<'_>) -> Self::Row {
                #row_name { #(#fields,)* }
            }

            fn store(#native: &Self::Record, #cells: &mut #library::Cells<'_>) {
                #(#store_record)*
            }

            fn store_fixed(#native: &Self::Fixed, #cells: &mut #library::Cells<'_>) {
                #(#store_fixed)*
            }

            fn store_periodic(#native: &Self::Periodic, #cells: &mut #library::Cells<'_>) {
                #(#store_periodic)*
            }

            fn store_publics(#native: &Self::Publics, #cells: &mut #library::Cells<'_>) {
                #(#store_publics)*
            }
        }
    }
}

/// The types of the columns of a kind: `()`, the one, or a tuple.
fn interface(chip: &Chip, kind: Kind) -> TokenStream {
    let columns = chip.columns.iter().filter(|column| column.kind() == kind);
    let types: Vec<&syn::Type> = columns.map(|column| &column.ty).collect();
    match types.as_slice() {
        [one] => quote!(#one),
        several => quote!((#(#several),*)),
    }
}

fn options(chip: &Chip) -> TokenStream {
    let library = &chip.options.crate_path;
    let dense = chip.options.dense.then(|| quote!(dense: true,));
    let bits = chip.options.field_bits.as_ref().map(|bits| quote!(field_bits: #bits,));
    if dense.is_none() && bits.is_none() {
        quote!(#library::Options::DEFAULT)
    } else {
        quote!(#library::Options { #dense #bits ..#library::Options::DEFAULT })
    }
}

fn chip_name(chip: &Chip) -> TokenStream {
    let name = chip
        .options
        .name
        .as_ref()
        .map_or_else(|| snake_case(&plain(&chip.shell.name)), syn::LitStr::value);
    instance_name(&name, &chip.shell.generics, &chip.options.crate_path)
}

/// A name as a `String`, with a suffix for each parameter that tells this instance from others.
pub(super) fn instance_name(name: &str, generics: &syn::Generics, library: &Path) -> TokenStream {
    let suffixes = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let name = &parameter.ident;
            Some(quote!(name.push_str(&#library::instance::<#name>());))
        }
        GenericParam::Const(parameter) => {
            let name = &parameter.ident;
            Some(quote!(name.push_str(&::std::format!("_{}", #name));))
        }
        GenericParam::Lifetime(_) => None,
    });
    let suffixes: Vec<TokenStream> = suffixes.collect();
    if suffixes.is_empty() {
        return quote!(::std::borrow::ToOwned::to_owned(#name));
    }
    quote! {
        let mut name = ::std::borrow::ToOwned::to_owned(#name);
        #(#suffixes)*
        name
    }
}

/// One line of `bind`.
fn bind(column: &Column, library: &Path, binder: &Ident) -> TokenStream {
    let (name, ty) = (&column.name, &column.ty);
    let spec = spec(column, library);
    let place = place_of(ty);
    if let (Some(element), Some(len)) = (run_time_element(column), &column.len) {
        let len = &len.expr;
        return quote_spanned!(place=> #name: #binder.columns::<#element>(#spec, #len));
    }
    match column.kind() {
        Kind::Port => quote_spanned!(place=> #name: #binder.port::<#ty>(#spec)),
        Kind::Ports => quote_spanned!(place=> #name: #binder.ports::<#ty>()),
        Kind::Embed => quote_spanned!(place=> #name: #binder.embed::<#ty>(#spec)),
        Kind::Public => quote_spanned!(place=> #name: #binder.public::<#ty>(#spec)),
        _ => quote_spanned!(place=> #name: #binder.column::<#ty>(#spec)),
    }
}

pub(super) fn spec(column: &Column, library: &Path) -> TokenStream {
    let name = column.plain_name();
    let kind = Ident::new(
        match column.kind() {
            Kind::Input => "Input",
            Kind::Output => "Output",
            Kind::Record => "Record",
            Kind::Fixed => "Fixed",
            Kind::Periodic => "Periodic",
            Kind::Private | Kind::Public | Kind::Port | Kind::Ports | Kind::Embed => "Private",
        },
        Span::call_site(),
    );
    let doc = column.doc.text();
    let option = |text: Option<String>| {
        text.map_or_else(
            || quote!(::core::option::Option::None),
            |text| quote!(::core::option::Option::Some(#text)),
        )
    };
    let free = option(column.free.as_ref().map(|free| free.reason.value()));
    let bus = option(column.bus.as_ref().map(syn::LitStr::value));
    let part = column.part.as_ref().map_or_else(
        || quote!(::core::option::Option::None),
        |Part { role, name }| {
            let role = Ident::new(role.variant(), Span::call_site());
            quote!(::core::option::Option::Some((#library::StepRole::#role, #name)))
        },
    );
    // The span of the field, so that `line!()` is the field's line.
    let location = quote_spanned! {column.name.span()=>
        #library::Location {
            file: ::core::file!(),
            line: ::core::line!(),
            column: ::core::column!(),
        }
    };
    quote! {
        #library::FieldSpec {
            name: #name,
            kind: #library::ColumnKind::#kind,
            doc: #doc,
            free: #free,
            bus: #bus,
            part: #part,
            location: #location,
        }
    }
}

/// One line of `store`.
fn store(column: &Column, native: &Ident, cells: &Ident) -> TokenStream {
    let (name, ty) = (&column.name, &column.ty);
    let place = place_of(ty);
    match (column.kind(), run_time_element(column)) {
        (Kind::Public, _) => quote_spanned!(place=> #cells.put_public::<#ty>(&#native.#name);),
        (_, Some(element)) => quote_spanned!(place=> #cells.put_all::<#element>(&#native.#name);),
        _ => quote_spanned!(place=> #cells.put::<#ty>(&#native.#name);),
    }
}
