//! The values of a step by name: common values and states as their parts, and where a machine has them.
//!
//! A machine says of each public value which part of a step it is
//! (`#[public(common)]`, `#[public(before = "pc")]`, `#[public(after = "pc")]`). A virtual machine gives its states as
//! [`Parts`] of the same names. Neither knows of the other's order, and nobody counts positions.

use std::collections::BTreeMap;
use std::fmt;

use chipwright_ir::chip::{Chip, StepPart, StepRole};
use chipwright_ir::field::{NotCanonical, canonical_element};
use chipwright_ir::machine::Machine;
use serde::{Deserialize, Serialize};

use crate::batch::RecursiveField;
use crate::claims::{StepError, StepValues};

/// Values by the names of the parts that they belong to, as canonical integers.
///
/// ```
/// use chipwright_recursion::shard::Parts;
///
/// let state = Parts::new().with("pc", [7]).with("memory", [1, 2, 3, 4]);
/// assert_eq!(state.get("memory"), Some(&[1, 2, 3, 4][..]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts(Vec<(String, Vec<u64>)>);

/// What is made of named parts: a state of a virtual machine, or what all of its steps have in common.
pub trait Named {
    /// The parts, by the names that the machine's public values have.
    fn parts(&self) -> Parts;
}

/// Parts that are none of a step, or public values that make none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// A public value that would be the prover's choice.
    #[error(
        "public value `{public}` of chip `{chip}` is neither common to all steps nor of the state before or after; \
         write `#[public(common)]`, `#[public(before = \"..\")]` or `#[public(after = \"..\")]`"
    )]
    Unmarked {
        /// The chip.
        chip: String,
        /// The public value.
        public: String,
    },
    /// Two chips have different numbers of values of one part.
    #[error(
        "chip `{chip}` has {found} values of the part `{part}` ({role}), another chip {expected}"
    )]
    Width {
        /// The chip.
        chip: String,
        /// The part.
        part: String,
        /// Where in the step.
        role: StepRole,
        /// The number that the chip has.
        found: usize,
        /// The number that another one has.
        expected: usize,
    },
    /// A part of one state that the other does not have, or not as long.
    #[error(
        "part `{part}` has {before} values in the state before a step, and {after} in the state after"
    )]
    States {
        /// The part.
        part: String,
        /// Its length before.
        before: usize,
        /// Its length after.
        after: usize,
    },
    /// Machines of one menu that do not make the same steps.
    #[error(
        "kinds `{first}` and `{second}` of the menu have different states or common values: {what}"
    )]
    Menu {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// The first part that differs.
        what: String,
    },
    /// A part that the machine has was not given.
    #[error("part `{part}` of {of} is missing")]
    Missing {
        /// What was given.
        of: Given,
        /// The part.
        part: String,
    },
    /// A part that the machine does not have, or has once.
    #[error("part `{part}` of {of} {problem}")]
    Surplus {
        /// What was given.
        of: Given,
        /// The part.
        part: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A part of another length.
    #[error("part `{part}` of {of} has {found} values, the machine's public values are {expected}")]
    Length {
        /// What was given.
        of: Given,
        /// The part.
        part: String,
        /// The number of the machine.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// A value with a second name.
    #[error("part `{part}` of {of}: {error}")]
    NotCanonical {
        /// What was given.
        of: Given,
        /// The part.
        part: String,
        /// The value.
        error: NotCanonical,
    },
}

/// What parts are given of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Given {
    /// What all steps have in common.
    Common,
    /// A state.
    State,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Common => "the common values",
            Self::State => "a state",
        })
    }
}

impl Parts {
    /// No parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, values: impl IntoIterator<Item = u64>) -> Self {
        self.0.push((name.into(), values.into_iter().collect()));
        self
    }

    /// The values of a part.
    pub fn get(&self, name: &str) -> Option<&[u64]> {
        self.0.iter().find(|(part, _)| part == name).map(|(_, values)| values.as_slice())
    }
}

impl Named for Parts {
    fn parts(&self) -> Parts {
        self.clone()
    }
}

/// The parts that steps have, with their lengths, in the order in which they are hashed: by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepShape {
    common: BTreeMap<String, usize>,
    state: BTreeMap<String, usize>,
}

impl StepShape {
    /// The parts of the steps of a machine.
    ///
    /// # Errors
    ///
    /// Fails if a public value is part of no step, or if chips do not agree on the parts.
    pub fn of(machine: &Machine) -> Result<Self, PartsError> {
        let mut widths: BTreeMap<StepPart, usize> = BTreeMap::new();
        for chip in &machine.chips {
            for (part, found) in elements(chip)?.into_iter().fold(BTreeMap::new(), counted) {
                let expected = *widths.entry(part.clone()).or_insert(found);
                if expected != found {
                    let (chip, StepPart { role, name: part }) = (chip.name.clone(), part);
                    return Err(PartsError::Width { chip, part, role, found, expected });
                }
            }
        }
        let of = |wanted| {
            let parts = widths.iter().filter(move |(part, _)| part.role == wanted);
            parts.map(|(part, &width)| (part.name.clone(), width)).collect::<BTreeMap<_, _>>()
        };
        let [common, before, after] = StepRole::ALL.map(of);
        let width = |parts: &BTreeMap<String, usize>, part| parts.get(part).copied().unwrap_or(0);
        for part in before.keys().chain(after.keys()) {
            let (before, after) = (width(&before, part), width(&after, part));
            if before != after {
                return Err(PartsError::States { part: part.clone(), before, after });
            }
        }
        Ok(Self { common, state: before })
    }

