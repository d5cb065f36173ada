//! Generic code that is compiled once.
//!
//! An optimising compiler shares no instances of generic code between crates: each crate that proves over a field would
//! compile the whole prover for it, each test program again. So what is large and generic over a field is an entry of a
//! sealed trait, whose instances are compiled in the crate that writes them, and whoever is generic over the field calls
//! these. [`compiled_for!`](crate::compiled_for) writes such a trait.

use crate::circuit::{
    Assembly, Environment, Graph, Inputs, Schedule, Slots, Witness, WitnessError,
};
use crate::field::{FieldPair, Goldilocks2, Goldilocks3, KoalaBear4, KoalaBear5};
use crate::machine::fill::{FillErrors, FillOptions, fill_generic};
use crate::machine::{Machine, MachineInput, MachineTrace, Report, check::check_over};

/// Declares a trait of functions whose bodies are compiled for some types, here and now.
///
/// The trait is meant as a supertrait of the one that code is generic over, which `Self` satisfies in all signatures.
/// Inside of them and of the bodies, associated types are written out: `<Self as FieldPair>::Base`.
#[doc(hidden)]
#[macro_export]
macro_rules! compiled_for {
    (
        [$($field:ty),+ $(,)?]
        $(#[$meta:meta])*
        pub trait $name:ident where Self: $($bound:ident)::+ $functions:tt
    ) => {
        $crate::compiled_for!(@trait [$(#[$meta])*] $name [$($bound)::+] $functions);
        $($crate::compiled_for!(@impl $name $field, $functions);)+
    };
    (
        @trait [$(#[$meta:meta])*] $name:ident [$bound:path]
        { $(fn $function:ident $arguments:tt -> $out:ty $body:block)+ }
    ) => {
        $(#[$meta])*
        pub trait $name: Sized {
            $(#[doc(hidden)] fn $function $arguments -> $out where Self: $bound;)+
        }
    };
    (
        @impl $name:ident $field:ty,
        { $(fn $function:ident $arguments:tt -> $out:ty $body:block)+ }
    ) => {
        impl $name for $field {
            $(fn $function $arguments -> $out $body)+
        }
    };
}

type Base<P> = <P as FieldPair>::Base;
type Ext<P> = <P as FieldPair>::Ext;

compiled_for! {
    [Goldilocks2, Goldilocks3, KoalaBear4, KoalaBear5]
    /// What this crate computes over a field.
    pub trait Compiled where Self: FieldPair {
        fn fill_machine(
            machine: &Machine,
            input: &MachineInput,
            options: &FillOptions,
        ) -> Result<MachineTrace<Base<Self>>, FillErrors> {
            fill_generic::<Self>(machine, input, options)
        }

        fn check_trace(machine: &Machine, trace: &MachineTrace<Base<Self>>) -> Report {
            check_over(machine, trace)
        }

        fn interpret_graph(
            graph: &Graph,
            inputs: &Inputs,
            environment: Environment<'_>,
        ) -> Result<Vec<Ext<Self>>, WitnessError> {
            graph.interpret_generic::<Self>(inputs, environment)
        }

        fn execute_slots(
            slots: &Slots,
            schedule: &Schedule,
            inputs: &Inputs,
            environment: Environment<'_>,
        ) -> Result<Witness<Self>, WitnessError> {
            slots.execute_generic(schedule, inputs, environment)
        }

        fn machine_input(assembly: &Assembly, witness: &Witness<Self>) -> MachineInput {
            assembly.input_generic(witness)
        }
    }
}
