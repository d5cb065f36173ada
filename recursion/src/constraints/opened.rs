//! What a proof opens of a table, and how it is put together.

use chipwright_dsl::circuit::{CircuitBuilder, ExtTarget, Target};

/// Columns of a table at ζ and at the point of the next row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The columns at ζ.
    pub local: Vec<ExtTarget>,
    /// The columns at the next row's point. Empty if they are not opened there.
    pub next: Vec<ExtTarget>,
}

/// What a proof opens of a table.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// The main-trace columns.
    pub main: Row,
    /// The preprocessed columns.
    pub fixed: Row,
    /// The lookup columns as they are committed: a base-field polynomial for every coefficient, and so as
    /// many values per column as the degree of the extension.
    pub lookups: Row,
    /// The quotient's chunks, each as many values as the degree of the extension.
    pub quotient: Vec<Vec<ExtTarget>>,
    /// The public values.
    pub publics: Vec<Target>,
    /// The sum of the table's lookups; `None` without lookups.
    pub terminal: Option<ExtTarget>,
}

impl Row {
    /// The extension columns whose coefficients these columns hold.
    pub(super) fn recomposed(&self, builder: &mut CircuitBuilder) -> Self {
        let degree = builder.field().degree();
        let mut recompose = |cells: &[ExtTarget]| -> Vec<ExtTarget> {
            cells.chunks(degree).map(|coefficients| element(builder, coefficients)).collect()
        };
        Self { local: recompose(&self.local), next: recompose(&self.next) }
    }
}

/// `Σ Xᵈ · coefficient_d`: the value at ζ of the polynomial over the extension whose coefficient polynomials
/// have the given values. (At ζ those values are extension elements themselves.)
pub(super) fn element(builder: &mut CircuitBuilder, coefficients: &[ExtTarget]) -> ExtTarget {
    let degree = builder.field().degree();
    let mut sum = None;
    for (index, &coefficient) in coefficients.iter().enumerate() {
        sum = Some(match sum {
            None => coefficient,
            Some(sum) => {
                let mut basis = vec![0; degree];
                basis[index] = 1;
                let basis = builder.add_ext_const(&basis);
                builder.mul_add(coefficient, basis, sum)
            }
        });
    }
    sum.unwrap_or_else(|| builder.lift(0))
}

/// The value of the quotient at ζ: its chunks by their weights. Coefficients are summed over the chunks
/// before they are put together, so that the latter happens once.
pub(super) fn quotient(
    builder: &mut CircuitBuilder,
    chunks: &[Vec<ExtTarget>],
    weights: &[ExtTarget],
) -> ExtTarget {
    let degree = builder.field().degree();
    let coefficients: Vec<ExtTarget> = (0..degree)
        .map(|d| {
            let mut sum = None;
            for (chunk, &weight) in chunks.iter().zip(weights) {
                let value = chunk[d];
                sum = Some(match sum {
                    None => builder.mul(value, weight),
                    Some(sum) => builder.mul_add(value, weight, sum),
                });
            }
            sum.unwrap_or_else(|| builder.lift(0))
        })
        .collect();
    element(builder, &coefficients)
}
