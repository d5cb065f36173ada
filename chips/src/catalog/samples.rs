//! Honest records for the chips of the catalog.

use chipwright_dsl::Field;
use chipwright_ir::audit::Rng;
use chipwright_ir::chip::{CellType, Chip, ColumnKind};
use chipwright_ir::field::FieldPair;
use chipwright_ir::with_field;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};

/// Rows of a run that are not padding: not a power of two, so that there is padding.
const ROWS: usize = 5;

/// Where the records of a chip come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Samples {
    /// Any values of their types.
    Typed,
    /// Values that fit the fixed columns.
    Wired(Wiring),
    /// Another chip's records.
    Asked,
}

/// What the circuit around a chip decides.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wiring {
    /// One constant a row.
    Constants,
    /// Whether each row's value is a base element.
    Values,
    /// One relation on every row: the coefficients of `a·b`, `a`, `b` and `c`.
    Relation([u64; 4]),
    /// A relation a row.
    Alu { extension: bool },
    /// Merkle paths.
    Paths,
}

/// The relations of an arithmetic table: product, sum, fused product and sum, equality.
const RELATIONS: [[u64; 4]; ROWS] =
    [[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 1]];

/// The depths of two Merkle paths.
const DEPTHS: [usize; 2] = [3, 1];

impl Wiring {
    /// The contents of the chip's fixed columns, row by row.
    pub(super) fn fixed(self, field: Field) -> Vec<Vec<u64>> {
        match self {
            Self::Constants => (0..ROWS).map(|row| constant(field, row)).collect(),
            Self::Values => (0..ROWS).map(|row| vec![row as u64 % 2]).collect(),
            Self::Relation(_) => vec![Vec::new(); ROWS],
            // Whether there is a product, and whether something is added to it, or to `a`.
            Self::Alu { .. } => {
                RELATIONS.map(|[product, _, right, addend]| vec![product, right + addend]).to_vec()
            }
            Self::Paths => levels().map(|(_, end)| vec![u64::from(!end), u64::from(end)]).collect(),
        }
    }

    /// Records that fit these contents.
    pub(super) fn rows(self, field: Field, rng: &mut Rng) -> Vec<Vec<u64>> {
        let degree = field.degree();
        match self {
            Self::Constants => (0..ROWS).map(|row| constant(field, row)).collect(),
            Self::Values => (0..ROWS)
                .map(|row| {
                    let mut value: Vec<u64> = (0..degree).map(|_| felt(field, rng)).collect();
                    if row % 2 == 1 {
                        value[1..].fill(0);
                    }
                    value
                })
                .collect(),
            Self::Relation(relation) => {
                (0..ROWS).map(|_| operands(field, relation, degree, false, rng)).collect()
            }
            Self::Alu { extension } => {
                let cells = if extension { degree } else { 1 };
                RELATIONS.map(|relation| operands(field, relation, cells, true, rng)).to_vec()
            }
            Self::Paths => levels()
                .map(|(leaves, _)| {
                    let index = leaves.map_or(0, |leaves| rng.below(leaves) as u64);
                    let mut digest = || (0..4).map(|_| felt(field, rng)).collect::<Vec<_>>();
                    [digest(), vec![index], digest()].concat()
                })
                .collect(),
        }
    }
}

/// The rows of all paths: the number of leaves on the first row of a path, and whether it is the last one.
fn levels() -> impl Iterator<Item = (Option<usize>, bool)> {
    DEPTHS.into_iter().flat_map(|depth| {
        (0..depth).map(move |level| ((level == 0).then_some(1 << depth), level + 1 == depth))
    })
}

fn constant(field: Field, row: usize) -> Vec<u64> {
    let mut rng = Rng::new(row as u64);
    (0..field.degree()).map(|_| felt(field, &mut rng)).collect()
}

/// Any element, often one at the edge.
fn felt(field: Field, rng: &mut Rng) -> u64 {
    match rng.below(6) {
        0 => 0,
        1 => field.modulus() - 1,
        _ => rng.bits() % field.modulus(),
    }
}

/// The operands of a relation, and its result, each of `cells` coefficients.
fn operands(
    field: Field,
    relation: [u64; 4],
    cells: usize,
    addend: bool,
    rng: &mut Rng,
) -> Vec<u64> {
    let mut value = || (0..cells).map(|_| felt(field, rng)).collect::<Vec<u64>>();
    let [a, b, c] = [value(), value(), value()];
    let mut out = with_field!(field, P => result::<P>(relation, [&a, &b, &c]));
    out.truncate(cells);
    if addend { [a, b, c, out].concat() } else { [a, b, out].concat() }
}

fn result<P: FieldPair>(
    [product, left, right, addend]: [u64; 4],
    operands: [&[u64]; 3],
) -> Vec<u64> {
    let [a, b, c] = operands.map(|coefficients| {
        P::Ext::from_basis_coefficients_fn(|i| {
            P::Base::from_u64(coefficients.get(i).copied().unwrap_or(0))
        })
    });
    let times = |factor: u64, value: P::Ext| value * P::Base::from_u64(factor);
    let out = times(product, a * b) + times(left, a) + times(right, b) + times(addend, c);
    let coefficients: &[P::Base] = out.as_basis_coefficients_slice();
    coefficients.iter().map(PrimeField64::as_canonical_u64).collect()
}

/// Records of any values of their types; in every other row the second half repeats the first where types
/// allow, so that comparisons meet equal operands.
pub(super) fn typed(chip: &Chip, rng: &mut Rng) -> Vec<Vec<u64>> {
    let types: Vec<CellType> = chip
        .columns
        .iter()
        .filter(|column| matches!(column.kind, ColumnKind::Input | ColumnKind::Record))
        .map(|column| column.ty)
        .collect();
    let half = types.len() / 2;
    (0..ROWS)
        .map(|row| {
            let mut record: Vec<u64> = types.iter().map(|&ty| value(chip.field, ty, rng)).collect();
            if row % 2 == 1 && types[..half] == types[half..2 * half] {
                record.copy_within(..half, half);
            }
            record
        })
        .collect()
}

fn value(field: Field, ty: CellType, rng: &mut Rng) -> u64 {
    match ty {
        CellType::Bits(bits) => {
            let max = (1 << bits) - 1;
            match rng.below(6) {
                0 => 0,
                1 => max,
                _ => rng.bits() & max,
            }
        }
        _ => felt(field, rng),
    }
}
