//! A free column says why, and only the prover's own columns can be free.
use chipwright_dsl::prelude::*;

#[message]
struct Pair {
    x: Felt,
}

#[chip]
struct Free {
    #[free]
    bare: Felt,
    #[free("")]
    empty: Felt,
    #[free(reason)]
    unquoted: Felt,
    #[free = "assigned"]
    assigned: Felt,
    #[free("one")]
    #[free("two")]
    twice: Felt,
    #[input]
    #[free("the caller chooses it")]
    input: Felt,
    #[public]
    #[free("the verifier knows it")]
    public: Felt,
    #[fixed]
    #[free("it is fixed")]
    fixed: Felt,
    #[port]
    #[free("it has no cells")]
    port: Lookup<Pair>,
}

fn main() {}
