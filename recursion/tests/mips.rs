//! A layer against the same work as a MIPS program.

use chipwright_backend_stark::config::Config;
use chipwright_tests::mips::compare_steady_layer;

#[test]
fn r_32_a_layer_has_fewer_cells_than_its_verifier_takes_cycles_as_a_mips_program() {
    let comparison = compare_steady_layer(&Config::default()).expect("every result is the trace's");
    println!("{comparison}");
    assert_eq!((comparison.rows(), comparison.columns()), (4096, 227));
    let (work, cycles) = (&comparison.work, comparison.cycles);
    assert_eq!((work.permutations(), work.combined(), work.operations()), (3831, 19_200, 8094));
    // Some values of a transcript are small, and some carries are rare: that is a few cycles.
    let thousands = [cycles.permutations, cycles.combinations, cycles.arithmetic, cycles.calls];
    assert_eq!(thousands.map(|cycles| cycles / 1000), [115_795, 2090, 743, 48]);

    // A cycle is at least a row, and a row at least a cell.
    assert_eq!(cycles.total() / comparison.rows(), 28_962);
    assert_eq!(cycles.total() / comparison.cells(), 127);
    // Even if nodes that queries share are hashed once: how many these are depends on the queries.
    let (states, permutations) = (work.different_states() as u64, work.permutations() as u64);
    assert!(10 * states > 9 * permutations, "{states} of {permutations} states differ");
    let least = cycles.permutations / permutations * states + cycles.without_permutations();
    assert!(least / comparison.cells() >= 105, "{least} cycles");
    // With a free table of permutations there are still more cycles than cells in the layer, its hashes included.
    assert_eq!(cycles.without_permutations() / comparison.cells(), 3);
}
