//! What proofs claim, and how several claims become one.
//!
//! Any proofs can be counted up: what they all claim is the digest of their claims, in order, and whoever verifies
//! it has to know them all. Proofs of *steps* from one state to another become a proof of a longer step, and
//! whoever verifies it needs to know the first and the last state only, however many there are between.
//!
//! ```text
//! facts   digest(publics)                      digest(claim, claim)
//! steps   digest(common) digest(start) digest(end)   (c, s, m) (c, m, e) ─► (c, s, e)
//! ```

use chipwright_chips::recursion::HashSizes;
use chipwright_dsl::circuit::{BitTarget, CircuitBuilder, Target};
use chipwright_ir::Field;

use crate::batch::{Digest, RecursiveField};
use crate::keys::{Domain, digest, digest_targets};
use crate::layer::LayerError;

/// What a proof claims, in digests that are elements or targets. It is what a prover *says*: a verifier has an
/// [`Expected`] claim, which is not made of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim<D> {
    /// The digest of public values, or of claims.
    Facts(D),
    /// A step.
    Step(Step<D>),
}

/// A step, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<D> {
    /// What all steps have in common.
    pub common: D,
    /// The state before.
    pub start: D,
    /// The state after.
    pub end: D,
}

/// The claim that a verifier wants to see proven. It is made of values that the verifier knows, and of nothing else: a
/// proof that is compared with its own claim proves that somebody proved something.
///
/// ```
/// use chipwright_ir::field::Goldilocks2;
/// use chipwright_recursion::claims::Claims;
/// use p3_field::PrimeCharacteristicRing;
/// use p3_goldilocks::Goldilocks;
///
/// let known = [3, 9].map(Goldilocks::from_u64);
/// let expected = Claims::Facts.expect::<Goldilocks2>(&known)?;
/// # let _ = expected;
/// # Ok::<(), chipwright_recursion::claims::StepError>(())
/// ```
///
/// The claim of a proof is of another type, and no function makes the one of the other:
///
/// ```compile_fail,E0308
/// use chipwright_backend_stark::proof::Proof;
/// use chipwright_ir::field::Goldilocks2;
/// use chipwright_recursion::batch::Digest;
/// use chipwright_recursion::keys::KeySet;
/// use chipwright_recursion::layer::{Layer, Statement};
///
/// type P = Goldilocks2;
///
/// fn verify(layer: &Layer<P>, keys: &KeySet<Digest<P>>, said: &Statement<Digest<P>>, proof: &Proof<P>) {
///     let verdict = layer.verify(keys, said.claim, proof);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected<D>(Claim<D>);

impl<D: Copy> Expected<D> {
    /// The claim, for comparison with what a proof says.
    pub fn claim(&self) -> Claim<D> {
        self.0
    }
}

impl<D: Clone> Claim<D> {
    /// The digests.
    pub fn digests(&self) -> Vec<D> {
        match self {
            Self::Facts(digest) => vec![digest.clone()],
            Self::Step(Step { common, start, end }) => {
                vec![common.clone(), start.clone(), end.clone()]
            }
        }
    }
}

/// What the proofs at the bottom of a tree, or of a chain, are proofs of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claims {
    /// Anything.
    #[default]
    Facts,
    /// Steps.
    Steps(StepValues),
}

/// Which public values of a proof of a step are what, by their positions among all of them, table by table.
///
/// # Soundness
///
/// Every value is in one of the lists, or equal to one that is: none is left to the prover. A value that two tables have
/// is named once, and [its equal](Self::with_equal) is compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepValues {
    common: Vec<usize>,
    start: Vec<usize>,
    end: Vec<usize>,
    /// Pairs of values that are one.
    equal: Vec<(usize, usize)>,
}

/// Public values that are no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// States of different lengths.
    #[error("a step starts in a state of {start} values, and ends in one of {end}")]
    States {
        /// The length of the state before.
        start: usize,
        /// The length of the state after.
        end: usize,
    },
    /// A value that is not there.
    #[error("public value {position} belongs to a step, but the proofs have only {count} of them")]
    Missing {
        /// Its position.
        position: usize,
        /// The number of public values.
        count: usize,
    },
    /// A value that would be the prover's choice.
    #[error("public value {0} is neither common to all steps, nor of the state before or after")]
    Unbound(usize),
    /// Two values of one thing.
    #[error("public values {first} and {second} are of the same part of a step, but differ")]
    Unequal {
        /// The position of the one.
        first: usize,
        /// The position of the other.
        second: usize,
    },
    /// Steps with different common values.
    #[error("step {0} has other common values than the one before")]
    Common(usize),
    /// Steps that do not follow each other.
    #[error("step {0} does not start in the state in which the one before ends")]
    Apart(usize),
}

