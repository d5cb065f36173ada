//! Forged runs of a circuit: every slot gets a value although rules are violated, and every table is filled.
//!
//! What the honest executor refuses is computed here all the same: a row that checks is noted if it does not hold, a
//! leaf of a fold that lacks the value of the round before is hashed as it is. So a test sees *which* rules stand
//! between a wrong proof and its acceptance, and can prove the wrong run.

use std::collections::BTreeSet;
use std::sync::Arc;

use chipwright_backend_stark::circuit::{
    CircuitProver, CircuitVerifier, compile_circuit, compile_circuit_with_layout,
};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;
use chipwright_chips::recursion::{RowKind, RowSpec, Script};
use chipwright_dsl::circuit::BuiltCircuit;
use chipwright_ir::circuit::{
    A, B, C, CallRun, ChipCall, ChipLibrary, Environment, HintRegistry, Inputs, Library, OUT,
    Relation, Role, RowOp, SlotId, Slots, ValueType, Witness, element,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::fill::{FillOptions, fill_with};
use chipwright_ir::machine::{MachineTrace, Report};
use chipwright_ir::{Field, FieldPair};
use chipwright_recursion::batch::RecursiveField;
use chipwright_recursion::layer::Layer;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};

pub(crate) type P = Goldilocks2;
pub(crate) type Ext = <P as FieldPair>::Ext;

/// The cheap configuration, with more grinding than that, and a final polynomial of a given length.
pub(crate) fn config(log_final_poly_len: usize) -> Config {
    config_over(P::FIELD, log_final_poly_len)
}

/// [`config`], with a single query: no two paths meet.
pub(crate) fn config_of_one_query(log_final_poly_len: usize) -> Config {
    let mut config = config(log_final_poly_len);
    config.parameters.queries = 1;
    config
}

/// [`config`] over another field.
pub(crate) fn config_over(field: Field, log_final_poly_len: usize) -> Config {
    let mut config = Config::testing_over(field);
    config.parameters.log_final_poly_len = log_final_poly_len;
    let grinding = &mut config.parameters.grinding;
    (grinding.lookup, grinding.out_of_domain, grinding.batch) = (4, 3, 4);
    (grinding.fold, grinding.query) = (3, 4);
    config
}

/// What a lying chip says of a call: the input and record columns of its rows, and its outputs. The library computes
/// honestly.
pub(crate) type Lie =
    Arc<dyn Fn(&Library, &ChipCall, &[u64], &[u64]) -> (Vec<Vec<u64>>, Vec<u64>) + Send + Sync>;

/// What the standard library says of a call.
pub(crate) fn honestly(
    library: &Library,
    call: &ChipCall,
    inputs: &[u64],
    data: &[u64],
) -> (Vec<Vec<u64>>, Vec<u64>) {
    let chip = library.called(&call.chip).expect("a standard chip");
    let run = chip.native_run(call, inputs, data).expect("the chip says what its rows hold");
    let CallRun { outputs, rows } = run.unwrap_or_else(|error| panic!("{call}: {error}"));
    (rows.iter().map(<[u64]>::to_vec).collect(), outputs)
}

/// The standard library, one chip of which lies.
fn lying(field: Field, name: &str, lie: &Lie) -> Library {
    let standard = chipwright_chips::library(field);
    let honest = standard.called(name).expect("a standard chip").clone();
    let (library, lie) = (standard.clone(), lie.clone());
    let chip = honest.with_run(Arc::new(move |call, inputs, data| {
        let (rows, outputs) = lie(&library, call, inputs, data);
        Ok(CallRun { outputs, rows: rows.into() })
    }));
    standard.with_chip(chip)
}

/// The hash chip without its comparison of folded values: a leaf that lacks the value of the round before is hashed
/// as it is.
pub(crate) fn incurious() -> Lie {
    let row = RowSpec::new(RowKind::Rest, 0);
    let code = |row: RowSpec| Script { tree: 0, rows: vec![row] }.call().parameters[1];
    let own = code(RowSpec { own: true, ..row }) ^ code(row);
    Arc::new(move |library, call, inputs, data| {
        let mut other = call.clone();
        other.parameters[1..].iter_mut().step_by(2).for_each(|code| *code &= !own);
        let ports = |call| library.signature(call).map_or_else(Vec::new, |s| s.inputs);
        let (all, kept) = (ports(call), ports(&other));
        let mut inputs = inputs.iter().copied();
        let mut rest = Vec::new();
        for port in all {
            let value = inputs.by_ref().take(port.ty.width(library.field()));
            let value: Vec<u64> = value.collect();
            if kept.contains(&port) {
                rest.extend(value);
            }
        }
        honestly(library, &other, &rest, data)
    })
}

