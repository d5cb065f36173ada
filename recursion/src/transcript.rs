//! The transcript: everything that the prover says, and every challenge, through one sponge.
//!
//! A [`TranscriptPlan`] mirrors p3's duplex challenger: the same calls of *observe* and *sample* in the same
//! order. Nothing is hashed while planning; the plan knows which permutation absorbs which elements, and
//! becomes one call of the hash chip, whose state never leaves its rows. What the proof says (commitments,
//! opened values, witnesses of proofs of work) is *created* by that call, so it needs no table of its own.
//!
//! Source: the duplex construction of `p3-challenger`, `DuplexChallenger`.

use std::ops::Range;

use chipwright_chips::recursion::{RowKind, RowSpec, Script};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, DataTarget, Target};
use p3_challenger::CanObserve;
use p3_goldilocks::Goldilocks;

const RATE: usize = 12;

/// An element that is observed.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A value of the circuit.
    Known(Target),
    /// What the proof says, by position.
    Said,
}

#[derive(Debug)]
enum Row {
    Absorb(RowKind, Vec<Source>),
    /// The samples taken of each element.
    Echo([Option<usize>; RATE]),
}

/// The observations and samples of a verifier, in order.
#[derive(Debug, Default)]
pub(crate) struct TranscriptPlan {
    rows: Vec<Row>,
    /// Observed and not yet absorbed.
    pending: Vec<Source>,
    /// How many elements of the state can still be sampled.
    ready: usize,
    said: usize,
    samples: usize,
}

/// A transcript in a circuit.
#[derive(Debug)]
pub(crate) struct Transcript {
    /// What the proof says, in the order of observation.
    pub(crate) said: Vec<Target>,
    /// The samples, in order.
    pub(crate) samples: Vec<Target>,
    /// Where a run supplies what the proof says.
    pub(crate) data: Option<DataTarget>,
    /// The number of permutations.
    pub(crate) permutations: usize,
}

impl TranscriptPlan {
    /// Observes a value of the circuit.
    pub(crate) fn observe(&mut self, target: Target) {
        self.push(Source::Known(target));
    }

    /// Observes a constant.
    pub(crate) fn observe_constant(&mut self, builder: &mut CircuitBuilder, value: Goldilocks) {
        let target = builder.add_const(value);
        self.observe(target);
    }

    /// Observes what p3's domain separators and labels begin with.
    pub(crate) fn observe_seed(
        &mut self,
        builder: &mut CircuitBuilder,
        seed: impl FnOnce(&mut Recorder),
    ) {
        let mut recorder = Recorder::default();
        seed(&mut recorder);
        for value in recorder.observed {
            self.observe_constant(builder, value);
        }
    }

    /// Observes `count` elements that the proof says; their positions among [`Transcript::said`].
    pub(crate) fn listen(&mut self, count: usize) -> Range<usize> {
        let start = self.said;
        for _ in 0..count {
            self.push(Source::Said);
        }
        self.said += count;
        start..self.said
    }

    fn push(&mut self, source: Source) {
        self.ready = 0;
        self.pending.push(source);
        if self.pending.len() == RATE {
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
        self.ready = RATE;
    }

    /// Samples an element; its position among [`Transcript::samples`].
    pub(crate) fn sample(&mut self) -> usize {
        if !self.pending.is_empty() {
            self.absorb();
        }
        // A sponge that is used up permutes again: so does a row that shows its state.
        if self.ready == 0 {
            self.ready = RATE;
        }
        if self.ready == RATE {
            self.rows.push(Row::Echo([None; RATE]));
        }
        self.ready -= 1;
        if let Some(Row::Echo(echo)) = self.rows.last_mut() {
            echo[self.ready] = Some(self.samples);
        }
        self.samples += 1;
        self.samples - 1
    }

    /// Samples as many elements as an extension element has coefficients.
    pub(crate) fn sample_extension(&mut self, degree: usize) -> Range<usize> {
        let start = self.samples;
        for _ in 0..degree {
            self.sample();
        }
        start..self.samples
    }

    /// The call of the hash chip.
    pub(crate) fn build(self, builder: &mut CircuitBuilder) -> Transcript {
        let mut rows = Vec::with_capacity(self.rows.len());
        let mut inputs: Vec<AnyTarget> = Vec::new();
        // For each output, whether it is said or sampled, and which one.
        let mut outputs: Vec<Result<usize, usize>> = Vec::new();
        let mut said = 0;
        for row in &self.rows {
            match row {
                Row::Absorb(kind, sources) => {
                    let mut spec = RowSpec::new(*kind, sources.len());
                    for (i, source) in sources.iter().enumerate() {
                        match source {
                            Source::Known(target) => {
                                spec.read |= 1 << i;
                                inputs.push((*target).into());
                            }
                            Source::Said => {
                                spec.written |= 1 << i;
                                outputs.push(Ok(said));
                                said += 1;
                            }
                        }
                    }
                    rows.push(spec);
                }
                Row::Echo(samples) => {
                    let mut spec = RowSpec::new(RowKind::Echo, 0);
                    for (i, sample) in samples.iter().enumerate() {
                        if let Some(sample) = sample {
                            spec.written |= 1 << i;
                            outputs.push(Err(*sample));
                        }
                    }
                    rows.push(spec);
                }
            }
        }
        let permutations = rows.len();
        let called = builder.call_named(Script { tree: 0, rows }.call(), &inputs);
        let zero = builder.add_const(0);
        let mut transcript = Transcript {
            said: vec![zero; self.said],
            samples: vec![zero; self.samples],
            data: called.data,
            permutations,
        };
        for (place, target) in outputs.into_iter().zip(called.outputs) {
            let target = builder.as_felt(target);
            match place {
                Ok(said) => transcript.said[said] = target,
                Err(sample) => transcript.samples[sample] = target,
            }
        }
        transcript
    }
}

/// Notes what is observed.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    observed: Vec<Goldilocks>,
}

impl CanObserve<Goldilocks> for Recorder {
    fn observe(&mut self, value: Goldilocks) {
        self.observed.push(value);
    }
}
