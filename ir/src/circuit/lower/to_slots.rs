//! From `expr` to `slots`.
//!
//! Slots are numbered publics first, then constants (0 first), then the values of operations in
//! topological order. The first member of a class creates the slot; because every operand is created
//! before its user, the rows can be executed in the order in which they are written.
//!
//! There are no rows for `sub` and `div`: `a − b = c` is the row `b + c = a`, which creates an addend,
//! and `a / b = c` is `b · c = a`, which creates a factor.

use super::classes::{Classes, LowerError};
use crate::circuit::graph::{BinaryOp, Graph, NodeId, Op, RuleKind};
use crate::circuit::names::Symbol;
use crate::circuit::rows::{A, B, C, OUT, Origin, Port, Relation, Role, RowOp, Rows, SlotId};
use crate::circuit::slots::{Form, SlotInfo, Slots};
use crate::circuit::value::{Constant, ValueType};

/// Lowers an expression graph to the witness table.
///
/// # Errors
///
/// The graph does not pass the structural checks of the verifier, it demands that two different
/// constants are equal, or it connects a value with one that is computed from it.
pub fn lower_to_slots(graph: &Graph, form: Form) -> Result<Slots, LowerError> {
    let classes = Classes::of_graph(graph)?;
    let slots = Slots {
        name: graph.name.clone(),
        field: graph.field,
        form,
        names: graph.names.clone(),
        slots: Vec::new(),
        rows: Rows::default(),
        hints: Vec::new(),
        calls: graph.calls().to_vec(),
        publics: Vec::new(),
        privates: graph.privates().iter().map(|&id| graph.ty(id).without_bit()).collect(),
    };
    let slot_of_class = vec![None; classes.info.len()];
    let mut rules = vec![None; graph.len()];
    for (index, rule) in graph.rules().iter().enumerate().rev() {
        if !matches!(rule.kind, RuleKind::Bit(_)) {
            for id in rule.kind.nodes() {
                rules[id.index()] = Some(index as u32);
            }
        }
    }
    let mut lowering = Lowering {
        graph,
        classes,
        slots,
        slot_of_class,
        rules,
        constants: Vec::new(),
        neutral: [None; 2],
    };
    lowering.publics();
    lowering.constants();
    lowering.compare_publics();
    for id in graph.ids() {
        lowering.node(id);
    }
    lowering.bits();
    lowering.slots.count_reads();
    Ok(lowering.slots)
}

struct Lowering<'a> {
    graph: &'a Graph,
    classes: Classes,
    slots: Slots,
    slot_of_class: Vec<Option<SlotId>>,
    /// The first rule that demands an equality of each node.
    rules: Vec<Option<u32>>,
    /// Constants that lowering itself needed, with their slots.
    constants: Vec<(Constant, SlotId)>,
    /// The slots of the constants 0 and 1.
    neutral: [Option<SlotId>; 2],
}