impl StepValues {
    /// The public values of a proof: those common to all steps, those of the state before, and those of the state
    /// after.
    ///
    /// # Errors
    ///
    /// Fails if the states differ in length.
    pub fn new(common: Vec<usize>, start: Vec<usize>, end: Vec<usize>) -> Result<Self, StepError> {
        if start.len() != end.len() {
            return Err(StepError::States { start: start.len(), end: end.len() });
        }
        Ok(Self { common, start, end, equal: Vec::new() })
    }

    /// The same, with pairs of values that two tables have of one thing: they are compared, in the circuit as well.
    #[must_use]
    pub fn with_equal(self, equal: Vec<(usize, usize)>) -> Self {
        Self { equal, ..self }
    }

    /// The claim to expect of all steps with these common values, from one state to another.
    pub fn expect<P: RecursiveField>(
        common: &[P::Base],
        start: &[P::Base],
        end: &[P::Base],
    ) -> Expected<Digest<P>> {
        Expected(Self::claim::<P>(common, start, end))
    }

    /// The claim that all steps with these common values, from one state to another, make together.
    pub fn claim<P: RecursiveField>(
        common: &[P::Base],
        start: &[P::Base],
        end: &[P::Base],
    ) -> Claim<Digest<P>> {
        Claim::Step(Step {
            common: digest::<P>(Domain::Common, common),
            start: digest::<P>(Domain::State, start),
            end: digest::<P>(Domain::State, end),
        })
    }

    fn check(&self, count: usize) -> Result<(), StepError> {
        let equal = || self.equal.iter().flat_map(|(first, second)| [first, second]);
        let named = || self.common.iter().chain(&self.start).chain(&self.end).chain(equal());
        if let Some(&position) = named().find(|&&position| position >= count) {
            return Err(StepError::Missing { position, count });
        }
        let unbound = (0..count).find(|position| !named().any(|named| named == position));
        unbound.map_or(Ok(()), |position| Err(StepError::Unbound(position)))
    }

    /// The values of one list.
    fn of<T: Copy>(positions: &[usize], values: &[T]) -> Vec<T> {
        positions.iter().map(|&position| values[position]).collect()
    }
}

impl Claims {
    /// The claim of a proof with these public values.
    ///
    /// # Errors
    ///
    /// Fails if they are no step although they should be.
    pub fn of<P: RecursiveField>(&self, values: &[P::Base]) -> Result<Claim<Digest<P>>, StepError> {
        let Self::Steps(step) = self else {
            return Ok(Claim::Facts(digest::<P>(Domain::Publics, values)));
        };
        step.check(values.len())?;
        let unequal = |(first, second): &&(usize, usize)| values[*first] != values[*second];
        if let Some(&(first, second)) = step.equal.iter().find(unequal) {
            return Err(StepError::Unequal { first, second });
        }
        let [common, start, end] =
            [&step.common, &step.start, &step.end].map(|list| StepValues::of(list, values));
        Ok(StepValues::claim::<P>(&common, &start, &end))
    }

    /// The claim to expect of a proof, or of a layer over it, given the public values that it should have.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub fn expect<P: RecursiveField>(
        &self,
        values: &[P::Base],
    ) -> Result<Expected<Digest<P>>, StepError> {
        Ok(Expected(self.of::<P>(values)?))
    }

    /// [`Self::of`] in a circuit.
    pub(crate) fn of_targets(
        &self,
        builder: &mut CircuitBuilder,
        values: &[Target],
    ) -> Result<Claim<Vec<Target>>, StepError> {
        let Self::Steps(step) = self else {
            return Ok(Claim::Facts(digest_targets(builder, Domain::Publics, values)));
        };
        step.check(values.len())?;
        for &(first, second) in &step.equal {
            builder.assert_eq(values[first], values[second]).named("one part of a step");
        }
        let mut hashed =
            |domain, list| digest_targets(builder, domain, &StepValues::of(list, values));
        Ok(Claim::Step(Step {
            common: hashed(Domain::Common, &step.common),
            start: hashed(Domain::State, &step.start),
            end: hashed(Domain::State, &step.end),
        }))
    }

    /// A claim of new digests.
    pub(crate) fn declare<D>(&self, mut digest: impl FnMut() -> D) -> Claim<D> {
        match self {
            Self::Facts => Claim::Facts(digest()),
            Self::Steps(_) => {
                Claim::Step(Step { common: digest(), start: digest(), end: digest() })
            }
        }
    }

    /// The number of public values of a layer over a field: the keys, the claim, and whether it is complete.
    pub fn layer_publics(&self, field: Field) -> usize {
        HashSizes::of(field).digest * (1 + self.declare(|| ()).digests().len()) + 1
    }
}

