//! Opened proofs: natively, and as inputs of a circuit.

use chipwright_backend_stark::config::{Stark, StarkField};
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::circuit::{CircuitBuilder, ExtTarget, Target};
use chipwright_ir::FieldPair;
use chipwright_ir::circuit::{Constant, Inputs};
use chipwright_recursion::constraints::{Challenges, Opened, Row};
use chipwright_recursion::domain::OutOfDomain;
use p3_air::{BaseAir, RowWindow};
use p3_batch_stark::folder::VerifierConstraintFolderWithLookups;
use p3_batch_stark::{BatchShape, BatchVerifierTranscript, Commitment};
use p3_commit::{PeriodicColumns, PolynomialSpace};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{ExtensionField, Field, PrimeCharacteristicRing};
use p3_lookup::{Kind, LogUpGadget, LookupProtocol};
use p3_matrix::dense::RowMajorMatrixView;
use p3_matrix::stack::VerticalPair;
use p3_uni_stark::{StarkGenericConfig, VerifierConstraintFolder, recompose_quotient_from_chunks};

type Domain<P> = TwoAdicMultiplicativeCoset<<P as FieldPair>::Base>;
type Transcript<'a, P> = BatchVerifierTranscript<
    'a,
    <P as StarkField>::Challenger,
    <P as FieldPair>::Base,
    <P as FieldPair>::Ext,
    Commitment<Stark<P>>,
>;

/// What a proof opens of a table. Columns come in pairs: at ζ, and at the next row's point.
#[derive(Clone, Debug)]
pub(crate) struct Table<P: FieldPair> {
    pub(crate) main: [Vec<P::Ext>; 2],
    pub(crate) fixed: [Vec<P::Ext>; 2],
    pub(crate) lookups: [Vec<P::Ext>; 2],
    pub(crate) quotient: Vec<Vec<P::Ext>>,
    pub(crate) terminal: Option<P::Ext>,
    pub(crate) publics: Vec<P::Base>,
}

/// All that constraint evaluation is about.
#[derive(Clone, Debug)]
pub(crate) struct Opening<P: FieldPair> {
    pub(crate) lookup: Option<(P::Ext, P::Ext)>,
    pub(crate) alpha: P::Ext,
    pub(crate) zeta: P::Ext,
    pub(crate) tables: Vec<Table<P>>,
}

