//! What the chips compute, against native code on random inputs.

use std::iter::once;

use chipwright_chips::library;
use chipwright_ir::circuit::{ChipCall, ChipLibrary, Library};
use chipwright_ir::machine::{ChipRows, Machine, MachineInput, check, fill};
use chipwright_ir::{Field, with_field};
use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{
    Goldilocks, default_goldilocks_poseidon2_8, default_goldilocks_poseidon2_12,
    default_goldilocks_poseidon2_16,
};
use p3_koala_bear::{
    KoalaBear, default_koalabear_poseidon2_16, default_koalabear_poseidon2_24,
    default_koalabear_poseidon2_32,
};
use p3_symmetric::Permutation;
use proptest::prelude::*;

const FIELD: Field = Field::Goldilocks2;
const P: u64 = Goldilocks::ORDER_U64;

/// The outputs of one row of a chip, whose trace must obey all its rules.
fn outputs(library: &Library, chip: &str, inputs: &[u64]) -> Vec<u64> {
    let called = library.called(chip).expect("the library has the chip").chip();
    let mut machine = Machine::new(chip, library.field());
    machine.chips.push(called.clone());
    machine.chips.extend(library.helpers_of([called]).into_iter().cloned());
    let rows = vec![(chip.to_owned(), ChipRows::from(vec![inputs.to_vec()]))];
    let input = MachineInput { rows, ..MachineInput::default() };
    with_field!(library.field(), F => {
        let trace = fill::<F>(&machine, &input).expect("the inputs are of their types");
        let report = check::<F>(&machine, &trace);
        assert!(report.is_ok(), "{report}");
    });
    let mut results = Vec::new();
    let evaluated = library.evaluate(&ChipCall::new(chip), inputs, &[], &mut results);
    assert_eq!(evaluated, Ok(()));
    results
}

fn halves(x: u32) -> [u64; 2] {
    [u64::from(x & 0xffff), u64::from(x >> 16)]
}

fn bytes(x: u32) -> [u64; 4] {
    x.to_le_bytes().map(u64::from)
}

fn words() -> impl Strategy<Value = u32> {
    prop_oneof![4 => any::<u32>(), 1 => Just(0), 1 => Just(1), 1 => Just(u32::MAX), 1 => Just(0xffff)]
}

fn felts() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..P, 1 => Just(0), 1 => Just(1), 1 => Just(P - 1), 1 => Just(0xffff_ffff)]
}