    /// The first part in which the steps of two machines differ.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let differs = |one: &BTreeMap<String, usize>, two: &BTreeMap<String, usize>| {
            let mut names = one.keys().chain(two.keys());
            names.find(|&name| one.get(name) != two.get(name)).cloned()
        };
        differs(&self.common, &other.common).or_else(|| differs(&self.state, &other.state))
    }

    /// The elements of common values, in the order in which they are hashed.
    ///
    /// # Errors
    ///
    /// Fails if these are not the parts of the machine, or not canonical.
    pub fn common<P: RecursiveField>(&self, parts: &Parts) -> Result<Vec<P::Base>, PartsError> {
        of_parts::<P>(Given::Common, &self.common, parts)
    }

    /// The elements of a state, in the order in which they are hashed.
    ///
    /// # Errors
    ///
    /// Fails if these are not the parts of the machine, or not canonical.
    pub fn state<P: RecursiveField>(&self, parts: &Parts) -> Result<Vec<P::Base>, PartsError> {
        of_parts::<P>(Given::State, &self.state, parts)
    }
}

/// Why public values are no step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepLayoutError {
    /// A public value has no part.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// The states differ.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Where public values are which parts. `chips` are those of the machine, in the order of their public values.
pub(super) fn step_values<'a>(
    chips: impl IntoIterator<Item = &'a Chip>,
) -> Result<StepValues, StepLayoutError> {
    let mut places: BTreeMap<(StepPart, usize), usize> = BTreeMap::new();
    let mut equal = Vec::new();
    let mut position = 0;
    for chip in chips {
        for element in elements(chip)? {
            match places.get(&element) {
                Some(&first) => equal.push((first, position)),
                None => drop(places.insert(element, position)),
            }
            position += 1;
        }
    }
    let list = |role: StepRole| {
        let of_role = places.iter().filter(move |((part, _), _)| part.role == role);
        of_role.map(|(_, &position)| position).collect()
    };
    let [common, before, after] = StepRole::ALL.map(list);
    Ok(StepValues::new(common, before, after)?.with_equal(equal))
}

/// The public values of a chip, in order, each with its place among those of its part.
fn elements(chip: &Chip) -> Result<Vec<(StepPart, usize)>, PartsError> {
    let mut counts: BTreeMap<&StepPart, usize> = BTreeMap::new();
    let element = |public: &chipwright_ir::chip::Public| {
        let unmarked =
            || PartsError::Unmarked { chip: chip.name.clone(), public: public.name.clone() };
        public.part.clone().ok_or_else(unmarked)
    };
    let parts: Vec<StepPart> = chip.publics.iter().map(element).collect::<Result<_, _>>()?;
    let numbered = parts.iter().map(|part| {
        let count = counts.entry(part).or_insert(0);
        *count += 1;
        (part.clone(), *count - 1)
    });
    Ok(numbered.collect())
}

fn counted(
    mut counts: BTreeMap<StepPart, usize>,
    (part, _): (StepPart, usize),
) -> BTreeMap<StepPart, usize> {
    *counts.entry(part).or_insert(0) += 1;
    counts
}

fn of_parts<P: RecursiveField>(
    of: Given,
    expected: &BTreeMap<String, usize>,
    parts: &Parts,
) -> Result<Vec<P::Base>, PartsError> {
    for (index, (part, _)) in parts.0.iter().enumerate() {
        let part = part.clone();
        if !expected.contains_key(&part) {
            return Err(PartsError::Surplus { of, part, problem: "is none of the machine's" });
        }
        if parts.0[..index].iter().any(|(other, _)| *other == part) {
            return Err(PartsError::Surplus { of, part, problem: "is given twice" });
        }
    }
    let mut elements = Vec::new();
    for (part, &expected) in expected {
        let missing = || PartsError::Missing { of, part: part.clone() };
        let values = parts.get(part).ok_or_else(missing)?;
        if values.len() != expected {
            let (part, found) = (part.clone(), values.len());
            return Err(PartsError::Length { of, part, expected, found });
        }
        for &value in values {
            let element = canonical_element::<P::Base>(value);
            let not_canonical = |error| PartsError::NotCanonical { of, part: part.clone(), error };
            elements.push(element.map_err(not_canonical)?);
        }
    }
    Ok(elements)
}

