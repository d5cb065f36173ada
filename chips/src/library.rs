//! The chips that circuits are made of, as one value.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chipwright_dsl::{Chip, Field, Range8, Range16, record};
use chipwright_ir::chip::Chip as IrChip;
use chipwright_ir::circuit::{CalledChip, Library, TableKind, ValueType};

use crate::primitive::{Add, Alu, AluExt, Const, Mul, Private, Witness};
use crate::recursion::{Cap, Hasher, Index, cap_chip, hasher, index_chip};
use crate::{
    Add32, And, Bits, Bitwise, ByteTable, Bytes32, Compress, Equal32, ExpReverseBits, FeedForward,
    IsZero, Less32, MerklePath, Mul32, Or, Poseidon2, Select, Sub32, Xor, merkle_path,
};

/// The standard chips over a field: those behind the tables of every circuit, those that circuits call by
/// name, and the tables that these look up.
///
/// The chips are recorded once for each field. Those that need a larger field are left out: over a field of 31 bits
/// there are no `mul32`, `feed_forward`, `compress` and `merkle_path`. Each field has the `poseidon2` of its own widths.
///
/// ```
/// use chipwright_chips::library;
/// use chipwright_ir::Field;
/// use chipwright_ir::circuit::{ChipCall, ChipLibrary};
///
/// let library = library(Field::Goldilocks2);
/// let mut sum = Vec::new();
/// library.evaluate(&ChipCall::new("add32"), &[0xffff, 0, 1, 0], &[], &mut sum)?;
/// assert_eq!(sum, [0, 1]);
/// # Ok::<(), String>(())
/// ```
pub fn library(field: Field) -> Library {
    static MADE: Mutex<BTreeMap<Field, Library>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(field).or_insert_with(|| make(field)).clone()
}

fn make(field: Field) -> Library {
    let mut library = Library::new(field)
        .with_primitive(TableKind::Const, recorded::<Const>(field))
        .with_primitive(TableKind::Private, recorded::<Private>(field))
        .with_primitive(TableKind::Witness, recorded::<Witness>(field))
        .with_primitive(TableKind::Add, recorded::<Add>(field))
        .with_primitive(TableKind::Mul, recorded::<Mul>(field))
        .with_primitive(TableKind::Alu(ValueType::Felt), recorded::<Alu>(field))
        .with_primitive(TableKind::Alu(ValueType::Ext), recorded::<AluExt>(field))
        .with_helper(recorded::<Range8>(field))
        .with_helper(recorded::<Range16>(field))
        .with_helper(recorded::<ByteTable>(field));
    for chip in [
        recorded::<Select>(field),
        recorded::<IsZero>(field),
        recorded::<Add32>(field),
        recorded::<Sub32>(field),
        recorded::<Less32>(field),
        recorded::<Equal32>(field),
        recorded::<Bytes32>(field),
        recorded::<Bitwise<And>>(field),
        recorded::<Bitwise<Or>>(field),
        recorded::<Bitwise<Xor>>(field),
        recorded::<ExpReverseBits<8>>(field),
        recorded::<ExpReverseBits<16>>(field),
        recorded::<ExpReverseBits<24>>(field),
    ] {
        library = library.with_chip(CalledChip::new(chip));
    }
    library = library.with_chip(index_chip(recorded::<Index>(field)));
    if field.bits() <= 31 {
        for chip in [
            recorded::<Bits<31>>(field),
            recorded::<Poseidon2<16>>(field),
            recorded::<Poseidon2<24>>(field),
            recorded::<Poseidon2<32>>(field),
        ] {
            library = library.with_chip(CalledChip::new(chip));
        }
        return library
            .with_chip(hasher(recorded::<Hasher<8>>(field)))
            .with_chip(cap_chip(recorded::<Cap<8>>(field)));
    }
    for chip in [
        recorded::<Bits<64>>(field),
        recorded::<Mul32>(field),
        recorded::<Compress>(field),
        recorded::<Poseidon2<8>>(field),
        recorded::<Poseidon2<12>>(field),
        recorded::<Poseidon2<16>>(field),
        recorded::<FeedForward<8>>(field),
        recorded::<FeedForward<12>>(field),
        recorded::<FeedForward<16>>(field),
    ] {
        library = library.with_chip(CalledChip::new(chip));
    }
    library
        .with_chip(merkle_path(recorded::<MerklePath>(field)))
        .with_chip(hasher(recorded::<Hasher<4>>(field)))
        .with_chip(cap_chip(recorded::<Cap<4>>(field)))
}

/// The recording of a chip of this crate, over a field that is large enough for it.
pub(crate) fn recorded<C: Chip>(field: Field) -> IrChip {
    let chip = record::<C>(field).unwrap_or_else(|errors| panic!("{errors}"));
    Arc::unwrap_or_clone(chip)
}
