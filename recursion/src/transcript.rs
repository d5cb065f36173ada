//! The transcript: everything that the prover says, and every challenge, through one sponge.
//!
//! A [`TranscriptPlan`] mirrors p3's duplex challenger: the same calls of *observe* and *sample* in the same
//! order. Nothing is hashed while planning; the plan knows which permutation absorbs which elements, and becomes
//! one call of the hash chip, whose state never leaves its rows. What the proof says (commitments, opened values,
//! witnesses of proofs of work) is *created* by that call, so it needs no table of its own. Extension elements
//! are created as such where rows can [join](HashSizes::joined) them; the coefficients of others are put together
//! by arithmetic.
//!
//! Source: the duplex construction of `p3-challenger`, `DuplexChallenger`.

use std::ops::Range;

use chipwright_chips::recursion::{HashSizes, RowKind, RowSpec, Script};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, DataTarget, ExtTarget, Target};
use p3_challenger::{CanObserve, CanSample};
use p3_field::Field;

/// What happens to the sponge.
#[derive(Clone, Copy, Debug)]
enum Event<K> {
    /// A known value is observed.
    Known(K),
    /// What the proof says is observed, in order: an element.
    Said,
    /// The same: this coefficient of an extension element.
    SaidCoefficient(usize),
    /// An element is sampled.
    Sample,
}

/// The observations and samples of a verifier, in order. Known values are targets of a circuit, or elements.
#[derive(Debug)]
pub(crate) struct TranscriptPlan<K> {
    events: Vec<Event<K>>,
    said: usize,
    samples: usize,
}

/// A transcript in a circuit.
#[derive(Debug)]
pub(crate) struct Transcript {
    /// What the proof says, in the order of observation.
    said: Vec<Said>,
    /// The samples, in order.
    pub(crate) samples: Vec<Target>,
    /// Where a run supplies what the proof says.
    pub(crate) data: Option<DataTarget>,
}

/// An element that the proof says.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// An element of the base field.
    Felt(Target),
    /// The first coefficient of an extension element, which has one slot.
    Ext(ExtTarget),
    /// Another coefficient of an extension element.
    Coefficient,
}

impl Transcript {
    /// Elements of the base field that the proof says, at some positions that [`TranscriptPlan::listen`] gave.
    pub(crate) fn said(&self, range: &Range<usize>) -> Vec<Target> {
        let felt = |said: &Said| match *said {
            Said::Felt(target) => target,
            Said::Ext(_) | Said::Coefficient => unreachable!("it is part of an extension element"),
        };
        self.said[range.clone()].iter().map(felt).collect()
    }

    /// An extension element that the proof says, at positions that [`TranscriptPlan::listen_ext`] gave.
    pub(crate) fn said_ext(&self, builder: &mut CircuitBuilder, range: &Range<usize>) -> ExtTarget {
        match self.said[range.start] {
            Said::Ext(target) => target,
            _ => builder.from_coefficients(&self.said(range)),
        }
    }
}

impl<K: Copy> TranscriptPlan<K> {
    pub(crate) fn new() -> Self {
        Self { events: Vec::new(), said: 0, samples: 0 }
    }

    /// Observes known values.
    pub(crate) fn observe(&mut self, values: impl IntoIterator<Item = K>) {
        self.events.extend(values.into_iter().map(Event::Known));
    }

    /// Observes `count` elements that the proof says; their positions among [`Transcript::said`].
    pub(crate) fn listen(&mut self, count: usize) -> Range<usize> {
        self.events.extend(std::iter::repeat_n(Event::Said, count));
        self.said += count;
        self.said - count..self.said
    }

    /// Observes an extension element that the proof says; the positions of its `degree` coefficients among
    /// [`Transcript::said`].
    pub(crate) fn listen_ext(&mut self, degree: usize) -> Range<usize> {
        self.events.extend((0..degree).map(Event::SaidCoefficient));
        self.said += degree;
        self.said - degree..self.said
    }

    /// Samples elements; their positions among [`Transcript::samples`].
    pub(crate) fn sample(&mut self, count: usize) -> Range<usize> {
        self.events.extend(std::iter::repeat_n(Event::Sample, count));
        self.samples += count;
        self.samples - count..self.samples
    }

    /// The number of elements that the proof says.
    pub(crate) fn said(&self) -> usize {
        self.said
    }
}

impl<F: Field> TranscriptPlan<F> {
    /// The samples, given what the proof says.
    pub(crate) fn replay<C>(&self, mut challenger: C, said: &[F]) -> Vec<F>
    where
        C: CanObserve<F> + CanSample<F>,
    {
        let mut said = said.iter().copied();
        let mut samples = Vec::with_capacity(self.samples);
        for event in &self.events {
            match event {
                Event::Known(value) => challenger.observe(*value),
                Event::Said | Event::SaidCoefficient(_) => {
                    challenger.observe(said.next().unwrap_or_default());
                }
                Event::Sample => samples.push(challenger.sample()),
            }
        }
        samples
    }
}

/// Observations that one permutation absorbs, or samples of one state.
#[derive(Debug)]
enum Row {
    Absorb(RowKind, Vec<Event<Target>>),
    /// The samples taken of each element.
    Echo(Vec<Option<usize>>),
}

/// What an output of the call is, by position.
#[derive(Clone, Copy, Debug)]
enum Output {
    Said(usize),
    /// The element whose first coefficient has this position.
    SaidExt(usize),
    Sample(usize),
}