/// The hash chip of transcripts that absorb something else than they are given.
pub(crate) fn deaf(hear: impl Fn(&mut [u64]) + Send + Sync + 'static) -> Lie {
    let incurious = incurious();
    Arc::new(move |library, call, inputs, data| {
        let mut inputs = inputs.to_vec();
        if Script::of(call).is_some_and(|script| script.rows[0].kind == RowKind::Begin) {
            hear(&mut inputs);
        }
        incurious(library, call, &inputs, data)
    })
}

/// A circuit that can be proven honestly or not.
pub(crate) struct Forgeable<P: RecursiveField = Goldilocks2> {
    pub(crate) prover: CircuitProver<P>,
    pub(crate) verifier: CircuitVerifier<P>,
    honest: Library,
    lenient: Library,
}

/// A run with everything that does not hold in it.
pub(crate) struct Forged<P: RecursiveField = Goldilocks2> {
    /// The rows of the circuit that do not hold: scope and name.
    pub(crate) rows: Vec<String>,
    /// Of the unbalanced numbers of slots on the witness bus, those that these rows are wrong about.
    told: BTreeSet<u64>,
    /// What the machine checker says of the filled tables.
    pub(crate) report: Report,
    trace: MachineTrace<P::Base>,
}

impl<P: RecursiveField> Forgeable<P> {
    pub(crate) fn new(circuit: BuiltCircuit, config: &Config) -> Self {
        Self::lying(circuit, config, "hasher", &incurious())
    }

    /// A circuit, one chip of which lies when a run is forged.
    pub(crate) fn lying(circuit: BuiltCircuit, config: &Config, chip: &str, lie: &Lie) -> Self {
        let lenient = lying(P::FIELD, chip, lie);
        let tables = circuit.tables;
        let (_, verifier) = compile_circuit::<P>(tables.clone(), &circuit.library, config)
            .expect("the circuit compiles");
        let (prover, same) =
            compile_circuit::<P>(tables, &lenient, config).expect("the circuit compiles");
        assert!(same.key() == verifier.key(), "a lie changes no key");
        Self { prover, verifier, honest: circuit.library, lenient }
    }

    /// The circuit of a layer, whose hash chip lies when a run is forged.
    pub(crate) fn of_layer(layer: &Layer<P>, lie: &Lie) -> Self {
        let config = layer.key().config();
        let honest = chipwright_chips::library(P::FIELD);
        let lenient = lying(P::FIELD, "hasher", lie);
        let tables = layer.prover().tables().clone();
        let (prover, verifier) =
            compile_circuit_with_layout::<P>(tables, &lenient, config, layer.layout())
                .expect("the circuit compiles");
        assert!(verifier.key() == layer.key(), "a lie changes no key");
        Self { prover, verifier, honest, lenient }
    }

    /// The same circuit, one chip of which lies otherwise when a run is forged.
    pub(crate) fn relying_on(&self, chip: &str, lie: &Lie) -> Self {
        let config = self.verifier.key().config();
        let lenient = lying(P::FIELD, chip, lie);
        let tables = self.prover.tables().clone();
        let (prover, verifier) =
            compile_circuit::<P>(tables, &lenient, config).expect("the circuit compiles");
        assert!(verifier.key() == self.verifier.key(), "a lie changes no key");
        Self { prover, verifier, honest: self.honest.clone(), lenient }
    }

    /// Whether the honest executor accepts inputs.
    pub(crate) fn accepts_honestly(&self, inputs: &Inputs) -> bool {
        let environment = Environment { chips: &self.honest, hints: None };
        self.prover.tables().program.execute::<P>(inputs, environment).is_ok()
    }

    /// Fills the tables, whatever the inputs are.
    pub(crate) fn force(&self, inputs: &Inputs) -> Forged<P> {
        self.force_but(inputs, &[])
    }

