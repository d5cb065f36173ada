//! System calls of the zero-knowledge machine: Ziren's, so that programs built for it can be executed.
//!
//! The number is in `$v0`, arguments are in `$a0` to `$a2`, a result goes to `$v0`, which else stays as it is. Numbers from 4000
//! on are those of Linux. Any call ends what `ll` linked.

use chipwright_mips_isa::{A0, A1, A2, V0};

use super::fault::Fault;
use super::linux;
use super::observe::Observer;
use super::state::{Demand, MESSAGE};
use super::step::{Next, Step};

const HALT: u32 = 0;
const WRITE: u32 = 2;
const ENTER_UNCONSTRAINED: u32 = 3;
const COMMIT: u32 = 0x10;
const COMMIT_DEFERRED: u32 = 0x1a;
const VERIFY: u32 = 0x1b;
const HINT_LEN: u32 = 0xf0;
const HINT_READ: u32 = 0xf1;

/// The greatest number of bytes that one call writes: a call is one instruction, whose time is bounded.
const LONGEST_WRITE: u32 = 1 << 24;

impl<O: Observer> Step<'_, O> {
    /// Executes a system call.
    #[inline(never)]
    pub(super) fn call(&mut self) -> Result<Next, Fault> {
        let number = self.state.get(V0);
        let [a, b, c] = [A0, A1, A2].map(|register| self.state.get(register));
        let next = match number {
            HALT => Next::Exit(a),
            WRITE => {
                self.write(a, b, c)?;
                Next::Follow
            }
            // The program takes the path that is proven.
            ENTER_UNCONSTRAINED => {
                self.state.set(V0, 0);
                Next::Follow
            }
            COMMIT => self.commit(a, b)?,
            COMMIT_DEFERRED if b == 0 => Next::Follow,
            COMMIT_DEFERRED => return Err(Fault::Deferred { word: b }),
            VERIFY => {
                let demand = Demand { key: self.words(a)?, committed: self.words(b)? };
                self.state.demanded.push(demand);
                Next::Follow
            }
            HINT_LEN => {
                let length = self.hint()?.len();
                self.state.set(V0, length as u32);
                Next::Follow
            }
            HINT_READ => self.read_hint(a, b)?,
            linux::FIRST.. => self.linux(number)?,
            _ => return Err(Fault::UnknownCall { number }),
        };
        self.state.link = 0;
        Ok(next)
    }

    /// Shows bytes of memory to the observer.
    pub(super) fn write(&mut self, descriptor: u32, address: u32, bytes: u32) -> Result<(), Fault> {
        if !(1..=3).contains(&descriptor) {
            return Err(Fault::Descriptor { descriptor });
        }
        if bytes > LONGEST_WRITE {
            return Err(Fault::LongWrite { bytes, limit: LONGEST_WRITE });
        }
        let mut text = Vec::new();
        let end = u64::from(address) + u64::from(bytes);
        let mut at = u64::from(address & !3);
        while at < end {
            let word = self.load(at as u32)?.to_le_bytes();
            let first = u64::from(address).saturating_sub(at) as usize;
            let last = (end - at).min(4) as usize;
            text.extend(&word[first..last]);
            at += 4;
            if at >> 32 != 0 && at < end {
                return Err(Fault::BadAddress { address: at as u32 });
            }
        }
        if descriptor == 2 {
            let message = &mut self.state.message;
            message.extend(&text);
            message.drain(..message.len().saturating_sub(MESSAGE));
        }
        self.observer.output(descriptor, &text);
        Ok(())
    }

    /// Puts bytes into memory. Other bytes of the words that they are in stay.
    pub(super) fn read_into(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        if u64::from(address) + bytes.len() as u64 > 1 << 32 {
            return Err(Fault::BadAddress { address });
        }
        let (mut address, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let first = address % 4;
            let (now, after) = rest.split_at(rest.len().min(4 - first as usize));
            let (mut value, mut mask) = (0, 0);
            for (i, &byte) in (first..).zip(now) {
                value |= u32::from(byte) << (8 * i);
                mask |= 0xff << (8 * i);
            }
            self.store_bits(address, value, mask)?;
            address = address.wrapping_add(now.len() as u32);
            rest = after;
        }
        Ok(())
    }

    /// Eight words of memory.
    fn words(&mut self, address: u32) -> Result<[u32; 8], Fault> {
        if !address.is_multiple_of(4) {
            return Err(Fault::Unaligned { address, size: 4 });
        }
        let mut words = [0; 8];
        for (i, word) in (0..).zip(&mut words) {
            let Some(address) = address.checked_add(4 * i) else {
                return Err(Fault::BadAddress { address });
            };
            *word = self.load(address)?;
        }
        Ok(words)
    }

    fn commit(&mut self, index: u32, now: u32) -> Result<Next, Fault> {
        let slot = self.state.committed.get_mut(index as usize);
        let slot = slot.ok_or(Fault::CommitIndex { index })?;
        match *slot.get_or_insert(now) {
            before if before == now => Ok(Next::Follow),
            before => Err(Fault::Recommitted { index, before, now }),
        }
    }

    /// The next buffer of the input.
    fn hint(&self) -> Result<&'_ [u8], Fault> {
        let buffers = &self.input.buffers;
        let buffer = buffers.get(self.state.hints);
        buffer.map(Vec::as_slice).ok_or(Fault::NoHint { given: buffers.len() })
    }

    fn read_hint(&mut self, address: u32, asked: u32) -> Result<Next, Fault> {
        if !address.is_multiple_of(4) {
            return Err(Fault::Unaligned { address, size: 4 });
        }
        let given = self.hint()?.len();
        if given != asked as usize {
            return Err(Fault::HintLength { asked, given });
        }
        let input = self.input;
        self.read_into(address, &input.buffers[self.state.hints])?;
        self.state.hints += 1;
        Ok(Next::Follow)
    }
}
