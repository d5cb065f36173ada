//! Names for the instances of a generic chip.
//!
//! Chips of one machine have names of their own, so `Pair<U8>` and `Pair<Felt>` cannot both be `pair`.
//! The type's own name tells them apart: `pair_u8`, without the modules that the types live in.

/// `_` and the name of a type in `snake_case`, without paths: `_merkle_cap_felt` for `a::MerkleCap<b::Felt>`.
pub fn instance<T: ?Sized>() -> String {
    let mut words = String::new();
    let separators = |letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':';
    for path in std::any::type_name::<T>().split(separators) {
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
    use crate::{Felt, Limb};

    struct MerkleCap<T>(std::marker::PhantomData<T>);

    #[test]
    fn paths_are_left_out_and_arguments_kept() {
        assert_eq!(instance::<Felt>(), "_felt");
        assert_eq!(instance::<Limb<8>>(), "_limb_8");
        assert_eq!(instance::<MerkleCap<[Felt; 4]>>(), "_merkle_cap_felt_4");
    }
}