/// The claim to expect of a layer over several layers.
///
/// # Errors
///
/// As [`joined`].
pub fn expect_joined<P: RecursiveField>(
    expected: &[Expected<Digest<P>>],
) -> Result<Expected<Digest<P>>, LayerError> {
    let claims: Vec<Claim<Digest<P>>> = expected.iter().map(Expected::claim).collect();
    Ok(Expected(joined::<P>(&claims)?))
}

/// The claim of a layer over several layers.
///
/// # Errors
///
/// Fails if there are none, or if they are steps of which one does not follow the one before.
pub fn joined<P: RecursiveField>(
    claims: &[Claim<Digest<P>>],
) -> Result<Claim<Digest<P>>, LayerError> {
    match claims {
        [] => return Err(LayerError::Children { expected: 1, got: 0 }),
        [claim] => return Ok(*claim),
        _ => {}
    }
    let Some((mut step, rest)) = steps(claims) else {
        let digests: Vec<Digest<P>> = claims.iter().flat_map(Claim::digests).collect();
        let elements: Vec<&[P::Base]> = digests.iter().map(AsRef::as_ref).collect();
        return Ok(Claim::Facts(digest::<P>(Domain::Claims, &elements.concat())));
    };
    for (position, next) in (1..).zip(rest) {
        if next.common != step.common {
            return Err(StepError::Common(position).into());
        }
        if next.start != step.end {
            return Err(StepError::Apart(position).into());
        }
        step.end = next.end;
    }
    Ok(Claim::Step(step))
}

/// The first of some steps, and the others; `None` if not all claims are steps.
fn steps<D: Clone>(claims: &[Claim<D>]) -> Option<(Step<D>, Vec<Step<D>>)> {
    let mut steps = claims.iter().map(|claim| match claim {
        Claim::Step(step) => Some(step.clone()),
        Claim::Facts(_) => None,
    });
    Some((steps.next()??, steps.collect::<Option<_>>()?))
}

/// [`joined`] in a circuit; if `single` is given and true, the first claim alone.
///
/// # Soundness
///
/// `single` is the prover's choice, and what is claimed says which it was. Facts: the first claim is not the digest
/// of both. Steps: what is claimed is what the first proof proves; a prover who leaves steps out at the end
/// claims another state at the end. A step that is left out, exchanged or used again between others leaves
/// two neighbours of which one does not start where the other ends.
pub(crate) fn join_targets(
    builder: &mut CircuitBuilder,
    claims: &[Claim<Vec<Target>>],
    single: Option<BitTarget>,
) -> Claim<Vec<Target>> {
    // `first` if there is a single proof, `other` if there are more.
    let choose = |builder: &mut CircuitBuilder, first: &[Target], other: &[Target]| {
        let pairs = first.iter().zip(other);
        let one = |(&first, &other): (&Target, &Target)| {
            single.map_or(other, |single| builder.select(single, first, other))
        };
        pairs.map(one).collect::<Vec<Target>>()
    };
    if let [claim] = claims {
        return claim.clone();
    }
    let Some((mut step, rest)) = steps(claims) else {
        let digests: Vec<Vec<Target>> = claims.iter().flat_map(Claim::digests).collect();
        let all = digest_targets(builder, Domain::Claims, &digests.concat());
        return Claim::Facts(choose(builder, &digests[0], &all));
    };
    for next in rest {
        let expected = choose(builder, &next.start, &step.end);
        for i in 0..expected.len() {
            builder.assert_eq(next.common[i], step.common[i]).named("common values");
            builder.assert_eq(next.start[i], expected[i]).named("steps are linked");
        }
        step.end = choose(builder, &step.end, &next.end);
    }
    Claim::Step(step)
}