/// A value of an opening, to be read or altered.
pub(crate) enum Value<'a, P: FieldPair> {
    Ext(&'a mut P::Ext),
    Base(&'a mut P::Base),
}

/// The number of elements of the longest message of any table.
fn message_width<P: StarkField>(key: &VerifyingKey<P>) -> usize {
    key.tables().iter().map(|table| table.message_width).max().unwrap_or(1).max(1)
}

impl<P: StarkField> Opening<P> {
    /// Opens a proof. The challenges are Plonky3's.
    pub(crate) fn of(key: &VerifyingKey<P>, proof: &Proof<P>, publics: &[Vec<P::Base>]) -> Self {
        let batch = proof.batch();
        let lookups = &key.common().lookups;
        let grinding = key.config().parameters.grinding;
        let shape = BatchShape {
            trace_widths: key.airs().iter().map(BaseAir::width).collect(),
            public_value_counts: publics.iter().map(Vec::len).collect(),
            preprocessed_widths: key.tables().iter().map(|table| table.fixed_width).collect(),
            has_preprocessed_commitment: key.common().preprocessed.is_some(),
            num_lookup_instances: lookups.iter().filter(|lookups| !lookups.is_empty()).count(),
            lookup_pow_bits: grinding.lookup,
            has_randomization_commitment: false,
            ood_pow_bits: grinding.out_of_domain,
        };
        let mut challenger = key.stark().initialise_challenger();
        let mut transcript = Transcript::<P>::new(&mut challenger, shape);
        transcript.instance_bindings(&batch.degree_bits);
        transcript.main_phase(batch.commitments.main.clone(), publics);
        let preprocessed = key.common().preprocessed.as_ref();
        transcript.preprocessed_phase(preprocessed.map(|fixed| fixed.commitment.clone()));
        let laid_out = transcript
            .lookup_phase(lookups, &LogUpGadget::new(), batch.lookup_pow_witness)
            .expect("the proof of work is right");
        let terminals: Vec<P::Ext> = batch.lookup_terminals.iter().flatten().map(|t| t.0).collect();
        let alpha = transcript.permutation_phase(batch.commitments.permutation.clone(), &terminals);
        transcript.quotient_phase(batch.commitments.quotient_chunks.clone(), None);
        let zeta = transcript.ood_phase(batch.ood_pow_witness).expect("the proof of work is right");
        transcript.abort();
        // Plonky3 tells `α + β^W`, for the first bus, and β.
        let lookup = match laid_out.concat()[..] {
            [prefix, beta, ..] => Some((prefix - beta.exp_u64(message_width(key) as u64), beta)),
            _ => None,
        };
        let instances = batch.opened_values.instances.iter();
        let tables = instances.zip(&batch.lookup_terminals).zip(publics).map(
            |((opened, terminal), publics)| {
                let base = &opened.base_opened_values;
                let fixed = base.preprocessed.as_ref();
                Table {
                    main: [base.trace_local.clone(), base.trace_next.clone().unwrap_or_default()],
                    fixed: [
                        fixed.map(|fixed| fixed.local.clone()).unwrap_or_default(),
                        fixed.and_then(|fixed| fixed.next.clone()).unwrap_or_default(),
                    ],
                    lookups: [opened.permutation_local.clone(), opened.permutation_next.clone()],
                    quotient: base.quotient_chunks.clone(),
                    terminal: terminal.as_ref().map(|terminal| terminal.0),
                    publics: publics.clone(),
                }
            },
        );
        Self { lookup, alpha, zeta, tables: tables.collect() }
    }

    /// Every value, in the order of [`Circuit::new`].
    pub(crate) fn values(&mut self) -> Vec<Value<'_, P>> {
        let mut values = vec![Value::Ext(&mut self.alpha), Value::Ext(&mut self.zeta)];
        if let Some((alpha, beta)) = &mut self.lookup {
            values.extend([Value::Ext(alpha), Value::Ext(beta)]);
        }
        for table in &mut self.tables {
            let columns = table.main.iter_mut().chain(&mut table.fixed).chain(&mut table.lookups);
            values.extend(columns.chain(&mut table.quotient).flatten().map(Value::Ext));
            values.extend(table.terminal.iter_mut().map(Value::Ext));
            values.extend(table.publics.iter_mut().map(Value::Base));
        }
        values
    }

    /// The inputs of a circuit that begins with [`Circuit::new`].
    pub(crate) fn inputs(&self) -> Inputs {
        let canonical = |value: Value<'_, P>| match value {
            Value::Ext(value) => Constant::from_ext::<P>(*value).coefficients().to_vec(),
            Value::Base(value) => Constant::from_base::<P>(*value).coefficients().to_vec(),
        };
        let publics = self.clone().values().into_iter().map(canonical).collect();
        Inputs { publics, ..Inputs::default() }
    }

    /// The challenges of every table's lookups as Plonky3 lays them out.
    fn laid_out(&self, key: &VerifyingKey<P>) -> Vec<Vec<P::Ext>> {
        let lookups = &key.common().lookups;
        let Some((alpha, beta)) = self.lookup else {
            return vec![Vec::new(); lookups.len()];
        };
        let challenges = p3_lookup::Challenges::new(alpha, beta, message_width(key), 64);
        let mut names: Vec<String> = Vec::new();
        let mut of_table = |lookups: &p3_lookup::Lookups<P::Base>| -> Vec<P::Ext> {
            let mut laid_out = Vec::new();
            for lookup in lookups.iter() {
                let Kind::Global(name) = &lookup.kind else {
                    panic!("chips have no local lookups");
                };
                let bus = names.iter().position(|other| other == name).unwrap_or_else(|| {
                    names.push(name.clone());
                    names.len() - 1
                });
                laid_out.extend([challenges.bus_prefix[bus], beta]);
            }
            laid_out
        };
        lookups.iter().map(&mut of_table).collect()
    }

    /// The folded constraints of a table by Plonky3's folder.
    pub(crate) fn folded(&self, key: &VerifyingKey<P>, index: usize, log_height: usize) -> P::Ext {
        let (air, lookups) = (&key.airs()[index], &key.common().lookups[index]);
        let table = &self.tables[index];
        let domain = Domain::<P>::new(P::Base::ONE, log_height).expect("a domain");
        let selectors = domain.selectors_at_point(self.zeta);
        let next = |columns: &[Vec<P::Ext>; 2]| {
            let zeros = P::Ext::zero_vec(columns[0].len());
            if columns[1].is_empty() { zeros } else { columns[1].clone() }
        };
        let (main_next, fixed_next) = (next(&table.main), next(&table.fixed));
        let declared = air.periodic_columns();
        let periodic = PeriodicColumns::new(&declared, 1 << log_height).expect("periods");
        let periodic = domain.evaluate_periodic_columns_at(periodic, self.zeta);
        let inner = VerifierConstraintFolder::<Stark<P>> {
            main: rows(&table.main[0], &main_next),
            preprocessed: rows(&table.fixed[0], &fixed_next),
            preprocessed_window: RowWindow::from_two_rows(&table.fixed[0], &fixed_next),
            periodic_values: &periodic,
            public_values: &table.publics,
            is_first_row: selectors.is_first_row,
            is_last_row: selectors.is_last_row,
            is_transition: selectors.is_transition,
            alpha: self.alpha,
            accumulator: P::Ext::ZERO,
        };
        let columns = table.lookups.each_ref().map(|flat| -> Vec<P::Ext> {
            flat.chunks(P::FIELD.degree())
                .map(|chunk| P::Ext::from_ext_basis_coefficients(chunk).expect("coefficients"))
                .collect()
        });
        let mut folder = VerifierConstraintFolderWithLookups {
            inner,
            permutation: rows(&columns[0], &columns[1]),
            permutation_challenges: &self.laid_out(key)[index],
            permutation_values: table.terminal.as_slice(),
        };
        LogUpGadget::new().eval_air_and_lookups(air, &mut folder, lookups);
        folder.inner.accumulator
    }

    /// The quotient of a table by Plonky3's recomposition.
    pub(crate) fn quotient(&self, index: usize, log_height: usize) -> P::Ext {
        let chunks = &self.tables[index].quotient;
        let domain = Domain::<P>::new(P::Base::ONE, log_height).expect("a domain");
        let domain = domain.create_disjoint_domain(chunks.len() << log_height);
        let domains = domain.split_domains(chunks.len());
        recompose_quotient_from_chunks::<Stark<P>>(&domains, chunks, self.zeta)
    }

    /// Whether Plonky3's verifier accepts the values.
    pub(crate) fn holds(&self, key: &VerifyingKey<P>, log_heights: &[usize]) -> bool {
        let table = |(index, &log_height): (usize, &usize)| {
            let vanishing = self.zeta.exp_power_of_2(log_height) - P::Ext::ONE;
            !vanishing.is_zero()
                && self.folded(key, index, log_height)
                    == self.quotient(index, log_height) * vanishing
        };
        let terminals: P::Ext = self.tables.iter().filter_map(|table| table.terminal).sum();
        terminals.is_zero() && log_heights.iter().enumerate().all(table)
    }
}

