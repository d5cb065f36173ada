//! From tokens to the [AST](crate::ast): what an item says, before anything is made of it.
//!
//! Parsing rejects only what it cannot represent (an enum under `#[chip]`, an attribute nobody knows, an
//! option of the wrong form). Everything else is kept as written, for the checks.

mod attributes;
mod options;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields};

use crate::ast::{Chip, Column, OneHot, Plain, Shell};
use crate::ctxt::Ctxt;

/// The struct under `#[chip(args)]`.
pub(crate) fn chip(ctxt: &Ctxt, args: TokenStream, item: TokenStream) -> Option<Chip> {
    let item = derive_input(ctxt, "#[chip]", item)?;
    let options = options::chip(ctxt, args);
    let columns = named_fields(ctxt, "#[chip]", &item, attributes::Allowed::Chip)?;
    Some(Chip { shell: shell(&item), options, columns })
}

/// The struct under `#[message(args)]`.
pub(crate) fn message(ctxt: &Ctxt, args: TokenStream, item: TokenStream) -> Option<Plain> {
    let item = derive_input(ctxt, "#[message]", item)?;
    let crate_path = options::crate_only(ctxt, "#[message]", args);
    let columns = named_fields(ctxt, "#[message]", &item, attributes::Allowed::Message)?;
    Some(Plain { shell: shell(&item), crate_path, columns })
}

/// The struct under `#[derive(Columns)]`.
pub(crate) fn columns(ctxt: &Ctxt, item: TokenStream) -> Option<Plain> {
    let item = derive_input(ctxt, "#[derive(Columns)]", item)?;
    let crate_path = options::helper(ctxt, "columns", &item.attrs);
    let columns = named_fields(ctxt, "#[derive(Columns)]", &item, attributes::Allowed::Columns)?;
    Some(Plain { shell: shell(&item), crate_path, columns })
}

/// The struct under `#[derive(Ports)]`.
pub(crate) fn ports(ctxt: &Ctxt, item: TokenStream) -> Option<Plain> {
    let item = derive_input(ctxt, "#[derive(Ports)]", item)?;
    let crate_path = options::helper(ctxt, "ports", &item.attrs);
    let columns = named_fields(ctxt, "#[derive(Ports)]", &item, attributes::Allowed::Ports)?;
    Some(Plain { shell: shell(&item), crate_path, columns })
}

/// The enum under `#[derive(OneHot)]`.
pub(crate) fn one_hot(ctxt: &Ctxt, item: TokenStream) -> Option<OneHot> {
    let item = derive_input(ctxt, "#[derive(OneHot)]", item)?;
    let crate_path = options::helper(ctxt, "one_hot", &item.attrs);
    let shell = shell(&item);
    match item.data {
        Data::Enum(data) => {
            Some(OneHot { shell, crate_path, variants: data.variants.into_iter().collect() })
        }
        Data::Struct(_) | Data::Union(_) => {
            ctxt.error(
                &shell.name,
                format!(
                    "`#[derive(OneHot)]` goes on an enum, one variant a flag; `{}` is not an enum",
                    shell.name
                ),
            );
            None
        }
    }
}

fn derive_input(ctxt: &Ctxt, attribute: &str, item: TokenStream) -> Option<DeriveInput> {
    match syn::parse2::<DeriveInput>(item.clone()) {
        Ok(item) => Some(item),
        // `syn` would complain of the first token of a function or a module; underline all of it.
        Err(_) if syn::parse2::<syn::Item>(item.clone()).is_ok() => {
            ctxt.error(item, format!("`{attribute}` goes on a struct with named fields"));
            None
        }
        Err(error) => {
            ctxt.push(error);
            None
        }
    }
}

fn shell(item: &DeriveInput) -> Shell {
    let (docs, attributes) =
        item.attrs.iter().cloned().partition(|attribute| attribute.path().is_ident("doc"));
    Shell {
        attributes,
        doc: attributes::doc(docs),
        vis: item.vis.clone(),
        name: item.ident.clone(),
        generics: item.generics.clone(),
    }
}

/// The fields of a struct with named fields; columns are known by their names in rules and reports.
fn named_fields(
    ctxt: &Ctxt,
    attribute: &str,
    item: &DeriveInput,
    allowed: attributes::Allowed,
) -> Option<Vec<Column>> {
    let name = &item.ident;
    let complain = |tokens: &dyn quote::ToTokens, what: &str| {
        ctxt.error(
            tokens,
            format!("`{attribute}` goes on a struct with named fields; `{name}` {what}"),
        );
        None
    };
    let data = match &item.data {
        Data::Struct(data) => data,
        Data::Enum(data) => return complain(&data.enum_token, "is an enum"),
        Data::Union(data) => return complain(&data.union_token, "is a union"),
    };
    match &data.fields {
        Fields::Named(fields) => {
            Some(fields.named.iter().filter_map(|field| column(ctxt, field, allowed)).collect())
        }
        Fields::Unnamed(fields) => complain(fields, "has fields without names"),
        Fields::Unit => complain(name, "has no fields"),
    }
}

fn column(ctxt: &Ctxt, field: &syn::Field, allowed: attributes::Allowed) -> Option<Column> {
    let mut column = Column {
        attributes: Vec::new(),
        doc: attributes::doc(Vec::new()),
        vis: field.vis.clone(),
        name: field.ident.clone()?,
        ty: field.ty.clone(),
        kinds: Vec::new(),
        free: None,
        len: None,
        bus: None,
        part: None,
    };
    for attribute in &field.attrs {
        attributes::read(ctxt, allowed, attribute, &mut column);
    }
    Some(column)
}
