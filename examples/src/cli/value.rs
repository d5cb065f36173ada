//! Field elements on the command line: `3`, `-1`, and `[1,2]` for `1 + 2·X` of the extension.

use std::fmt;
use std::str::FromStr;

use chipwright_ir::Field;
use chipwright_ir::text::quoted;

use super::error::CliError;

/// An element as it was written; the field decides later what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    text: String,
    coefficients: Vec<i128>,
}

/// Integers separated by commas: the private data of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data(Value);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Value {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let inner = match trimmed.strip_prefix('[') {
            Some(rest) => rest
                .strip_suffix(']')
                .ok_or_else(|| "an extension element ends with `]`, as in [1,2]".to_owned())?,
            None if trimmed.contains(',') => {
                return Err("an extension element is written in brackets, as in [1,2]".to_owned());
            }
            None => trimmed,
        };
        Self::parse_list(text, inner)
    }
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Value::parse_list(text, text).map(Self)
    }
}

impl Value {
    fn parse_list(text: &str, inner: &str) -> Result<Self, String> {
        let coefficients = inner
            .split(',')
            .map(|part| {
                let part = part.trim();
                part.parse().map_err(|_| format!("{} is not an integer", quoted(part)))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { text: text.trim().to_owned(), coefficients })
    }

    /// The canonical coefficients over a field.
    fn canonical(
        &self,
        field: Field,
        what: &'static str,
        index: usize,
    ) -> Result<Vec<u64>, CliError> {
        let modulus = i128::from(field.modulus());
        if self.coefficients.iter().any(|c| *c <= -modulus || *c >= modulus) {
            return Err(CliError::NoElement { what, index, value: self.text.clone(), field });
        }
        Ok(self.coefficients.iter().map(|&c| field.reduce(c)).collect())
    }
}

/// The canonical coefficients of inputs, at most as many as the extension's degree.
///
/// # Errors
///
/// Names the first input that is no element of the field.
pub fn elements(
    values: &[Value],
    field: Field,
    what: &'static str,
) -> Result<Vec<Vec<u64>>, CliError> {
    values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let found = value.coefficients.len();
            if found > field.degree() {
                return Err(CliError::TooManyCoefficients { what, index, found, field });
            }
            value.canonical(field, what, index)
        })
        .collect()
}

/// The canonical integers of private data.
///
/// # Errors
///
/// Names the first piece with an integer that is no element of the field.
pub fn data(values: &[Data], field: Field) -> Result<Vec<Vec<u64>>, CliError> {
    values.iter().enumerate().map(|(index, data)| data.0.canonical(field, "data", index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: Field = Field::Goldilocks2;

    fn read(text: &str) -> Result<Vec<u64>, String> {
        let value: Value = text.parse()?;
        let mut all = elements(&[value], FIELD, "public").map_err(|error| error.line())?;
        Ok(all.remove(0))
    }

    #[test]
    fn elements_are_written_as_integers_or_lists() {
        for (text, expected) in [
            ("3", vec![3]),
            (" 0 ", vec![0]),
            ("-1", vec![FIELD.modulus() - 1]),
            ("[1,2]", vec![1, 2]),
            ("[ -1, 2 ]", vec![FIELD.modulus() - 1, 2]),
            ("[5]", vec![5]),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_element_is_refused_with_a_reason() {
        for (text, reason) in [
            ("x", "`x` is not an integer"),
            ("", "`` is not an integer"),
            ("1,2", "an extension element is written in brackets, as in [1,2]"),
            ("[1,2", "an extension element ends with `]`, as in [1,2]"),
            ("[1,2,3]", "public input 0 has 3 coefficients, elements of goldilocks^2 have 2"),
        ] {
            assert_eq!(read(text), Err(reason.to_owned()), "{text}");
        }
        let modulus = FIELD.modulus().to_string();
        assert!(read(&modulus).is_err_and(|reason| reason.contains("no element")));
    }
}
