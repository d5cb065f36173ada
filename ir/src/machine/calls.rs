//! Answering what fills ask of the machine: calls of other chips, and accesses of memories.

use p3_field::PrimeField64;

use super::desk::Desk;
use super::fill::{FillError, Filler};
use crate::chip::interpret::{Services, Site};
use crate::chip::{Chip, FillOp, PortId, Section};

/// Answers the fills of one chip.
pub(super) struct Clerk<'a, 'm, F> {
    pub(super) filler: &'a mut Filler<'m, F>,
    pub(super) chip: &'a Chip,
}

impl<F: PrimeField64> Services for Clerk<'_, '_, F> {
    fn call(&mut self, site: Site, port: PortId, inputs: &[u64], outputs: &mut [u64]) -> bool {
        let answer = self.filler.answer(self.chip, port, inputs, outputs);
        let Err(mut error) = answer else { return true };
        if let FillError::NoEntry { row, .. } = &mut error {
            if self.filler.forging {
                return false;
            }
            *row = site.row;
        }
        self.filler.errors.push(error);
        false
    }

    fn access(
        &mut self,
        _: Site,
        port: PortId,
        address: &[u64],
        time: u64,
        write: Option<&[u64]>,
        previous: &mut [u64],
    ) -> Option<u64> {
        let memory = self.filler.memories.get_mut(self.chip.ports[port.index()].bus.as_str())?;
        Some(memory.access(address, time, write, previous))
    }

    fn native_failed(&mut self, site: Site, message: String) {
        if self.filler.forging {
            return;
        }
        let function = match &self.chip.fills[site.fill].op {
            FillOp::Native { function, .. } => function.name.clone(),
            _ => String::new(),
        };
        let (chip, row) = (self.chip.name.clone(), site.row);
        self.filler.errors.push(FillError::Native { chip, row, function, reason: message });
    }
}

impl<F: PrimeField64> Filler<'_, F> {
    /// Answers a call: the elements of the provider's message after the arguments.
    fn answer(
        &mut self,
        caller: &Chip,
        port: PortId,
        inputs: &[u64],
        outputs: &mut [u64],
    ) -> Result<(), FillError> {
        let port = &caller.ports[port.index()];
        let name = |text: &String| text.clone();
        let Some(provider) = self.providers.get(port.bus.as_str()) else {
            let (chip, port, bus) = (name(&caller.name), name(&port.name), name(&port.bus));
            return Err(FillError::NoTable { chip, port, bus });
        };
        let (index, interaction) = (provider.chip, provider.interaction);
        let chip = &self.machine.chips[index];
        let message = &chip.interactions[interaction].message;
        let fits = message.len() == inputs.len() + outputs.len()
            && (!provider.callable || provider.inputs.len() == inputs.len());
        if !fits {
            return Err(FillError::CallShape {
                chip: name(&caller.name),
                port: name(&port.name),
                provider: name(&chip.name),
                inputs: provider.inputs.len(),
                width: message.len(),
                arguments: inputs.len(),
                results: outputs.len(),
            });
        }
        let callable = provider.callable;
        let input_positions = provider.inputs.clone();
        let Some(mut desk) = self.desks[index].take() else {
            return Err(FillError::CallCycle { chip: name(&chip.name) });
        };
        let row = if callable {
            Some(self.called_row(chip, &mut desk, interaction, inputs, &input_positions))
        } else {
            let provider = &self.providers[port.bus.as_str()];
            desk.entry(chip, provider, inputs)
        };
        let result = if let Some(row) = row {
            let provider = &self.providers[port.bus.as_str()];
            desk.evaluate(chip, &provider.outputs, row);
            for (output, node) in outputs.iter_mut().zip(&message[inputs.len()..]) {
                *output = desk.slots.field(*node).as_canonical_u64();
            }
            Ok(())
        } else {
            let (chip, port_name) = (name(&caller.name), name(&port.name));
            let (bus, tuple) = (name(&port.bus), inputs.to_vec());
            Err(FillError::NoEntry { chip, port: port_name, row: 0, bus, tuple })
        };
        self.desks[index] = Some(desk);
        result
    }

    /// The row of a called chip for the given arguments: an earlier one, or a new one.
    fn called_row(
        &mut self,
        chip: &Chip,
        desk: &mut Desk<F>,
        interaction: usize,
        inputs: &[u64],
        positions: &[usize],
    ) -> usize {
        if let Some(row) = desk.answers.entry(interaction).or_default().get(inputs) {
            return *row;
        }
        let row = desk.rows;
        desk.rows += 1;
        desk.values.resize(desk.rows * desk.width, F::ZERO);
        let cells = &mut desk.values[row * desk.width..];
        for (position, value) in positions.iter().zip(inputs) {
            cells[*position] = F::from_u64(*value);
        }
        if let Some(real) = desk.real {
            cells[real] = F::ONE;
        }
        desk.pin(row);
        desk.run(chip, Section::Row, row, &mut Clerk { filler: self, chip });
        desk.answers.entry(interaction).or_default().insert(inputs, row);
        row
    }
}