/// The public values of a machine's chips for a step, by chip.
pub(super) fn publics(
    machine: &Machine,
    common: &Parts,
    before: &Parts,
    after: &Parts,
) -> Result<Vec<(String, Vec<u64>)>, PartsError> {
    let mut publics = Vec::new();
    for chip in machine.chips.iter().filter(|chip| !chip.publics.is_empty()) {
        let value = |(StepPart { role, name: part }, index): (StepPart, usize)| {
            let (of, parts) = match role {
                StepRole::Common => (Given::Common, common),
                StepRole::Before => (Given::State, before),
                StepRole::After => (Given::State, after),
            };
            let value = parts.get(&part).and_then(|values| values.get(index)).copied();
            value.ok_or(PartsError::Missing { of, part })
        };
        let values = elements(chip)?.into_iter().map(value).collect::<Result<_, _>>()?;
        publics.push((chip.name.clone(), values));
    }
    Ok(publics)
}

#[cfg(test)]
mod tests {
    use chipwright_ir::chip::parse::parse_machine;
    use chipwright_ir::field::Goldilocks2;

    use super::*;

    /// A machine of chips `a` and `b` with these public values.
    fn machine(a: &str, b: &str) -> Machine {
        let chip = |name: &str, publics: &str| {
            let lines = publics.split(';').map(|public| format!("    public {public}\n"));
            let lines: String = lines.collect();
            format!(
                "  chip {name} over goldilocks^2, dense {{\n    x: record felt c0\n{lines}  }}\n"
            )
        };
        let text = format!("machine m over goldilocks^2 {{\n{}{}}}", chip("a", a), chip("b", b));
        parse_machine(&text).expect("a machine")
    }

    fn error(a: &str, b: &str) -> String {
        StepShape::of(&machine(a, b)).expect_err("no step").to_string()
    }

    #[test]
    fn public_values_that_make_no_step_are_refused() {
        assert_eq!(
            error("p, before n; q, after n; r", "c, common c"),
            "public value `r` of chip `a` is neither common to all steps nor of the state before or after; write \
             `#[public(common)]`, `#[public(before = \"..\")]` or `#[public(after = \"..\")]`"
        );
        assert_eq!(
            error("p, before n; q, after n; r, after m", "c, common c"),
            "part `m` has 0 values in the state before a step, and 1 in the state after"
        );
        assert_eq!(
            error("p, before n; q, before n; r, after n", "c, common c"),
            "part `n` has 2 values in the state before a step, and 1 in the state after"
        );
        assert_eq!(
            error("p, before n; q, after n; c, common c", "c, common c; d, common c"),
            "chip `b` has 2 values of the part `c` (common), another chip 1"
        );
    }

    #[test]
    fn a_part_that_two_chips_have_is_compared_and_hashed_once() {
        let machine =
            machine("c, common c; p, before n; q, after n", "q, before n; r, before m; s, after m");
        let shape = StepShape::of(&machine).expect("a step");
        let values = step_values(&machine.chips).expect("a step");
        // By name: `m` before `n`.
        let expected = StepValues::new(vec![0], vec![4, 1], vec![5, 2]).expect("states of two");
        assert_eq!(values, expected.with_equal(vec![(1, 3)]));
        assert_eq!(shape.difference(&shape), None);
        let other = StepShape::of(&self::machine("c, common c; p, before n", "q, after n"));
        assert_eq!(shape.difference(&other.expect("a step")), Some("m".to_owned()));
    }

    #[test]
    fn parts_are_given_by_name_whatever_their_order() {
        let machine = machine("p, before n; q, after n; c, common c", "r, before m; s, after m");
        let shape = StepShape::of(&machine).expect("a step");
        let state = |parts: Parts| shape.state::<Goldilocks2>(&parts).map_err(|e| e.to_string());
        let whole = Parts::new().with("n", [1]).with("m", [2]);
        assert_eq!(state(whole.clone()), state(Parts::new().with("m", [2]).with("n", [1])));
        assert!(state(whole.clone()).is_ok());
        for (parts, message) in [
            (Parts::new().with("n", [1]), "part `m` of a state is missing"),
            (whole.clone().with("k", [1]), "part `k` of a state is none of the machine's"),
            (whole.with("n", [1]), "part `n` of a state is given twice"),
            (
                Parts::new().with("n", [1, 2]).with("m", [3]),
                "part `n` of a state has 2 values, the machine's public values are 1",
            ),
            (
                Parts::new().with("n", [0xffff_ffff_0000_0001]).with("m", [3]),
                "part `n` of a state: 18446744069414584321 is not below the modulus 18446744069414584321",
            ),
        ] {
            assert_eq!(state(parts), Err(message.to_owned()));
        }
        assert_eq!(
            shape.common::<Goldilocks2>(&Parts::new()).map_err(|error| error.to_string()),
            Err("part `c` of the common values is missing".to_owned())
        );
        // By chip, in the order of the declarations.
        let common = Parts::new().with("c", [9]);
        let [before, after] =
            [1, 3].map(|value| Parts::new().with("n", [value]).with("m", [value + 1]));
        assert_eq!(
            publics(&machine, &common, &before, &after),
            Ok(vec![("a".to_owned(), vec![1, 3, 9]), ("b".to_owned(), vec![2, 4])])
        );
    }
}
