//! The macros of the chip language, with their documentation where the traits that they implement are.
//!
//! They touch structs and enums only; what a chip demands is ordinary Rust over the generated handles.
//! Every mistake of an item is reported in one run, at its place.

/// Makes a chip of a struct: one field a column, a port, a public value or an embedded chip.
///
/// ```
/// use chipwright_dsl::prelude::*;
///
/// /// `sum = a + b mod 2^32`, on 16-bit limbs, least significant first.
/// #[chip]
/// pub struct Add32 {
///     #[input]
///     pub a: U32,
///     #[input]
///     pub b: U32,
///     #[output]
///     pub sum: U32,
///     /// Carry out of each limb.
///     carry: [Bit; 2],
/// }
///
/// impl Chip for Add32 {
///     fn row(c: &Builder, row: &Row<Self>) {
///         let mut carry = Expr::ZERO;
///         for i in 0..2 {
///             let total = row.a[i] + row.b[i] + carry;
///             c.split(total, (row.sum[i], row.carry[i])).named("limb");
///             carry = row.carry[i].into();
///         }
///     }
/// }
///
/// let chip = record::<Add32>(Field::Goldilocks2).unwrap();
/// assert_eq!(chip.width(), 8);
/// // The native values of one row: inputs and records, each of its native type.
/// let record = Add32Record { a: 1, b: u32::MAX };
/// # let _ = record;
/// ```
///
/// The struct itself becomes the chip's name, without values. Beside it stand
///
/// - `Add32Row`, a handle a field, with the fields' own visibility: what rules are written with;
/// - `Add32Record`, a native value for each `#[input]` and `#[record]` column: what an executor fills;
/// - `Add32Fixed`, `Add32Periodic` and `Add32Publics`, where the chip has such fields.
///
/// All but the first have the visibility of the struct, and those type parameters that their fields name.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `dense` | every row is real, and heights are powers of two |
/// | `name = "add32"` | the chip's name; by default the struct's in `snake_case` |
/// | `field_bits = 33` | the chip is sound only over fields of at least so many bits |
/// | `crate = path` | where `chipwright_dsl` is |
///
/// The name of a generic chip continues with its arguments: `Poseidon2<8>` is `poseidon2_8`.
///
/// # Fields
///
/// | attribute | the field is |
/// |---|---|
/// | none | a column that the chip's own rules fill |
/// | `#[input]` | an argument: the caller fills it and vouches for its type |
/// | `#[output]` | a result |
/// | `#[record]` | advice from an executor: nothing is assumed of it |
/// | `#[public]` | one or more values that the verifier knows |
/// | `#[public(before = "pc")]`, `#[public(after = "pc")]` | the same, of the state before or after a step; the name is that of the part of the state |
/// | `#[public(common)]` | the same, in all steps of a run; `common = "name"`, if the part has another name than the field |
/// | `#[fixed]` | a preprocessed column, part of the verifying key |
/// | `#[periodic]` | a column that repeats and is never committed |
/// | `#[port]`, `#[port(bus = "ram")]` | a `Lookup`, `Provide`, `Send`, `Receive` or `Memory`; the bus is by default the called chip's name, or else the field's |
/// | `#[embed]` | another chip, whose columns and rules stand in the same row |
///
/// Two more stand beside these: `#[free("reason")]` declares that no rule determines the cells, and
/// `#[len(EXPR)]` gives a `Vec<T>` of private, record, fixed or periodic columns its length.
///
/// ```
/// use chipwright_dsl::prelude::*;
///
/// pub trait Params: 'static {
///     const WIDTH: usize;
/// }
///
/// /// A state of any width that sums to a public value.
/// #[chip(field_bits = 40)]
/// pub struct Sums<P: Params> {
///     #[record]
///     #[len(P::WIDTH)]
///     state: Vec<Felt>,
///     #[public]
///     total: Felt,
/// }
///
/// impl<P: Params> Chip for Sums<P> {
///     fn first(c: &Builder, row: &Row<Self>) {
///         let sum: Expr = row.state.iter().copied().sum();
///         c.assert_eq(sum, row.total);
///     }
/// }
///
/// pub struct Narrow;
/// impl Params for Narrow {
///     const WIDTH: usize = 3;
/// }
///
/// let chip = record::<Sums<Narrow>>(Field::Goldilocks2).unwrap();
/// assert_eq!(chip.name, "sums_narrow");
/// assert_eq!(chip.columns[2].name, "state[2]");
/// ```
///
/// # Soundness
///
/// `#[free]` silences the audit of the column: the reason is for the reader who must believe it.
pub use chipwright_dsl_macros::chip;