/// The duplex construction: which permutation absorbs what.
#[derive(Debug)]
struct Duplex {
    rate: usize,
    rows: Vec<Row>,
    pending: Vec<Event<Target>>,
    /// How many elements of the state can still be sampled.
    ready: usize,
    samples: usize,
}

impl Duplex {
    fn new(rate: usize) -> Self {
        Self { rate, rows: Vec::new(), pending: Vec::new(), ready: 0, samples: 0 }
    }

    fn observe(&mut self, event: Event<Target>) {
        self.ready = 0;
        self.pending.push(event);
        if self.pending.len() == self.rate {
            self.absorb();
        }
    }

    fn absorb(&mut self) {
        let kind = match self.rows.last() {
            None => RowKind::Begin,
            Some(Row::Echo(_)) => RowKind::Resume,
            Some(Row::Absorb(..)) => RowKind::Absorb,
        };
        self.rows.push(Row::Absorb(kind, std::mem::take(&mut self.pending)));
        self.ready = self.rate;
    }

    fn sample(&mut self) {
        if !self.pending.is_empty() {
            self.absorb();
        }
        // A state that is used up is permuted again: so does a row that shows it.
        if self.ready == 0 {
            self.ready = self.rate;
        }
        if self.ready == self.rate {
            self.rows.push(Row::Echo(vec![None; self.rate]));
        }
        self.ready -= 1;
        if let Some(Row::Echo(echo)) = self.rows.last_mut() {
            echo[self.ready] = Some(self.samples);
        }
        self.samples += 1;
    }
}

impl TranscriptPlan<Target> {
    /// The call of the hash chip.
    pub(crate) fn build(self, builder: &mut CircuitBuilder) -> Transcript {
        let field = builder.field();
        let degree = field.degree();
        let mut duplex = Duplex::new(HashSizes::of(field).rate());
        for &event in &self.events {
            match event {
                Event::Sample => duplex.sample(),
                observed => duplex.observe(observed),
            }
        }
        let mut rows = Vec::with_capacity(duplex.rows.len());
        let mut inputs: Vec<AnyTarget> = Vec::new();
        let mut outputs: Vec<Output> = Vec::new();
        let mut said = 0;
        for row in &duplex.rows {
            let mut spec = match row {
                Row::Absorb(kind, events) => RowSpec::new(*kind, events.len()),
                Row::Echo(_) => RowSpec::new(RowKind::Echo, 0),
            };
            match row {
                Row::Absorb(_, events) => {
                    let elements = elements(field, events);
                    spec.joined = !elements.is_empty();
                    for (i, event) in events.iter().enumerate() {
                        if let Event::Known(target) = event {
                            spec.read |= 1 << i;
                            inputs.push((*target).into());
                            continue;
                        }
                        let is_first = elements.contains(&i);
                        let is_other = |&first: &usize| (first + 1..first + degree).contains(&i);
                        if !elements.iter().any(is_other) {
                            spec.written |= 1 << i;
                            let output = if is_first { Output::SaidExt } else { Output::Said };
                            outputs.push(output(said));
                        }
                        said += 1;
                    }
                }
                Row::Echo(samples) => {
                    for (i, sample) in samples.iter().enumerate() {
                        if let Some(sample) = sample {
                            spec.written |= 1 << i;
                            outputs.push(Output::Sample(*sample));
                        }
                    }
                }
            }
            rows.push(spec);
        }
        let called = builder.call_named(Script { tree: 0, rows }.call(), &inputs);
        let zero = builder.add_const(0);
        let mut transcript = Transcript {
            said: vec![Said::Coefficient; self.said],
            samples: vec![zero; self.samples],
            data: called.data,
        };
        for (place, target) in outputs.into_iter().zip(called.outputs) {
            match place {
                Output::Said(said) => transcript.said[said] = Said::Felt(builder.as_felt(target)),
                Output::SaidExt(said) => transcript.said[said] = Said::Ext(builder.as_ext(target)),
                Output::Sample(sample) => transcript.samples[sample] = builder.as_felt(target),
            }
        }
        transcript
    }
}

/// Where among the observations that a row absorbs extension elements begin, each of them whole: where the row can join
/// coefficients, if it can do so everywhere there.
fn elements(field: chipwright_ir::Field, events: &[Event<Target>]) -> Vec<usize> {
    let is_whole = |&first: &usize| {
        let coefficients = events.iter().skip(first).take(field.degree()).enumerate();
        let mut in_order = coefficients.map(|(i, event)| match event {
            Event::SaidCoefficient(index) => *index == i,
            _ => false,
        });
        first + field.degree() <= events.len() && in_order.all(|in_order| in_order)
    };
    let firsts: Vec<usize> =
        HashSizes::joined(field).take_while(|&first| first < events.len()).collect();
    if firsts.iter().all(is_whole) { firsts } else { Vec::new() }
}

/// What a domain separator begins a protocol with.
pub(crate) fn seed<F>(observe: impl FnOnce(&mut Recorder<F>)) -> Vec<F> {
    let mut recorder = Recorder { observed: Vec::new() };
    observe(&mut recorder);
    recorder.observed
}

/// Notes what is observed.
#[derive(Debug)]
pub(crate) struct Recorder<F> {
    observed: Vec<F>,
}

impl<F: Clone> CanObserve<F> for Recorder<F> {
    fn observe(&mut self, value: F) {
        self.observed.push(value);
    }
}