    /// Fills the tables; wherever the circuit computes the first of two values, it has the second.
    pub(crate) fn force_but(&self, inputs: &Inputs, others: &[(P::Ext, P::Ext)]) -> Forged<P> {
        let program = &self.prover.tables().program;
        let (mut witness, violated) = execute::<P>(program, &self.lenient, inputs);
        let (slots, rows): (Vec<SlotId>, _) = violated.into_iter().unzip();
        for value in &mut witness.values {
            if let Some((_, other)) = others.iter().find(|(honest, _)| honest == value) {
                *value = *other;
            }
        }
        let least = self.prover.key().verifying_key().config().min_height();
        let min_height = self.prover.layout().map_or(least, |layout| layout.height().max(least));
        let options =
            FillOptions { min_height, allow_missing_entries: true, ..FillOptions::default() };
        let input = self.prover.assembly().input(&witness);
        let trace = fill_with::<P>(self.prover.parts(), &input, &options)
            .unwrap_or_else(|errors| panic!("the tables cannot be filled: {errors}"));
        let report = self.prover.check(&trace);
        let numbers = report.tuples.iter().filter(|tuple| tuple.bus == "witness");
        let numbers = numbers.map(|tuple| tuple.tuple[0]).filter(|&number| {
            let slot = self.prover.assembly().slot(number);
            slot.is_some_and(|slot| slots.contains(&slot))
        });
        let told = numbers.collect();
        Forged { rows, told, report, trace }
    }

    /// Alters columns of a chip that the chip itself computes: those whose names begin as given, in a row.
    pub(crate) fn alter(
        &self,
        forged: &mut Forged<P>,
        (chip, row, column): (&str, usize, &str),
        mut alter: impl FnMut(usize, &mut P::Base),
    ) {
        let machine = self.prover.parts();
        let index = machine.position(chip).expect("the circuit calls the chip");
        let (columns, positions) =
            (&machine.chips[index].columns, machine.chips[index].positions());
        let table = &mut forged.trace.tables[index];
        let mut count = 0;
        for (place, _) in columns.iter().enumerate().filter(|(_, c)| c.name.starts_with(column)) {
            alter(count, &mut table.values[row * table.width + positions[place]]);
            count += 1;
        }
        let names: Vec<&str> = columns.iter().map(|column| &column.name[..]).collect();
        assert!(count > 0, "no column begins with `{column}`: {names:?}");
        forged.report = self.prover.check(&forged.trace);
    }

    /// The proof of a forged run.
    pub(crate) fn prove(&self, forged: Forged<P>) -> Proof<P> {
        let trace = self.prover.fused(forged.trace).expect("the tables are those of the parts");
        self.prover.key().prove(trace).expect("the tables have the right shape")
    }

    /// Whether the verifier accepts a proof for public inputs that are base elements.
    pub(crate) fn accepts(&self, inputs: &Inputs, proof: &Proof<P>) -> bool {
        self.verifier.verify(&inputs.publics, proof).is_ok()
    }
}

impl<P: RecursiveField> Forged<P> {
    /// Everything violated, by name: rows of the circuit, rules of called chips, and buses. A row of the circuit
    /// that does not hold leaves messages about its slot without a partner, or violates a rule of its table: it
    /// is named once.
    pub(crate) fn violated(&self) -> Vec<String> {
        let mut names = self.rows.clone();
        let rules = self.report.rules.iter().filter(|rule| rule.chip.starts_with("call_"));
        names.extend(rules.map(|rule| format!("{}: {}", rule.chip, without_index(&rule.name))));
        let tuples = self.report.tuples.iter();
        let tuples =
            tuples.filter(|tuple| tuple.bus != "witness" || !self.told.contains(&tuple.tuple[0]));
        names.extend(tuples.map(|tuple| format!("bus {}", tuple.bus)));
        if self.report.unbalanced_tuples > self.report.tuples.len() {
            names.push("more than the report lists".to_owned());
        }
        names.sort();
        names.dedup();
        names
    }