fn rows<'a, F>(
    local: &'a [F],
    next: &'a [F],
) -> VerticalPair<RowMajorMatrixView<'a, F>, RowMajorMatrixView<'a, F>>
where
    F: Clone + Send + Sync,
{
    VerticalPair::new(RowMajorMatrixView::new_row(local), RowMajorMatrixView::new_row(next))
}

/// Public inputs for the values of an opening.
#[derive(Debug)]
pub(crate) struct Circuit {
    pub(crate) zeta: OutOfDomain,
    pub(crate) challenges: Challenges,
    pub(crate) opened: Vec<Opened>,
}

impl Circuit {
    /// Adds an input for each value, in the order of [`Opening::values`].
    pub(crate) fn new<P: FieldPair>(builder: &mut CircuitBuilder, opening: &Opening<P>) -> Self {
        let constraint = builder.public();
        let zeta = OutOfDomain::new(builder.public());
        let lookup = opening.lookup.map(|_| (builder.public(), builder.public()));
        let mut opened = Vec::new();
        for table in &opening.tables {
            let mut list = |values: &Vec<P::Ext>| -> Vec<ExtTarget> {
                values.iter().map(|_| builder.public()).collect()
            };
            let mut row = |columns: &[Vec<P::Ext>; 2]| {
                let [local, next] = columns.each_ref().map(&mut list);
                Row { local, next }
            };
            let (main, fixed, lookups) = (row(&table.main), row(&table.fixed), row(&table.lookups));
            let quotient = table.quotient.iter().map(list).collect();
            let terminal = table.terminal.map(|_| builder.public());
            let publics = table.publics.iter().map(|_| builder.public::<Target>()).collect();
            opened.push(Opened { main, fixed, lookups, quotient, publics, terminal });
        }
        Self { zeta, challenges: Challenges { lookup, constraint }, opened }
    }
}
