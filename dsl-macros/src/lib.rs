//! The macros of the chip language: `#[chip]`, `#[message]`, `#[derive(Columns)]`, `#[derive(Ports)]`,
//! `#[derive(OneHot)]`.
//!
//! They touch structs only; the bodies of rules are ordinary Rust. Each is parse → own AST → check →
//! expand, a module each, and reports every mistake of the item at once, at its place. Generated code is
//! thin and calls the traits of `chipwright_dsl`, which re-exports the macros; use them from there.

mod ast;
mod check;
mod ctxt;
mod expand;
mod names;
mod parse;
mod suggest;
mod syntax;

use proc_macro::TokenStream;

use crate::ctxt::Ctxt;

/// Makes a chip of a struct of columns. Documented at `chipwright_dsl::chip`.
#[proc_macro_attribute]
pub fn chip(args: TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let chip = parse::chip(&ctxt, args.into(), item.into());
    if let Some(chip) = &chip {
        check::chip(&ctxt, chip);
    }
    match (ctxt.finish(), chip) {
        (Ok(()), Some(chip)) => expand::chip(&chip),
        (Err(errors), Some(chip)) => {
            let errors = errors.into_compile_error();
            let bare = expand::bare(&chip.shell);
            quote::quote!(#errors #bare)
        }
        (result, None) => compile_errors(result),
    }
    .into()
}

/// Makes a message of a struct. Documented at `chipwright_dsl::message`.
#[proc_macro_attribute]
pub fn message(args: TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let message = parse::message(&ctxt, args.into(), item.into());
    if let Some(message) = &message {
        check::message(&ctxt, message);
    }
    finish(ctxt, message.as_ref(), expand::message)
}

/// Makes a column type of a struct of columns. Documented at `chipwright_dsl::Columns`.
#[proc_macro_derive(
    Columns,
    // The kinds of columns have no meaning here; known as helpers, they get our explanation alone.
    attributes(columns, input, output, record, public, fixed, periodic, port, ports, embed, free, len)
)]
pub fn columns(item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let columns = parse::columns(&ctxt, item.into());
    if let Some(columns) = &columns {
        check::nested(&ctxt, columns);
    }
    finish(ctxt, columns.as_ref(), expand::columns)
}

/// Makes a group of ports of a struct of ports. Documented at `chipwright_dsl::Ports`.
#[proc_macro_derive(
    Ports,
    // As for `Columns`: known as helpers, the kinds of columns get our explanation alone.
    attributes(ports, port, input, output, record, public, fixed, periodic, embed, free, len)
)]
pub fn ports(item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let ports = parse::ports(&ctxt, item.into());
    if let Some(ports) = &ports {
        check::ports(&ctxt, ports);
    }
    finish(ctxt, ports.as_ref(), expand::ports)
}

/// Makes the flags of a one-hot column of an enum. Documented at `chipwright_dsl::OneHot`.
#[proc_macro_derive(OneHot, attributes(one_hot))]
pub fn one_hot(item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let one_hot = parse::one_hot(&ctxt, item.into());
    if let Some(one_hot) = &one_hot {
        check::one_hot(&ctxt, one_hot);
    }
    finish(ctxt, one_hot.as_ref(), expand::one_hot)
}

/// The expansion, or the errors.
fn finish<T>(
    ctxt: Ctxt,
    item: Option<&T>,
    expand: impl Fn(&T) -> proc_macro2::TokenStream,
) -> TokenStream {
    match (ctxt.finish(), item) {
        (Ok(()), Some(item)) => expand(item),
        (result, _) => compile_errors(result),
    }
    .into()
}

fn compile_errors(result: syn::Result<()>) -> proc_macro2::TokenStream {
    result.err().map(syn::Error::into_compile_error).unwrap_or_default()
}