proptest! {
    // A case fills the table of 16-bit integers.
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_are_added_subtracted_and_compared(a in words(), b in words(), repeat in any::<bool>()) {
        let library = library(FIELD);
        let b = if repeat { a } else { b };
        let inputs = [halves(a), halves(b)].concat();
        let run = |chip| outputs(&library, chip, &inputs);
        prop_assert_eq!(run("add32"), halves(a.wrapping_add(b)));
        prop_assert_eq!(run("sub32"), halves(a.wrapping_sub(b)));
        prop_assert_eq!(run("less32"), [u64::from(a < b)]);
        prop_assert_eq!(run("equal32"), [u64::from(a == b)]);
        let product = u64::from(a) * u64::from(b);
        let (low, high) = (product as u32, (product >> 32) as u32);
        prop_assert_eq!(run("mul32"), [halves(low), halves(high)].concat());
        prop_assert_eq!(outputs(&library, "bytes32", &halves(a)), bytes(a));
    }

    #[test]
    fn logic_works_bit_by_bit(a in words(), b in words()) {
        let library = library(FIELD);
        let inputs = [bytes(a), bytes(b)].concat();
        let run = |chip| outputs(&library, chip, &inputs);
        prop_assert_eq!(run("bitwise_and"), bytes(a & b));
        prop_assert_eq!(run("bitwise_or"), bytes(a | b));
        prop_assert_eq!(run("bitwise_xor"), bytes(a ^ b));
    }

    #[test]
    fn elements_are_tested_selected_and_decomposed(x in felts(), y in felts(), bit in any::<bool>()) {
        let library = library(FIELD);
        prop_assert_eq!(outputs(&library, "is_zero", &[x]), [u64::from(x == 0)]);
        let chosen = if bit { [x, y] } else { [y, x] };
        prop_assert_eq!(outputs(&library, "select", &[u64::from(bit), x, y, y, x]), chosen);
        let bits: Vec<u64> = (0..64).map(|i| x >> i & 1).collect();
        prop_assert_eq!(outputs(&library, "bits_64", &[x]), bits);
    }

    #[test]
    fn powers_have_reversed_exponents(base in felts(), exponent in any::<u8>()) {
        let library = library(FIELD);
        let bits = (0..8).map(|i| u64::from(exponent >> i & 1));
        let inputs: Vec<u64> = once(base).chain(bits).collect();
        let power = Goldilocks::from_u64(base).exp_u64(exponent.reverse_bits().into());
        prop_assert_eq!(outputs(&library, "exp_reverse_bits_8", &inputs), [power.as_canonical_u64()]);
    }

    #[test]
    fn permutations_are_those_of_plonky3(state in prop::array::uniform32(felts())) {
        fn check<F: PrimeField64, const W: usize>(
            field: Field,
            native: &impl Permutation<[F; W]>,
            state: &[u64],
        ) {
            let state: [F; W] = std::array::from_fn(|i| F::from_u64(state[i]));
            let inputs = state.map(|x| x.as_canonical_u64());
            let permuted = native.permute(state);
            let expected = permuted.map(|x| x.as_canonical_u64());
            let library = library(field);
            assert_eq!(outputs(&library, &format!("poseidon2_{W}"), &inputs), expected);
            let forward: [u64; 4] =
                std::array::from_fn(|i| (permuted[i] + state[i]).as_canonical_u64());
            if field.bits() > 31 {
                assert_eq!(outputs(&library, &format!("feed_forward_{W}"), &inputs), forward);
            }
            if W == 8 {
                assert_eq!(outputs(&library, "compress", &inputs), forward);
            }
        }
        check::<Goldilocks, 8>(FIELD, &default_goldilocks_poseidon2_8(), &state);
        check::<Goldilocks, 12>(FIELD, &default_goldilocks_poseidon2_12(), &state);
        check::<Goldilocks, 16>(FIELD, &default_goldilocks_poseidon2_16(), &state);
        check::<KoalaBear, 16>(Field::KoalaBear4, &default_koalabear_poseidon2_16(), &state);
        check::<KoalaBear, 24>(Field::KoalaBear4, &default_koalabear_poseidon2_24(), &state);
        check::<KoalaBear, 32>(Field::KoalaBear4, &default_koalabear_poseidon2_32(), &state);
    }
}

#[test]
fn small_fields_have_chips_of_their_own_sizes() {
    let library = library(Field::KoalaBear4);
    for x in [0, 1, 5, 0x7eff_ffff, 0x7f00_0000] {
        let bits: Vec<u64> = (0..31).map(|i| x >> i & 1).collect();
        assert_eq!(outputs(&library, "bits_31", &[x]), bits);
    }
    assert!(library.called("mul32").is_none());
    assert_eq!(outputs(&library, "less32", &[0xffff, 0xfffe, 0, 0xffff]), [1]);
}

#[test]
fn the_smallest_power_of_two_root_has_a_power_of_one() {
    // A generator of the group of order 2^8 to a reversed index walks through the whole group.
    let library = library(FIELD);
    let root = Goldilocks::GENERATOR.exp_u64((P - 1) >> 8).as_canonical_u64();
    let mut powers: Vec<u64> = (0..256_u64)
        .flat_map(|i| {
            let inputs: Vec<u64> = once(root).chain((0..8).map(|k| i >> k & 1)).collect();
            outputs(&library, "exp_reverse_bits_8", &inputs)
        })
        .collect();
    powers.sort_unstable();
    powers.dedup();
    assert_eq!(powers.len(), 256);
}
