//! The list of the standard chips, each with what is needed to run it alone: for audits, cost tables, and
//! tests that hold for every chip.
//!
//! ```
//! use chipwright_chips::catalog;
//! use chipwright_ir::Field;
//!
//! let names: Vec<String> = catalog(Field::Goldilocks2).into_iter().map(|e| e.chip.name).collect();
//! assert!(names.contains(&"poseidon2_12".to_owned()));
//! ```

mod samples;
mod source;

use chipwright_dsl::{Chip, Field, Range8, Range16};
use chipwright_ir::audit::Rng;
use chipwright_ir::chip::{Chip as IrChip, FixedData};
use chipwright_ir::machine::{ChipRows, Machine, MachineInput};

use crate::library::{library, recorded};
use crate::primitive::{Add, Alu, AluExt, Const, Mul, Private, Witness};
use crate::{
    Add32, And, Bits, Bitwise, ByteTable, Bytes32, Compress, Equal32, ExpReverseBits, FeedForward,
    IsZero, Less32, MerklePath, Mul32, Or, Poseidon2, Select, Sub32, Xor,
};
use samples::{Samples, Wiring};

/// A standard chip, and how to run it.
#[derive(Clone, Debug)]
pub struct CatalogEntry {
    /// The bare recording: without an interface to callers, and without a witness bus.
    pub chip: IrChip,
    /// The number of lines of its source, without comments and blank lines.
    pub source_lines: usize,
    samples: Samples,
    /// The chips that it asks, or that ask it, so that a machine of them is whole.
    others: Vec<IrChip>,
}

/// All standard chips over a field, in the order of their files; those that need a larger field are left
/// out.
pub fn catalog(field: Field) -> Vec<CatalogEntry> {
    let list = Catalog { field, entries: Vec::new() };
    let values = include_str!("../primitive/values.rs");
    let arithmetic = include_str!("../primitive/arithmetic.rs");
    let alu = include_str!("../primitive/alu.rs");
    let compare = include_str!("../word/compare.rs");
    let bitwise = include_str!("../word/bitwise.rs");
    let range = include_str!("../../../dsl/src/range.rs");
    let list = list
        .wired::<Const>("Const", values, Wiring::Constants)
        .wired::<Private>("Private", values, Wiring::Values)
        .wired::<Witness>("Witness", values, Wiring::Values)
        .wired::<Add>("Add", arithmetic, Wiring::Relation([0, 1, 1, 0]))
        .wired::<Mul>("Mul", arithmetic, Wiring::Relation([1, 0, 0, 0]))
        .wired::<Alu>("Alu", alu, Wiring::Alu { extension: false })
        .wired::<AluExt>("AluExt", alu, Wiring::Alu { extension: true })
        .table::<Range8, Bytes32>("Range8", range)
        .table::<Range16, Add32>("Range16", range)
        .table::<ByteTable, Bitwise<Xor>>("ByteTable", bitwise)
        .plain::<Select>("Select", include_str!("../select.rs"))
        .plain::<IsZero>("IsZero", include_str!("../is_zero.rs"))
        .plain::<Add32>("Add32", include_str!("../word/add.rs"))
        .plain::<Sub32>("Sub32", include_str!("../word/sub.rs"))
        .plain::<Less32>("Less32", compare)
        .plain::<Equal32>("Equal32", compare)
        .plain::<Bytes32>("Bytes32", include_str!("../word/bytes.rs"))
        .plain::<Bitwise<And>>("Bitwise", bitwise)
        .plain::<Bitwise<Or>>("Bitwise", bitwise)
        .plain::<Bitwise<Xor>>("Bitwise", bitwise)
        .plain::<ExpReverseBits<8>>("ExpReverseBits", include_str!("../exp_reverse_bits.rs"));
    let bits = include_str!("../bits.rs");
    let linear = include_str!("../hash/linear.rs");
    let permutation = &[include_str!("../hash/poseidon2.rs"), linear].concat();
    if field.bits() <= 31 {
        return list
            .plain::<Bits<31>>("Bits", bits)
            .plain::<Poseidon2<16>>("Poseidon2", permutation)
            .plain::<Poseidon2<24>>("Poseidon2", permutation)
            .plain::<Poseidon2<32>>("Poseidon2", permutation)
            .entries;
    }
    let feed_forward = include_str!("../hash/feed_forward.rs");
    list.plain::<Bits<64>>("Bits", bits)
        .plain::<Mul32>("Mul32", include_str!("../word/mul.rs"))
        .plain::<Poseidon2<8>>("Poseidon2", permutation)
        .plain::<Poseidon2<12>>("Poseidon2", permutation)
        .plain::<Poseidon2<16>>("Poseidon2", permutation)
        .plain::<FeedForward<8>>("FeedForward", feed_forward)
        .plain::<FeedForward<12>>("FeedForward", feed_forward)
        .plain::<FeedForward<16>>("FeedForward", feed_forward)
        .plain::<Compress>("Compress", include_str!("../hash/compress.rs"))
        .wired::<MerklePath>("MerklePath", include_str!("../hash/merkle_path.rs"), Wiring::Paths)
        .entries
}

