//! The builder of circuits: the vocabulary of inputs, arithmetic and rules.

use std::panic::Location;

use chipwright_ir::Field;
use chipwright_ir::circuit::{
    BinaryOp, Constant, Form, Graph, HintKind, Library, NodeId, ValueType,
};

use super::built::{self, BuildError, BuiltCircuit};
use super::target::{AnyTarget, BitTarget, ExtTarget, Join, Operand, Target, TargetType};

/// The type of a result of two operands.
type Joined<A, B> = <<A as Operand>::Type as Join<<B as Operand>::Type>>::Output;

/// Records the operations of a circuit.
#[derive(Debug)]
pub struct CircuitBuilder {
    pub(super) graph: Graph,
    pub(super) library: Library,
    pub(super) errors: Vec<BuildError>,
    pub(super) data: Vec<usize>,
    trees: u64,
}

impl Default for CircuitBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl CircuitBuilder {
    /// A circuit called `circuit`, over Goldilocks with its quadratic extension.
    pub fn new() -> Self {
        Self::over("circuit", Field::default())
    }

    /// A circuit over a field, which calls no chips.
    pub fn over(name: impl Into<String>, field: Field) -> Self {
        Self::with_library(name, Library::new(field))
    }

    /// A circuit that can call the chips of a library, over the library's field.
    pub fn with_library(name: impl Into<String>, library: Library) -> Self {
        let graph = Graph::new(name, library.field());
        Self { graph, library, errors: Vec::new(), data: Vec::new(), trees: 0 }
    }

    /// The field and its extension.
    pub fn field(&self) -> Field {
        self.graph.field
    }

