//! A place to put errors while a macro keeps looking for more.
//!
//! Every stage gets `&Ctxt` and records what it finds; nobody fixes one mistake only to meet the next.
//! A context that is dropped without [`Ctxt::finish`] panics, so no error can be forgotten.
//!
//! ```text
//! let ctxt = Ctxt::new();
//! let chip = parse::chip(&ctxt, item);   // may record errors
//! check::chip(&ctxt, &chip);             // may record more
//! ctxt.finish()?;                        // all of them, at their spans
//! ```

use std::cell::RefCell;
use std::fmt::Display;

use quote::ToTokens;

/// Collects the errors of one expansion.
pub(crate) struct Ctxt {
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self { errors: RefCell::new(Some(Vec::new())) }
    }

    /// Records an error that underlines `tokens`.
    pub(crate) fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens.into_token_stream(), message));
    }

    /// Records an error that another parser made.
    pub(crate) fn push(&self, error: syn::Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// All errors, joined, or nothing.
    pub(crate) fn finish(self) -> syn::Result<()> {
        let errors = self.errors.borrow_mut().take().unwrap_or_default();
        errors
            .into_iter()
            .reduce(|mut all, next| {
                all.combine(next);
                all
            })
            .map_or(Ok(()), Err)
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        let reported = self.errors.borrow().is_none();
        assert!(reported || std::thread::panicking(), "a macro forgot to report its errors");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_reported() {
        let ctxt = Ctxt::new();
        ctxt.error(quote::quote!(a), "first");
        ctxt.error(quote::quote!(b), "second");
        let messages: Vec<String> =
            ctxt.finish().unwrap_err().into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages, ["first", "second"]);
    }

    #[test]
    #[should_panic(expected = "a macro forgot to report its errors")]
    fn a_context_that_is_dropped_unread_panics() {
        drop(Ctxt::new());
    }
}
