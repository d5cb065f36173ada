//! Names for the instances of a generic chip.
//!
//! Chips of one machine have names of their own, so `Pair<U8>` and `Pair<Felt>` cannot both be `pair`.
//! The type's own name tells them apart: `pair_u8`, without the modules that the types live in.

use crate::cell::{U8, U16};

/// `_` and the name of a type in `snake_case`, without paths: `_merkle_cap_felt` for `a::MerkleCap<b::Felt>`.
pub fn instance<T: ?Sized>() -> String {
    // Aliases that authors know better than the types they stand for.
    let name = std::any::type_name::<T>()
        .replace(std::any::type_name::<U8>(), "U8")
        .replace(std::any::type_name::<U16>(), "U16");
    let mut words = String::new();
    let separators = |letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':';
    for path in name.split(separators) {
        let name = path.rsplit("::").next().unwrap_or(path);
        if name.is_empty() {
            continue;
        }
        words.push('_');
        let mut before_is_capital = true;
        for letter in name.chars() {
            if letter.is_uppercase() && !before_is_capital {
                words.push('_');
            }
            before_is_capital = letter.is_uppercase();
            words.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Felt;

    struct MerkleCap<T>(std::marker::PhantomData<T>);

    #[test]
    fn paths_are_left_out_and_arguments_kept() {
        assert_eq!(instance::<Felt>(), "_felt");
        assert_eq!(instance::<U16>(), "_u16");
        assert_eq!(instance::<[U8; 4]>(), "_u8_4");
        assert_eq!(instance::<MerkleCap<[Felt; 4]>>(), "_merkle_cap_felt_4");
    }
}
