//! A recording: everything that a chip's rules say, while they are being said.
//!
//! Handles refer to an arena that lives as long as the process; a chip is recorded once, so little is
//! leaked: when a recording ends, its contents move into an owned [`chipwright_ir::chip::Chip`] and an
//! empty shell stays behind.

mod error;
mod finish;
mod intervals;
mod padding;
mod record;
mod state;

use std::cell::{RefCell, RefMut};
use std::fmt;

use chipwright_ir::Field;

pub use error::{ErrorKind, RecordingError, RecordingErrors};
pub(crate) use record::fixed_data;
pub use record::record;
pub(crate) use state::{State, Where};

/// The place that handles point to.
pub(crate) struct Arena {
    name: String,
    field: Field,
    state: RefCell<Option<State>>,
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recording of `{}`", self.name)
    }
}

impl Arena {
    pub(crate) fn leak(name: String, field: Field, dense: bool) -> &'static Self {
        let state = RefCell::new(Some(State::new(field, dense)));
        Box::leak(Box::new(Self { name, field, state }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn field(&self) -> Field {
        self.field
    }

    /// Works on the recording.
    ///
    /// # Panics
    ///
    /// Panics if the recording has ended: a handle was kept beyond the rules it was made for.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state())
    }

    /// Apart from [`Self::with`], of which every verb makes an instance in every crate of chips.
    fn state(&self) -> RefMut<'_, State> {
        RefMut::map(self.state.borrow_mut(), |state| {
            let state = state.as_mut();
            state.unwrap_or_else(|| panic!("the recording of chip `{}` has ended", self.name))
        })
    }

    /// Ends the recording.
    pub(crate) fn take(&self) -> State {
        self.state.borrow_mut().take().expect("a recording ends once")
    }
}
