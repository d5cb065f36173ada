//! Calls of the hash chip that are computed together.

use chipwright_chips::recursion::{HashSizes, Leaf, RowKind, RowSpec, Script};
use chipwright_ir::Field;
use chipwright_ir::circuit::CallInput;

/// The opening of a leaf of two rows, whose combination is an output, under a parent of four.
fn opening(field: Field) -> Script {
    let rate = HashSizes::of(field).rate();
    let leaf = |kind| RowSpec { leaf: Leaf::Combine, ..RowSpec::new(kind, rate) };
    let rows = vec![
        RowSpec { enter: true, ..leaf(RowKind::Leaf) },
        leaf(RowKind::LeafNext),
        RowSpec { sum: true, end: true, ..RowSpec::new(RowKind::Parent4, 0) },
    ];
    Script { tree: 1, rows }
}

#[test]
fn calls_computed_together_are_those_computed_one_by_one() {
    for field in Field::ALL {
        let library = chipwright_chips::library(field);
        let hasher = library.called("hasher").expect("a standard chip");
        let (call, sizes) = (opening(field).call(), HashSizes::of(field));
        for count in [1, 2, 3, 8, 16, 17, 33] {
            let number = |call: usize, i: usize| (1_000_003 * call + 17 * i) as u64;
            let given: Vec<(Vec<u64>, Vec<u64>)> = (0..count)
                .map(|call| {
                    let point = (0..field.degree()).map(|i| number(call, i));
                    let inputs = std::iter::once((call % 4) as u64).chain(point).collect();
                    // Every sixth call lacks data, and comes to nothing.
                    let length = 2 * sizes.rate() + 3 * sizes.digest - usize::from(call % 6 == 5);
                    (inputs, (0..length).map(|i| number(call, i + 50)).collect())
                })
                .collect();
            let borrowed: Vec<_> =
                given.iter().map(|(inputs, data)| CallInput { inputs, data }).collect();
            let together = hasher.native_runs(&call, &borrowed).expect("it says what rows hold");
            assert_eq!(together.len(), count);
            for (number, (run, (inputs, data))) in together.iter().zip(&given).enumerate() {
                let alone = hasher.native_run(&call, inputs, data).expect("as above");
                assert_eq!(*run, alone, "call {number} of {count} over {field}");
                assert_eq!(run.is_err(), number % 6 == 5);
            }
        }
    }
}
