//! Interned names: labels of operations and paths of scopes.
//!
//! A circuit of a million operations has a few hundred distinct names, so an operation stores a
//! four-byte [`Symbol`] and the text is kept once.

use std::collections::HashMap;

/// An interned name. The default is the empty name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// The empty name.
    pub const NONE: Self = Self(0);

    /// Whether this is the empty name.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// This name, or `other` if this one is empty.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_none() { other } else { self }
    }
}

/// The table of names of one circuit.
#[derive(Clone, Debug)]
pub struct Names {
    texts: Vec<Box<str>>,
    symbols: HashMap<Box<str>, Symbol>,
}

impl Default for Names {
    fn default() -> Self {
        Self { texts: vec!["".into()], symbols: HashMap::from([("".into(), Symbol::NONE)]) }
    }
}

impl Names {
    /// The symbol of a name.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.symbols.get(text) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).unwrap_or(0));
        self.texts.push(text.into());
        self.symbols.insert(text.into(), symbol);
        symbol
    }

    /// The text of a symbol; empty if it belongs to another table.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol.0 as usize).map_or("", |text| text)
    }
}