    /// The operations so far.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The operations so far, to be added to by code that knows the graph's own vocabulary.
    pub fn graph_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }

    // Inputs and constants.

    /// The next public input: a base-field element.
    #[track_caller]
    pub fn add_public_input(&mut self) -> Target {
        self.public()
    }

    /// The next public input, of any type: `builder.public::<ExtTarget>()`. A bit comes with its rule.
    #[track_caller]
    pub fn public<T: TargetType>(&mut self) -> T {
        self.here();
        T::of(self.graph.public(T::TYPE))
    }

    /// The next private input: a base-field element known to the prover, bound only by rules.
    #[track_caller]
    pub fn add_private_input(&mut self) -> Target {
        self.private()
    }

    /// The next private input, of any type. A bit comes with its rule.
    #[track_caller]
    pub fn private<T: TargetType>(&mut self) -> T {
        self.here();
        T::of(self.graph.private(T::TYPE))
    }

    /// A constant of the base field.
    #[track_caller]
    pub fn add_const<C: Operand<Type = Target>>(&mut self, value: C) -> Target {
        self.here();
        Target(value.node(&mut self.graph))
    }

    /// A constant of the extension field, from its coefficients, the constant one first. Missing ones are
    /// zero.
    ///
    /// A constant with more coefficients than the degree is an error of the build.
    #[track_caller]
    pub fn add_ext_const(&mut self, coefficients: &[u64]) -> ExtTarget {
        self.here();
        let field = self.field();
        let mut reduced: Vec<u64> =
            coefficients.iter().map(|&value| value % field.modulus()).collect();
        reduced.resize(field.degree().max(reduced.len()), 0);
        ExtTarget(self.graph.constant(Constant::ext(reduced)))
    }

    // Arithmetic.

    /// `a + b`
    #[track_caller]
    pub fn add<A: Operand, B: Operand>(&mut self, a: A, b: B) -> Joined<A, B>
    where
        A::Type: Join<B::Type>,
    {
        self.binary(BinaryOp::Add, a, b)
    }

    /// `a − b`
    #[track_caller]
    pub fn sub<A: Operand, B: Operand>(&mut self, a: A, b: B) -> Joined<A, B>
    where
        A::Type: Join<B::Type>,
    {
        self.binary(BinaryOp::Sub, a, b)
    }

    /// `a · b`
    #[track_caller]
    pub fn mul<A: Operand, B: Operand>(&mut self, a: A, b: B) -> Joined<A, B>
    where
        A::Type: Join<B::Type>,
    {
        self.binary(BinaryOp::Mul, a, b)
    }

    /// `a / b`: the `c` with `b · c = a`.
    ///
    /// # Soundness
    ///
    /// With `a = b = 0` the rule leaves `c` to the prover. Where the divisor may be zero, use
    /// [`Self::inverse`], which demands that it is not.
    #[track_caller]
    pub fn div<A: Operand, B: Operand>(&mut self, a: A, b: B) -> Joined<A, B>
    where
        A::Type: Join<B::Type>,
    {
        self.binary(BinaryOp::Div, a, b)
    }

    /// `a · b + c`
    #[track_caller]
    pub fn mul_add<A: Operand, B: Operand, C: Operand>(
        &mut self,
        a: A,
        b: B,
        c: C,
    ) -> <Joined<A, B> as Join<C::Type>>::Output
    where
        A::Type: Join<B::Type>,
        Joined<A, B>: Join<C::Type>,
    {
        self.here();
        let (a, b, c) = (self.node(a), self.node(b), self.node(c));
        TargetType::of(self.graph.mul_add(a, b, c))
    }

    #[track_caller]
    fn binary<A: Operand, B: Operand, T: TargetType>(&mut self, op: BinaryOp, a: A, b: B) -> T {
        self.here();
        let (a, b) = (self.node(a), self.node(b));
        T::of(self.graph.binary(op, a, b))
    }

    // Rules.

    /// Makes two values one: they share a slot of the witness table, which costs no row. Neither may be
    /// computed from the other.
    #[track_caller]
    pub fn connect<A: Operand, B: Operand>(&mut self, a: A, b: B) -> NamedRule<'_> {
        self.here();
        let (a, b) = (self.node(a), self.node(b));
        self.graph.connect(a, b);
        NamedRule(&mut self.graph)
    }

    /// Demands `a = 0`.
    #[track_caller]
    pub fn assert_zero<A: Operand>(&mut self, a: A) -> NamedRule<'_> {
        self.here();
        let a = self.node(a);
        self.graph.assert_zero(a);
        NamedRule(&mut self.graph)
    }

    /// Demands `a = b`.
    #[track_caller]
    pub fn assert_eq<A: Operand, B: Operand>(&mut self, a: A, b: B) -> NamedRule<'_> {
        self.here();
        let (a, b) = (self.node(a), self.node(b));
        self.graph.assert_eq(a, b);
        NamedRule(&mut self.graph)
    }

    /// Demands that a value is zero or one.
    #[track_caller]
    pub fn assert_bit(&mut self, a: Target) -> BitTarget {
        self.here();
        self.graph.assert_bit(a.0);
        BitTarget(a.0)
    }

    // Advice.

    /// Values that the prover computes outside of the circuit. Nothing is known of them until rules bind
    /// them; building fails if no rule uses one.
    #[track_caller]
    pub fn hint(&mut self, kind: HintKind, inputs: &[AnyTarget]) -> Vec<AnyTarget> {
        self.here();
        let inputs: Vec<NodeId> = inputs.iter().map(|target| target.0).collect();
        self.graph.hint(kind, &inputs).into_iter().map(AnyTarget).collect()
    }

    /// The base-field element that a target of any type holds; an error of the build if it is an extension
    /// element.
    #[track_caller]
    pub fn as_felt(&mut self, target: AnyTarget) -> Target {
        if self.graph.ty(target.0).is_ext() {
            let location = Location::caller().to_string();
            self.errors.push(BuildError::NotABaseElement { location });
        }
        Target(target.0)
    }

    /// A target of any type as an extension element.
    pub fn as_ext(&mut self, target: AnyTarget) -> ExtTarget {
        ExtTarget(target.0)
    }

    /// A base element as an element of the extension.
    pub fn lift<A: Operand>(&mut self, a: A) -> ExtTarget {
        ExtTarget(self.node(a))
    }

    /// The number of a new Merkle tree, from 1 on: no other tree of the circuit has it.
    ///
    /// A path names the tree in whose cap it ends, so trees of one number would end each other's paths. Whoever puts
    /// the cap of a tree into a circuit takes its number from here.
    pub fn new_tree(&mut self) -> u64 {
        self.trees += 1;
        self.trees
    }

    // Names.

    /// Everything made by `f` belongs to the scope `name`: costs are reported by scope.
    pub fn scope<R>(&mut self, name: &str, f: impl FnOnce(&mut Self) -> R) -> R {
        self.graph.push_scope(name);
        let result = f(self);
        self.graph.pop_scope();
        result
    }

    /// Names a value in dumps and reports.
    pub fn name(&mut self, target: impl Into<AnyTarget>, name: &str) {
        self.graph.set_label(target.into().0, name);
    }

    // The end.

    /// Optimises and lowers the circuit to fused tables.
    ///
    /// # Errors
    ///
    /// Fails on contradictions (two different constants connected, a value connected with one that is computed
    /// from it), on advice that no rule binds, and on chips that cannot be recorded; both sources are named.
    pub fn build(self) -> Result<BuiltCircuit, BuildError> {
        self.build_form(Form::Fused)
    }

    /// Optimises and lowers the circuit to tables of a form.
    ///
    /// # Errors
    ///
    /// As [`Self::build`].
    pub fn build_form(self, form: Form) -> Result<BuiltCircuit, BuildError> {
        built::build(self, form, true)
    }

    /// Lowers the circuit as it is: every operation is a row.
    ///
    /// # Errors
    ///
    /// As [`Self::build`].
    pub fn build_as_written(self, form: Form) -> Result<BuiltCircuit, BuildError> {
        built::build(self, form, false)
    }

    #[track_caller]
    pub(super) fn here(&mut self) {
        self.graph.set_location(Some(Location::caller()));
    }

    pub(super) fn node<A: Operand>(&mut self, a: A) -> NodeId {
        a.node(&mut self.graph)
    }

    pub(super) fn value_type(&self, node: NodeId) -> ValueType {
        self.graph.ty(node)
    }
}

/// The rule that was just made: a handle for its name.
#[derive(Debug)]
pub struct NamedRule<'a>(&'a mut Graph);

impl NamedRule<'_> {
    /// Names the rule in dumps and reports.
    pub fn named(self, name: &str) {
        self.0.set_rule_label(name);
    }
}
