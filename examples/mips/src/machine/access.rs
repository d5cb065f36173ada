//! What a shard knows of memory and registers while it is traced: the image at the start, and what was accessed since.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::bus::{SLOTS, Slot, SourceNative, TargetNative, number, register};
use super::field::ORDER;
use super::image::{Touched, Tree, leaf_of};
use super::memory::LEVELS;
use super::memory::RefreshRecord;

/// Memory and registers of a shard, and when they were accessed.
#[derive(Clone, Debug)]
pub struct Accesses {
    /// Memory and registers at the start.
    before: Arc<Tree>,
    /// When everything counts as accessed before the shard: just before its first cycle.
    start: u64,
    /// What was accessed: when, and what it holds.
    accessed: HashMap<u64, (u64, u64)>,
    /// The leaves that were accessed.
    touched: Touched,
    /// The accesses that bridge long times.
    refreshes: Vec<RefreshRecord>,
}

impl Accesses {
    /// Those of a shard that begins with an image at a clock.
    pub fn new(before: Arc<Tree>, clk: u64) -> Self {
        let start = (clk * SLOTS as u64 + ORDER - 1) % ORDER;
        let mut touched = Touched::new(LEVELS);
        // The end of the shard clears a register.
        touched.touch(leaf_of(register(number::SCRATCH)));
        Self { before, start, accessed: HashMap::new(), touched, refreshes: Vec::new() }
    }

    /// Memory and registers at the start.
    pub fn before(&self) -> &Tree {
        &self.before
    }

    /// When everything counts as accessed before the shard.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The leaves that were accessed.
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// What was accessed, by address: when, and what it holds.
    pub fn accessed(&self) -> BTreeMap<u64, (u64, u64)> {
        self.accessed.iter().map(|(&address, &last)| (address, last)).collect()
    }

    /// The accesses that bridge long times.
    pub fn refreshes(&self) -> &[RefreshRecord] {
        &self.refreshes
    }

    /// What a place holds.
    pub fn value(&self, address: u64) -> u64 {
        let known = self.accessed.get(&address).map(|&(_, value)| value);
        known.unwrap_or_else(|| self.before.word(address))
    }

    /// Reads a register.
    pub fn read(&mut self, register: u64, clk: u64, slot: Slot) -> SourceNative {
        let value = self.value(register);
        let elapsed = self.register(register, time(clk, slot), value);
        SourceNative { register, value, elapsed }
    }

    /// Writes a register that an instruction names.
    pub fn write(&mut self, register: u64, clk: u64, value: u64) -> TargetNative {
        let before = self.value(register);
        let elapsed = self.register(register, time(clk, Slot::Target), value);
        TargetNative { register, before, elapsed }
    }

    /// Reads and writes a register in a slot of its own: what it held, and the time since the access before, less one.
    pub fn replace(&mut self, register: u64, clk: u64, slot: Slot, value: u64) -> (u64, u16) {
        let before = self.value(register);
        (before, self.register(register, time(clk, slot), value))
    }

    /// Reads or writes a word of memory: the time since the access before, less one.
    pub fn memory(&mut self, address: u64, clk: u64, value: u64) -> [u16; 2] {
        let elapsed = self.access(address, time(clk, Slot::Memory), value);
        [elapsed as u16, (elapsed >> 16) as u16]
    }

    /// Clears the register for what is discarded, when the shard has ended: what it held, and the time since the access
    /// before, less one.
    pub fn clear(&mut self, clk: u64) -> (u64, u64) {
        let register = register(number::SCRATCH);
        (self.value(register), self.access(register, clk * SLOTS as u64, 0))
    }

    /// Accesses a word: the time since the access before, less one.
    fn access(&mut self, address: u64, time: u64, value: u64) -> u64 {
        let before = self.accessed.insert(address, (time, value));
        if before.is_none() {
            self.touched.touch(leaf_of(address));
        }
        let seen = before.map_or(self.start, |(seen, _)| seen);
        (time + ORDER - 1 - seen) % ORDER
    }

    /// Accesses a register, whose time has one digit; longer times are bridged.
    fn register(&mut self, register: u64, time: u64, value: u64) -> u16 {
        let held = self.value(register);
        let elapsed = self.access(register, time, value);
        u16::try_from(elapsed).unwrap_or_else(|_| {
            let gap = (elapsed - 1) as u32;
            let time = (time + ORDER - 1 - elapsed) % ORDER;
            self.refreshes.push(RefreshRecord { address: register, time, value: held, gap });
            0
        })
    }
}

/// When an access takes place.
const fn time(clk: u64, slot: Slot) -> u64 {
    clk * SLOTS as u64 + slot as u64
}