struct Catalog {
    field: Field,
    entries: Vec<CatalogEntry>,
}

impl Catalog {
    /// A chip whose records are any values of their types.
    fn plain<C: Chip>(self, name: &str, source: &str) -> Self {
        self.push(recorded::<C>, name, source, Samples::Typed, Vec::new())
    }

    /// A chip whose fixed columns are filled by the circuit around it.
    fn wired<C: Chip>(self, name: &str, source: &str, wiring: Wiring) -> Self {
        self.push(recorded::<C>, name, source, Samples::Wired(wiring), Vec::new())
    }

    /// A table, and a chip that asks it.
    fn table<C: Chip, A: Chip>(self, name: &str, source: &str) -> Self {
        let asker = recorded::<A>(self.field);
        self.push(recorded::<C>, name, source, Samples::Asked, vec![asker])
    }

    fn push(
        mut self,
        record: fn(Field) -> IrChip,
        name: &str,
        source: &str,
        samples: Samples,
        mut others: Vec<IrChip>,
    ) -> Self {
        let mut chip = record(self.field);
        if let Samples::Wired(wiring) = samples {
            let rows = wiring.fixed(self.field);
            let column = |column| rows.iter().map(|row: &Vec<u64>| row[column]).collect();
            let columns: Vec<Vec<u64>> = (0..chip.fixed_width()).map(column).collect();
            chip.fixed = (!columns.is_empty()).then_some(FixedData { columns });
        }
        let library = library(self.field);
        let asked = library.helpers_of(std::iter::once(&chip).chain(&others)).into_iter();
        let asked: Vec<IrChip> = asked.filter(|other| other.name != chip.name).cloned().collect();
        others.extend(asked);
        let source_lines = source::lines_of(name, source);
        self.entries.push(CatalogEntry { chip, source_lines, samples, others });
        self
    }
}

impl CatalogEntry {
    /// The chip with the chips that it asks. Fixed columns that a circuit would fill have sample contents.
    pub fn machine(&self) -> Machine {
        let mut machine = Machine::new(self.chip.name.clone(), self.chip.field);
        machine.chips.push(self.chip.clone());
        machine.chips.extend(self.others.iter().cloned());
        machine
    }

    /// Honest runs of [`Self::machine`], different for every seed.
    pub fn inputs(&self, seed: u64) -> Vec<MachineInput> {
        let mut rng = Rng::new(seed);
        (0..3).map(|_| self.input(&mut rng)).collect()
    }

    fn input(&self, rng: &mut Rng) -> MachineInput {
        let (chip, rows) = match &self.samples {
            Samples::Typed => (&self.chip, samples::typed(&self.chip, rng)),
            Samples::Wired(wiring) => (&self.chip, wiring.rows(self.chip.field, rng)),
            // A table has no records; the chip that asks it comes first among the others.
            Samples::Asked => (&self.others[0], samples::typed(&self.others[0], rng)),
        };
        let rows = vec![(chip.name.clone(), ChipRows::from(rows))];
        MachineInput { rows, ..MachineInput::default() }
    }
}
