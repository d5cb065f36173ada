//! A group of ports is a struct of ports, and nothing else.
use chipwright_dsl::prelude::*;

#[message]
struct Pair {
    x: Felt,
}

#[derive(Clone, Copy, Debug, Ports)]
struct Mixed {
    x: Felt,
    #[port]
    y: [Lookup<Pair>; 2],
    #[record]
    z: Lookup<Pair>,
    #[port(bus = "Pairs")]
    w: Send<Pair>,
}

#[derive(Clone, Copy, Debug, Ports)]
struct Empty {}

#[derive(Clone, Copy, Debug, Ports)]
enum NoStruct {
    X,
}

#[chip]
struct Single {
    x: Felt,
    #[ports]
    pair: Lookup<Pair>,
}

#[chip]
struct NoGroup {
    x: Felt,
    #[ports]
    pair: Felt,
}

fn main() {}