    /// Everything violated, by name: rules of all tables, and buses.
    pub(crate) fn violated_by_tables(&self) -> Vec<String> {
        let rules = self.report.rules.iter();
        let rules = rules.map(|rule| format!("{}: {}", rule.chip, without_index(&rule.name)));
        let buses = self.report.tuples.iter().map(|tuple| format!("bus {}", tuple.bus));
        rules.chain(buses).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Who reads something from the witness bus that is not there: chip and port, by row.
    pub(crate) fn misread(&self) -> Vec<(usize, String)> {
        let tuples = self.report.tuples.iter();
        let unsent = tuples.filter(|tuple| tuple.bus == "witness" && tuple.plus.is_empty());
        let readers = unsent.flat_map(|tuple| &tuple.minus);
        readers.map(|party| (party.row, format!("{}: {}", party.chip, party.label))).collect()
    }
}

/// A rule's name without the number of the coefficient that it is about.
fn without_index(name: &str) -> &str {
    name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map_or(name, |(name, _)| name)
}

fn solve<F: p3_field::Field>(relation: Relation, position: Option<u16>, operands: [F; 4]) -> F {
    let [a, b, c, d] = operands;
    let other = if position == Some(A) { b } else { a };
    let over = |value: F| value * other.try_inverse().unwrap_or_default();
    match (relation, position) {
        (Relation::Add, Some(A | B)) => d - other,
        (Relation::Mul, Some(A | B)) => over(d),
        (Relation::MulAdd, Some(A | B)) => over(d - c),
        (Relation::MulAdd, Some(C)) => d - a * b,
        (Relation::Eq, Some(A)) => d,
        (Relation::Add, _) => a + b,
        (Relation::Mul, _) => a * b,
        (Relation::MulAdd, _) => a * b + c,
        (Relation::Eq, _) => a,
    }
}

/// The value of every slot, and the rows that do not hold, with the slot that each is wrong about.
fn execute<P: RecursiveField>(
    program: &Slots,
    library: &Library,
    inputs: &Inputs,
) -> (Witness<P>, Vec<(SlotId, String)>) {
    let mut values = vec![P::Ext::ZERO; program.slots.len()];
    let mut violated = Vec::new();
    for row in program.rows.iter() {
        let read = |count: usize| -> Vec<P::Ext> {
            row.ports[..count].iter().map(|port| values[port.slot.index()]).collect()
        };
        // Whether there is a value that makes the row hold.
        let mut solvable = true;
        let (first, computed) = match row.op {
            RowOp::Witness | RowOp::Advice { .. } | RowOp::Base => continue,
            RowOp::Const(constant) => (0, vec![constant.to_ext::<P>()]),
            RowOp::Public(i) => (0, vec![element::<P>(&inputs.publics[*i as usize])]),
            RowOp::Private(i) => (0, vec![element::<P>(&inputs.privates[*i as usize])]),
            RowOp::Arithmetic(relation, _) => {
                let mut operands = [P::Ext::ZERO; 4];
                for port in row.ports {
                    operands[usize::from(port.position)] = values[port.slot.index()];
                }
                let created = row.ports.iter().position(|port| port.role == Role::Creates);
                let position = created.map(|place| row.ports[place].position);
                let place = row.ports.iter().position(|port| port.position == OUT);
                let place = created.or(place).expect("every relation has a result");
                let value = solve(*relation, position, operands);
                if let Some(position) = position {
                    operands[usize::from(position)] = value;
                    solvable = solve(*relation, None, operands) == operands[3];
                }
                (place, vec![value])
            }
            RowOp::Hint(id) => {
                let hint = &program.hints[id.index()];
                let mut outputs = Vec::new();
                hint.kind
                    .evaluate::<P>(
                        &HintRegistry::default(),
                        &read(hint.inputs.len()),
                        &hint.inputs,
                        &mut outputs,
                    )
                    .unwrap_or_default();
                outputs.resize(hint.outputs.len(), P::Ext::ZERO);
                (hint.inputs.len(), outputs)
            }
            RowOp::Call { call, .. } => {
                let call = &program.calls[call.index()];
                let ports = &call.signature.inputs;
                let flat: Vec<u64> = read(ports.len())
                    .iter()
                    .zip(ports)
                    .flat_map(|(value, port)| coefficients::<P>(value, port.ty))
                    .collect();
                let data = call.data.map_or(&[][..], |position| &inputs.data[position as usize]);
                let mut outputs = Vec::new();
                library
                    .evaluate(&call.chip, &flat, data, &mut outputs)
                    .unwrap_or_else(|error| panic!("{}: {error}", call.chip));
                let mut rest = &outputs[..];
                let take = |ty: ValueType| {
                    let (head, tail) = rest.split_at(ty.width(P::FIELD));
                    rest = tail;
                    element::<P>(head)
                };
                (ports.len(), call.signature.output_types().into_iter().map(take).collect())
            }
        };
        for (port, value) in row.ports[first..].iter().zip(computed) {
            let slot = &mut values[port.slot.index()];
            let holds = match port.role {
                Role::Creates => {
                    *slot = value;
                    solvable
                }
                _ => *slot == value,
            };
            if !holds {
                let names = &program.names;
                let scope = names.text(row.origin.scope);
                let name = format!("{scope}/{}", names.text(row.origin.label));
                violated.push((port.slot, name));
            }
        }
    }
    (Witness::new(values, inputs.data.clone()), violated)
}

fn coefficients<P: RecursiveField>(value: &P::Ext, ty: ValueType) -> Vec<u64> {
    let all: &[P::Base] = value.as_basis_coefficients_slice();
    all[..ty.width(P::FIELD)].iter().map(PrimeField64::as_canonical_u64).collect()
}