/// Makes a message of a struct: what travels on a bus, one field an element or several.
///
/// A literal of the struct takes, for each field, whatever can stand for the field's type: a handle of the
/// type, a constant that fits, or any expression where the type is `Felt`.
///
/// ```
/// use chipwright_dsl::prelude::*;
///
/// /// What the program says about a program counter.
/// #[message]
/// pub struct Fetch {
///     pub pc: Felt,
///     pub op: U8,
/// }
///
/// /// Fetches one instruction a row.
/// #[chip]
/// pub struct Cpu {
///     #[record]
///     pc: Felt,
///     #[record]
///     op: U8,
///     #[port]
///     program: Lookup<Fetch>,
/// }
///
/// impl Chip for Cpu {
///     fn row(c: &Builder, row: &Row<Self>) {
///         c.lookup(row.program, Fetch { pc: row.pc + 4, op: row.op });
///     }
/// }
///
/// assert!(record::<Cpu>(Field::Goldilocks2).is_ok());
/// ```
///
/// A cell that is not known to be a byte cannot stand for one:
///
/// ```compile_fail,E0277
/// # use chipwright_dsl::prelude::*;
/// # #[message]
/// # pub struct Fetch { pub pc: Felt, pub op: U8 }
/// fn fetch(c: &Builder, program: Lookup<Fetch>, pc: Cell) {
///     c.lookup(program, Fetch { pc, op: pc });
/// }
/// ```
///
/// `#[message(crate = path)]` says where `chipwright_dsl` is. Messages can have `const` parameters, but no
/// types: those are taken by the fields.
pub use chipwright_dsl_macros::message;

/// Makes a column type of a struct of columns, to be used in chips, messages and other such structs.
///
/// ```
/// use chipwright_dsl::prelude::*;
///
/// #[derive(Debug, Columns)]
/// pub struct Point {
///     pub x: Felt,
///     pub y: Felt,
/// }
///
/// /// Doubles both coordinates.
/// #[chip]
/// pub struct Twice {
///     #[input]
///     pub point: Point,
///     #[output]
///     pub twice: Point,
/// }
///
/// impl Chip for Twice {
///     fn row(c: &Builder, row: &Row<Self>) {
///         c.define(row.twice, (2 * row.point.x, 2 * row.point.y));
///     }
/// }
///
/// let chip = record::<Twice>(Field::Goldilocks2).unwrap();
/// assert_eq!(chip.columns[1].name, "point.y");
/// let record = TwiceRecord { point: PointNative { x: 3, y: 4 } };
/// # let _ = record;
/// ```
///
/// The struct is a description and has no values; `PointRow` holds the handles and `PointNative` the native
/// values. A tuple of values for the fields, in order, can stand for the struct.
///
/// `#[columns(crate = path)]` says where `chipwright_dsl` is.
pub use chipwright_dsl_macros::Columns;

/// Makes a group of ports of a struct of ports, for chips that have them in common.
///
/// ```
/// use chipwright_dsl::prelude::*;
///
/// #[message]
/// pub struct State {
///     pub pc: Felt,
///     pub clk: Felt,
/// }
///
/// /// The ports of every instruction.
/// #[derive(Clone, Copy, Debug, Ports)]
/// pub struct Cycle {
///     #[port(bus = "state")]
///     pub before: Receive<State>,
///     #[port(bus = "state")]
///     pub after: Send<State>,
/// }
///
/// impl Cycle {
///     /// The program goes on with `next`.
///     pub fn goes_on(self, c: &Builder, (pc, clk): (Cell, Cell), next: Expr) {
///         c.receive(self.before, State { pc, clk });
///         c.send(self.after, State { pc: next, clk: clk + 1 });
///     }
/// }
///
/// /// An instruction that jumps.
/// #[chip]
/// pub struct Jump {
///     #[record]
///     pc: Felt,
///     #[record]
///     clk: Felt,
///     #[record]
///     target: Felt,
///     #[ports]
///     cycle: Cycle,
/// }
///
/// impl Chip for Jump {
///     fn row(c: &Builder, row: &Row<Self>) {
///         row.cycle.goes_on(c, (row.pc, row.clk), row.target.into());
///     }
/// }
///
/// let chip = record::<Jump>(Field::Goldilocks2).unwrap();
/// assert_eq!(chip.ports.iter().map(|port| &port.name[..]).collect::<Vec<_>>(), ["before", "after"]);
/// ```
///
/// A chip has the ports under the names of the group's fields. A group is an ordinary struct, so the rules that
/// come with it are its methods. `#[port(bus = "..")]` names a port's bus, as in a chip; `#[ports(crate = path)]` on the
/// struct says where `chipwright_dsl` is.
pub use chipwright_dsl_macros::Ports;

/// Makes the flags of a [`OneHot`](type@crate::OneHot) column of an enum without data: variant `i` is flag `i`.
///
/// ```
/// use chipwright_dsl::prelude::*;
///
/// #[derive(Clone, Copy, Debug, PartialEq, OneHot)]
/// pub enum Op {
///     Double,
///     Negate,
/// }
///
/// /// One of two operations a row.
/// #[chip]
/// pub struct Alu {
///     #[record]
///     op: OneHot<Op>,
///     #[record]
///     x: Felt,
///     result: Felt,
/// }
///
/// impl Chip for Alu {
///     fn row(c: &Builder, row: &Row<Self>) {
///         // Another variant would have to be handled here.
///         let result = c.case(row.op, |_, op| match op {
///             Op::Double => 2 * row.x,
///             Op::Negate => -Expr::from(row.x),
///         });
///         c.define(row.result, result);
///     }
/// }
///
/// assert!(record::<Alu>(Field::Goldilocks2).is_ok());
/// ```
///
/// `#[one_hot(crate = path)]` says where `chipwright_dsl` is.
pub use chipwright_dsl_macros::OneHot;
