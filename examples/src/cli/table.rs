//! Tables, in the form that Markdown and terminals share.

/// A Markdown table with aligned columns; columns of numbers are aligned to the right.
pub fn markdown(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count(), 3]).max().unwrap_or(3)
    };
    let is_number = |column: usize| {
        !rows.is_empty() && rows.iter().all(|row| row[column].parse::<f64>().is_ok())
    };
    let columns: Vec<(usize, bool)> =
        (0..header.len()).map(|column| (width(column), is_number(column))).collect();
    let line = |cells: &[String]| -> String {
        let cells = cells.iter().zip(&columns).map(|(cell, &(width, right))| {
            if right { format!(" {cell:>width$} ") } else { format!(" {cell:<width$} ") }
        });
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    };
    let mut text = line(&header.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    let rules = columns.iter().map(|&(width, right)| {
        let dashes = "-".repeat(width);
        if right { format!(" {dashes}:") } else { format!(" {dashes} ") }
    });
    text.extend(["|", &rules.collect::<Vec<_>>().join("|"), "|\n"]);
    for row in &rows {
        text += &line(row);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        let rows = [["add32", "9"], ["is_zero", "12"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let expected = "\
            | name    | cells |\n\
            | ------- | -----:|\n\
            | add32   |     9 |\n\
            | is_zero |    12 |\n";
        assert_eq!(markdown(&["name", "cells"], rows), expected);
    }
}
