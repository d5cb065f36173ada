//! Names: what is `snake_case`, and how to get there from `CamelCase`.

/// Whether `name` reads `like_this`: lower case, digits, single underscores between words.
pub(crate) fn is_snake_case(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('_').all(word)
}

/// `MerklePath` as `merkle_path`, `Add32` as `add32`, `HTTPServer` as `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends_acronym = before.is_uppercase()
                    && letters.get(i + 1).is_some_and(|after| after.is_lowercase());
                before.is_lowercase() || before.is_ascii_digit() || ends_acronym
            });
        if (starts_word || letter == '_') && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if letter != '_' {
            snake.extend(letter.to_lowercase());
        }
    }
    snake.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_become_chip_names() {
        for (camel, snake) in [
            ("Add32", "add32"),
            ("MerklePath", "merkle_path"),
            ("U32Add", "u32_add"),
            ("HTTPServer", "http_server"),
            ("already_snake", "already_snake"),
            ("_Odd__Name_", "odd_name"),
            ("X", "x"),
        ] {
            assert_eq!(snake_case(camel), snake);
            assert!(is_snake_case(snake), "{snake}");
        }
    }

    #[test]
    fn names_that_are_not_snake_case_are_told_apart() {
        for name in ["Camel", "camelCase", "_private", "trailing_", "two__bars", "", "größe", "2nd"]
        {
            assert!(!is_snake_case(name), "{name}");
        }
        for name in ["x", "x2", "round_2", "limb_0_carry"] {
            assert!(is_snake_case(name), "{name}");
        }
    }
}
