//! "Did you mean": the known name nearest to one that is unknown.

/// The end of a message about the unknown `name`: the nearest known name, or all of them.
pub(crate) fn suggestion<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    show: impl Fn(&str) -> String,
) -> String {
    let nearest = known.clone().map(|candidate| (distance(name, candidate), candidate)).min();
    match nearest {
        // A third of the letters wrong is a slip; more is another word.
        Some((distance, near)) if 3 * distance <= name.len().max(near.len()) => {
            format!("; did you mean {}?", show(near))
        }
        _ => {
            let all: Vec<String> = known.map(show).collect();
            match all.as_slice() {
                [one] => format!("; the only one is {one}"),
                _ => format!("; known are {}", all.join(", ")),
            }
        }
    }
}

/// The number of letters to insert, delete, replace, or swap with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    // rows[i][j]: the distance between the first i letters of `from` and the first j of `to`.
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_one_step_away() {
        for (from, to, steps) in [
            ("inptu", "input", 1),
            ("input", "input", 0),
            ("inputs", "input", 1),
            ("imput", "input", 1),
            ("", "len", 3),
            ("private", "port", 5),
        ] {
            assert_eq!(distance(from, to), steps, "{from} to {to}");
        }
    }

    #[test]
    fn another_word_gets_the_whole_list() {
        let known = ["input", "output"];
        let show = |name: &str| format!("`{name}`");
        assert_eq!(suggestion("inptu", known.into_iter(), show), "; did you mean `input`?");
        assert_eq!(
            suggestion("argument", known.into_iter(), show),
            "; known are `input`, `output`"
        );
    }
}