impl Lowering<'_> {
    fn new_slot(&mut self, ty: ValueType) -> SlotId {
        let slot = SlotId::new(self.slots.slots.len());
        self.slots.slots.push(SlotInfo { ty: ty.without_bit(), reads: 0 });
        slot
    }

    fn origin(&self, id: NodeId) -> Origin {
        let node = self.graph.node(id);
        Origin { label: node.label, scope: node.scope, location: node.location }
    }

    /// Publics create the slot of their class, unless a constant or an earlier public does.
    fn publics(&mut self) {
        for index in 0..self.graph.publics().len() {
            let id = self.graph.publics()[index];
            let slot = self.new_slot(self.graph.ty(id));
            let class = self.classes.class(id);
            let info = &self.classes.info[class];
            if info.constant.is_none() && info.public == Some(id) {
                self.slot_of_class[class] = Some(slot);
            }
            self.slots.publics.push(slot);
            let origin = self.origin(id);
            self.slots.rows.push(RowOp::Public(index as u32), [create(slot, 0)], origin);
        }
    }

    fn constants(&mut self) {
        let zero = self.classes.of[self.graph.len()] as usize;
        let zero = (zero, Origin::default());
        let others = self.graph.ids().filter(|&id| self.graph.as_constant(id).is_some());
        let others = others.map(|id| (self.classes.class(id), self.origin(id)));
        let mut classes: Vec<_> = std::iter::once(zero).chain(others).collect();
        // The name of 0, if its author gave it one.
        if let Some(&(_, named)) = classes[1..].iter().find(|(class, _)| *class == zero.0) {
            classes[0].1 = named;
        }
        for (class, origin) in classes {
            let Some(constant) = self.classes.info[class].constant.clone() else { continue };
            if self.slot_of_class[class].is_none() {
                let slot = self.constant_row(&constant, origin);
                self.slot_of_class[class] = Some(slot);
            }
        }
    }

    fn constant_row(&mut self, constant: &Constant, origin: Origin) -> SlotId {
        let slot = self.new_slot(constant.ty());
        self.slots.rows.push(RowOp::Const(constant.clone()), [create(slot, 0)], origin);
        if constant.is_zero() {
            self.neutral[0] = Some(slot);
        } else if constant.is_one() {
            self.neutral[1] = Some(slot);
        }
        self.constants.push((constant.clone(), slot));
        slot
    }

    /// The slot of a constant that lowering itself needs.
    fn constant(&mut self, constant: &Constant) -> SlotId {
        match self.constants.iter().find(|(known, _)| known == constant) {
            Some(&(_, slot)) => slot,
            None => self.constant_row(constant, Origin::default()),
        }
    }

    /// Publics that share a class with a constant or with another public are compared with it.
    fn compare_publics(&mut self) {
        for index in 0..self.slots.publics.len() {
            let (id, own) = (self.graph.publics()[index], self.slots.publics[index]);
            let class = self.classes.class(id);
            if let Some(slot) = self.slot_of_class[class].filter(|&slot| slot != own) {
                let origin = self.checked(self.origin(id), id);
                let ty = self.graph.ty(id).without_bit();
                self.equal(own, slot, ty, origin);
            }
        }
    }

    /// The origin of a row that checks a node: named after the rule that demands it. Its cost stays in
    /// the scope of the operation.
    fn checked(&self, origin: Origin, id: NodeId) -> Origin {
        match self.rules[id.index()] {
            Some(rule) => {
                let rule = &self.graph.rules()[rule as usize];
                let location = rule.location.or(origin.location);
                Origin { label: rule.label.or(origin.label), location, ..origin }
            }
            None => origin,
        }
    }

    fn equal(&mut self, a: SlotId, b: SlotId, ty: ValueType, origin: Origin) {
        match self.slots.form {
            Form::Fused => self.arithmetic(Relation::Eq, ty, &[read(a, A), read(b, OUT)], origin),
            Form::Separate => {
                let zero = self.constant(&Constant::zero());
                let ports = [read(a, A), read(zero, B), read(b, OUT)];
                self.arithmetic(Relation::Add, ty, &ports, origin);
            }
        }
    }

    /// Adds a row, unless it is a check that holds whatever the values are, as `x + 0 = x` does.
    fn arithmetic(&mut self, relation: Relation, ty: ValueType, ports: &[Port], origin: Origin) {
        let [zero, one] = self.neutral;
        let creates = ports.iter().any(|port| port.role == Role::Creates);
        let is = |known: Option<SlotId>| move |slot| known == Some(slot);
        if !creates && relation.holds_always(ports, is(zero), is(one)) {
            return;
        }
        self.slots.rows.push(
            RowOp::Arithmetic(relation, ty.without_bit()),
            ports.iter().copied(),
            origin,
        );
    }

    /// The slot of an operand, which has been created before its user.
    fn slot(&self, id: NodeId) -> SlotId {
        self.slot_of_class[self.classes.class(id)].unwrap_or(SlotId(u32::MAX))
    }

    /// The slot of a result, and whether this row is its creator.
    fn result(&mut self, id: NodeId) -> (SlotId, bool) {
        let class = self.classes.class(id);
        if let Some(slot) = self.slot_of_class[class] {
            return (slot, false);
        }
        let slot = self.new_slot(self.graph.ty(id));
        self.slot_of_class[class] = Some(slot);
        (slot, true)
    }

    fn node(&mut self, id: NodeId) {
        match self.graph.op(id) {
            Op::Const(_) | Op::Public(_) | Op::Output(_) => {}
            Op::Private(index) => {
                let (slot, created) = self.result(id);
                let port = Port { role: advice_role(created), ..create(slot, 0) };
                self.slots.rows.push(RowOp::Private(index), [port], self.origin(id));
                self.bind_base(id, slot, created);
            }
            Op::Hint(hint) => {
                let hint = self.graph.hint_info(hint).clone();
                let number = crate::circuit::HintId::new(self.slots.hints.len());
                self.slots.hints.push(hint);
                self.with_outputs(id, RowOp::Hint(number));
            }
            Op::Call(call) => self.with_outputs(id, RowOp::Call { call, row: 0 }),
            Op::Binary(_) | Op::MulAdd | Op::MulSub => self.operation(id),
            Op::FromCoefficients => self.coefficients(id),
        }
    }

    /// A hint or a call: inputs, then the outputs, which follow the node directly.
    fn with_outputs(&mut self, id: NodeId, op: RowOp) {
        let is_hint = matches!(op, RowOp::Hint(_));
        let operands = self.graph.operands(id);
        let mut ports = Vec::with_capacity(operands.len() + 1);
        let input_role = if is_hint { Role::Peeks } else { Role::Reads };
        for &operand in &*operands {
            ports.push(Port { slot: self.slot(operand), position: 0, role: input_role });
        }
        let mut bound = Vec::new();
        let mut checked = None;
        let mut next = id.index() + 1;
        while next < self.graph.len() {
            let output = NodeId::new(next);
            if !matches!(self.graph.op(output), Op::Output(_)) {
                break;
            }
            let (slot, created) = self.result(output);
            let reads = if is_hint { Role::Peeks } else { Role::Reads };
            let role = if created { Role::Creates } else { reads };
            ports.push(Port { slot, position: 0, role });
            checked = checked.or_else(|| (!created).then_some(output));
            if is_hint {
                bound.push((output, slot, created));
            }
            next += 1;
        }
        if let RowOp::Call { call, .. } = op {
            let signature = &self.graph.call_info(call).signature;
            let places = signature.inputs.iter().chain(&signature.outputs);
            for (port, place) in ports.iter_mut().zip(places) {
                port.position = place.port;
            }
        } else {
            for (i, port) in ports.iter_mut().enumerate() {
                port.position = i as u16;
            }
        }
        let mut origin = self.origin(id);
        if origin.label.is_none() && next > id.index() + 1 {
            origin.label = self.graph.node(NodeId::new(id.index() + 1)).label;
        }
        let origin = checked.map_or(origin, |output| self.checked(origin, output));
        self.slots.rows.push(op, ports, origin);
        for (output, slot, created) in bound {
            self.bind_base(output, slot, created);
        }
    }

    /// Advice that is a base element by declaration, but whose slot is an extension element created by
    /// somebody else, has no row of its own that would say so.
    fn bind_base(&mut self, id: NodeId, slot: SlotId, created: bool) {
        let slot_is_ext = self.slots.slots[slot.index()].ty.is_ext();
        if !created && slot_is_ext && !self.graph.ty(id).is_ext() {
            let origin = self.checked(self.origin(id), id);
            self.slots.rows.push(RowOp::Base, Port::of_base(slot), origin);
        }
    }

    fn operation(&mut self, id: NodeId) {
        let operands = self.graph.operands(id);
        let x: Vec<SlotId> = operands.iter().map(|&operand| self.slot(operand)).collect();
        let types = operands.iter().map(|&operand| self.graph.ty(operand));
        let ty = types.fold(ValueType::Felt, ValueType::join);
        let fused = self.slots.form == Form::Fused;
        let product = match self.graph.op(id) {
            Op::MulAdd | Op::MulSub if !fused => Some(self.product(id, [operands[0], operands[1]])),
            _ => None,
        };
        let (slot, created) = self.result(id);
        let origin = self.origin(id);
        let origin = if created { origin } else { self.checked(origin, id) };
        let role = if created { Role::Creates } else { Role::Reads };
        let at = |position| Port { slot, position, role };
        match self.graph.op(id) {
            Op::Binary(BinaryOp::Add) => {
                let ports = [read(x[0], A), read(x[1], B), at(OUT)];
                self.arithmetic(Relation::Add, ty, &ports, origin);
            }
            Op::Binary(BinaryOp::Sub) => {
                let ports = [read(x[1], A), at(B), read(x[0], OUT)];
                self.arithmetic(Relation::Add, ty, &ports, origin);
            }
            Op::Binary(BinaryOp::Mul) => {
                let ports = [read(x[0], A), read(x[1], B), at(OUT)];
                self.arithmetic(Relation::Mul, ty, &ports, origin);
            }
            Op::Binary(BinaryOp::Div) => {
                // The quotient is always solved for, so that the divisor is seen to be non-zero: the
                // row alone, as a check, would accept any quotient of 0 by 0.
                let quotient = if created { slot } else { self.new_slot(ty) };
                let ports = [read(x[1], A), create(quotient, B), read(x[0], OUT)];
                self.arithmetic(Relation::Mul, ty, &ports, origin);
                if !created {
                    self.equal(quotient, slot, ty, origin);
                }
            }
            Op::MulAdd if fused => {
                let ports = [read(x[0], A), read(x[1], B), read(x[2], C), at(OUT)];
                self.arithmetic(Relation::MulAdd, ty, &ports, origin);
            }
            Op::MulSub if fused => {
                let ports = [read(x[0], A), read(x[1], B), at(C), read(x[2], OUT)];
                self.arithmetic(Relation::MulAdd, ty, &ports, origin);
            }
            op => {
                let product = product.unwrap_or(slot);
                let ports = if op == Op::MulAdd {
                    [read(product, A), read(x[2], B), at(OUT)]
                } else {
                    [read(product, A), at(B), read(x[2], OUT)]
                };
                self.arithmetic(Relation::Add, ty, &ports, origin);
            }
        }
    }

    /// The row for the product of a `mul_add` in the separate form.
    fn product(&mut self, id: NodeId, factors: [NodeId; 2]) -> SlotId {
        let [a, b] = factors.map(|factor| self.slot(factor));
        let ty = self.graph.ty(factors[0]).join(self.graph.ty(factors[1]));
        let product = self.new_slot(ty);
        let ports = [read(a, A), read(b, B), create(product, OUT)];
        let unnamed = Origin { label: Symbol::NONE, ..self.origin(id) };
        self.arithmetic(Relation::Mul, ty, &ports, unnamed);
        product
    }

    /// `c₀ + c₁·X + c₂·X² + …`, by one `mul_add` (or one `mul` and one `add`) for each power. Every
    /// coefficient is read from the bus as a base element, so that the sum determines all of them.
    fn coefficients(&mut self, id: NodeId) {
        let operands = self.graph.operands(id);
        let degree = self.slots.field.degree();
        let mut sum = self.slot(operands[0]);
        let origin = self.origin(id);
        let unnamed = Origin { label: Symbol::NONE, ..origin };
        for (power, &operand) in operands.iter().enumerate().skip(1) {
            let mut basis = vec![0; degree];
            basis[power] = 1;
            let basis = self.constant(&Constant::ext(basis));
            let coefficient = self.slot(operand);
            let last = power + 1 == operands.len();
            let mut addend = sum;
            if self.slots.form == Form::Separate {
                addend = self.new_slot(ValueType::Ext);
                let ports = [read(coefficient, A), read(basis, B), create(addend, OUT)];
                self.arithmetic(Relation::Mul, ValueType::Ext, &ports, unnamed);
            }
            let (slot, created) =
                if last { self.result(id) } else { (self.new_slot(ValueType::Ext), true) };
            let checked = self.checked(origin, id);
            let origin = match (last, created) {
                (true, true) => origin,
                (true, false) => checked,
                _ => unnamed,
            };
            let out = Port {
                slot,
                position: OUT,
                role: if created { Role::Creates } else { Role::Reads },
            };
            if self.slots.form == Form::Separate {
                let ports = [read(sum, A), read(addend, B), out];
                self.arithmetic(Relation::Add, ValueType::Ext, &ports, origin);
            } else {
                let ports = [read(coefficient, A), read(basis, B), read(sum, C), out];
                self.arithmetic(Relation::MulAdd, ValueType::Ext, &ports, origin);
            }
            sum = slot;
        }
    }

    /// `x · x = x`.
    fn bits(&mut self) {
        for rule in self.graph.rules() {
            let RuleKind::Bit(id) = rule.kind else { continue };
            let slot = self.slot(id);
            let ty = self.graph.ty(id).without_bit();
            let origin = Origin { label: rule.label, scope: rule.scope, location: rule.location };
            let ports = [read(slot, A), read(slot, B), read(slot, OUT)];
            self.arithmetic(Relation::Mul, ty, &ports, origin);
        }
    }
}

fn create(slot: SlotId, position: u16) -> Port {
    Port { slot, position, role: Role::Creates }
}

fn read(slot: SlotId, position: u16) -> Port {
    Port { slot, position, role: Role::Reads }
}

fn advice_role(created: bool) -> Role {
    if created { Role::Creates } else { Role::Peeks }
}
