//! Every standard chip against its snapshot, its page, its specification, and forgers.

use std::sync::Arc;

use chipwright_chips::primitive::{Add, Alu, AluExt, Const, Mul, Private, Witness};
use chipwright_chips::{
    Add32, And, Bits, Bitwise, ByteTable, Bytes32, Compress, Equal32, ExpReverseBits, FeedForward,
    IsZero, Less32, MerklePath, Mul32, Or, Poseidon2, Range8, Range16, Select, Sub32, Xor, catalog,
};
use chipwright_dsl::testing::Specimen;
use chipwright_dsl::{Chip, Field, chip_tests};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;

/// A chip with the runs of the catalog.
fn listed<C: Chip>() -> Specimen {
    let mut entries = catalog(Field::default()).into_iter();
    let entry = entries.find(|entry| entry.chip.name == C::name()).expect("the chip is listed");
    Specimen::new(Arc::new(entry.chip.clone()), entry.machine(), entry.inputs(1))
}

fn permuted(state: [u64; 8]) -> [u64; 8] {
    let permutation = default_goldilocks_poseidon2_8();
    permutation.permute(state.map(Goldilocks::from_u64)).map(|x| x.as_canonical_u64())
}

fn fed_forward(state: [u64; 8]) -> [u64; 4] {
    let sum = |i: usize| Goldilocks::from_u64(permuted(state)[i]) + Goldilocks::from_u64(state[i]);
    std::array::from_fn(|i| sum(i).as_canonical_u64())
}

fn bytewise(a: [u8; 4], b: [u8; 4], f: impl Fn(u8, u8) -> u8) -> [u64; 4] {
    std::array::from_fn(|i| f(a[i], b[i]).into())
}

chip_tests! { constant = listed::<Const>() }
chip_tests! { private = listed::<Private>() }
chip_tests! { witness = listed::<Witness>() }
chip_tests! { add = listed::<Add>() }
chip_tests! { mul = listed::<Mul>() }
chip_tests! { alu = listed::<Alu>() }
chip_tests! { alu_ext = listed::<AluExt>() }
chip_tests! { bits = listed::<Bits<64>>() }
chip_tests! { merkle_path = listed::<MerklePath>() }

chip_tests! {
    is_zero: IsZero,
    inputs: (0..Goldilocks::ORDER_U64, any::<bool>()).prop_map(|(x, keep)| if keep { x } else { 0 }),
    spec: |x| x == 0
}
chip_tests! {
    select: Select,
    inputs: (any::<bool>(), Just(vec![1, 2]), Just(vec![3, 4])),
    spec: |(bit, then, otherwise)| if bit { then } else { otherwise }
}
chip_tests! {
    exp_reverse_bits: ExpReverseBits<8>,
    inputs: (0..Goldilocks::ORDER_U64, any::<[bool; 8]>()),
    spec: |(base, bits)| {
        let exponent = bits.into_iter().fold(0, |e, bit| 2 * e + u64::from(bit));
        Goldilocks::from_u64(base).exp_u64(exponent).as_canonical_u64()
    }
}
chip_tests! {
    add32: Add32, inputs: any::<(u32, u32)>(), spec: |(a, b)| a.wrapping_add(b)
}
chip_tests! {
    sub32: Sub32, inputs: any::<(u32, u32)>(), spec: |(a, b)| a.wrapping_sub(b)
}
chip_tests! {
    mul32: Mul32,
    inputs: any::<(u32, u32)>(),
    spec: |(a, b)| {
        let product = u64::from(a) * u64::from(b);
        (product as u32, (product >> 32) as u32)
    }
}
chip_tests! {
    less32: Less32, inputs: any::<(u32, u32)>(), spec: |(a, b)| a < b
}
chip_tests! {
    equal32: Equal32,
    inputs: any::<(u32, u32, bool)>().prop_map(|(a, b, same)| (a, if same { a } else { b })),
    spec: |(a, b)| a == b
}
chip_tests! {
    bytes32: Bytes32, inputs: any::<u32>(), spec: u32::to_le_bytes
}
chip_tests! {
    bitwise_and: Bitwise<And>,
    providers: [ByteTable],
    inputs: any::<([u8; 4], [u8; 4])>(),
    spec: |(a, b)| bytewise(a, b, |a, b| a & b)
}
chip_tests! {
    bitwise_or: Bitwise<Or>,
    providers: [ByteTable],
    inputs: any::<([u8; 4], [u8; 4])>(),
    spec: |(a, b)| bytewise(a, b, |a, b| a | b)
}
chip_tests! {
    bitwise_xor: Bitwise<Xor>,
    providers: [ByteTable],
    inputs: any::<([u8; 4], [u8; 4])>(),
    spec: |(a, b)| bytewise(a, b, |a, b| a ^ b)
}
chip_tests! {
    poseidon2: Poseidon2<8>, inputs: any::<[u64; 8]>(), spec: permuted
}
chip_tests! {
    compress: Compress,
    inputs: any::<([u64; 4], [u64; 4])>(),
    spec: |(left, right)| {
        fed_forward(std::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] }))
    }
}
chip_tests! {
    feed_forward: FeedForward<8>, inputs: any::<[u64; 8]>(), spec: fed_forward
}

#[test]
fn tables_have_no_rules_that_could_be_missing() {
    for specimen in [listed::<Range8>(), listed::<Range16>(), listed::<ByteTable>()] {
        specimen.honest();
        let audit = specimen.audit();
        assert!(audit.complaints().is_empty(), "{audit}");
        assert_eq!(audit.rules, 0);
    }
}
