//! A port is marked `#[port]`, and nothing else is.
use chipwright_dsl::prelude::*;

#[message]
struct Pair {
    x: Felt,
}

#[chip]
struct Ports {
    x: Felt,
    unmarked: Lookup<Pair>,
    #[record]
    recorded: Send<Pair>,
    #[public]
    public: Receive<Pair>,
    #[port]
    felt: Felt,
    #[port]
    array: [Lookup<Pair>; 2],
    #[port]
    #[len(2)]
    several: Provide<Pair>,
    #[port(buss = "pairs")]
    misspelt: Lookup<Pair>,
    #[port(bus = pairs)]
    unquoted: Lookup<Pair>,
    #[port(bus = "Pairs")]
    camel: Lookup<Pair>,
    #[port = "pairs"]
    assigned: Lookup<Pair>,
}

fn main() {}
