//! System calls of Linux (o32) that programs of compilers make though they only compute.
//!
//! Every result follows from the state: there is one process with one thread and no files, it is always the same time, and
//! randomness is a fixed sequence. What a program of this kind does not need is an unknown call.

use chipwright_mips_isa::{A0, A1, A2, A3, V0};

use super::calls::LONGEST_WRITE;
use super::fault::Fault;
use super::memory::PAGE_BYTES;
use super::observe::Observer;
use super::state::MAPPED_END;
use super::step::{Next, Step};

/// The first number of Linux.
pub(super) const FIRST: u32 = 4000;

const EXIT: u32 = 4001;
const READ: u32 = 4003;
const WRITE: u32 = 4004;
const BRK: u32 = 4045;
pub(crate) const IOCTL: u32 = 4054;
pub(crate) const FCNTL: u32 = 4055;
const MMAP: u32 = 4090;
const WRITEV: u32 = 4146;
const MMAP2: u32 = 4210;
const EXIT_GROUP: u32 = 4246;
const CLOCK_GETTIME: u32 = 4263;
const SET_THREAD_AREA: u32 = 4283;
const GETRANDOM: u32 = 4353;

const ENOENT: u32 = 2;
const EBADF: u32 = 9;
const EINVAL: u32 = 22;
const ENOTTY: u32 = 25;
const ENOSYS: u32 = 89;

const MAP_FIXED: u32 = 0x10;
const MAP_ANONYMOUS: u32 = 0x800;

/// `F_GETFL`, of `fcntl`.
const GET_FLAGS: u32 = 3;

/// The most buffers of `writev`.
const BUFFERS: u32 = 1024;

/// The calls whose answer is always the same, with the result or the number of the error.
pub(crate) const ANSWERS: &[(u32, Result<u32, u32>)] = &[
    // open, readlink, openat, readlinkat: there are no files.
    (4005, Err(ENOENT)),
    (4085, Err(ENOENT)),
    (4288, Err(ENOENT)),
    (4298, Err(ENOENT)),
    // getpid, gettid, set_tid_address.
    (4020, Ok(1)),
    (4222, Ok(1)),
    (4252, Ok(1)),
    // getuid, getgid, geteuid, getegid.
    (4024, Ok(1000)),
    (4047, Ok(1000)),
    (4049, Ok(1000)),
    (4050, Ok(1000)),
    // close, munmap, mprotect, sched_yield, rt_sigaction, rt_sigprocmask, sigaltstack, madvise.
    (4006, Ok(0)),
    (4091, Ok(0)),
    (4125, Ok(0)),
    (4162, Ok(0)),
    (4194, Ok(0)),
    (4195, Ok(0)),
    (4206, Ok(0)),
    (4218, Ok(0)),
    // set_robust_list, prlimit64, statx, rseq: newer than programs may rely on.
    (4309, Err(ENOSYS)),
    (4338, Err(ENOSYS)),
    (4366, Err(ENOSYS)),
    (4367, Err(ENOSYS)),
];

/// What `ioctl` answers: there is no terminal.
pub(crate) fn ioctl(descriptor: u32) -> Result<u32, u32> {
    Err(if descriptor <= 2 { ENOTTY } else { EBADF })
}

/// What `fcntl` answers: descriptor 0 is for reading, 1 and 2 are for writing, and none can be changed.
pub(crate) fn fcntl(descriptor: u32, command: u32) -> Result<u32, u32> {
    match (descriptor, command) {
        (0..=2, GET_FLAGS) => Ok(u32::from(descriptor != 0)),
        (0..=2, _) => Err(EINVAL),
        _ => Err(EBADF),
    }
}

/// A call whose answer is always the same.
fn answer(number: u32) -> Option<Result<u32, u32>> {
    ANSWERS.iter().find(|(call, _)| *call == number).map(|&(_, answer)| answer)
}

impl<O: Observer> Step<'_, O> {
    /// Executes a call of Linux: `$a3` says whether it failed, `$v0` holds the result or the number of the error.
    pub(super) fn linux(&mut self, number: u32) -> Result<Next, Fault> {
        let [a, b, c] = [A0, A1, A2].map(|register| self.state.get(register));
        let result = match number {
            EXIT | EXIT_GROUP => return Ok(Next::Exit(a & 0xff)),
            READ if a == 0 => Ok(self.read(b, c)?),
            WRITE if (1..=3).contains(&a) => {
                self.write(a, b, c)?;
                Ok(c)
            }
            WRITEV if (1..=3).contains(&a) && c <= BUFFERS => Ok(self.write_buffers(a, b, c)?),
            BRK => Ok(self.set_heap_end(a)?),
            MMAP | MMAP2 => self.map(b, self.state.get(A3))?,
            IOCTL => ioctl(a),
            FCNTL => fcntl(a, b),
            READ | WRITE | WRITEV => Err(EBADF),
            CLOCK_GETTIME => {
                self.read_into(b, &[0; 8])?;
                Ok(0)
            }
            SET_THREAD_AREA => {
                self.state.thread_pointer = a;
                Ok(0)
            }
            GETRANDOM => Ok(self.random(a, b)?),
            _ => answer(number).ok_or(Fault::UnknownCall { number })?,
        };
        self.state.set(A3, u32::from(result.is_err()));
        self.state.set(
            V0,
            match result {
                Ok(value) | Err(value) => value,
            },
        );
        Ok(Next::Follow)
    }

    /// Reads from the first buffer of the input.
    fn read(&mut self, address: u32, most: u32) -> Result<u32, Fault> {
        let input = self.input;
        let all = input.buffers.first().map(Vec::as_slice).unwrap_or_default();
        let rest = all.get(self.state.read..).unwrap_or_default();
        let bytes = &rest[..rest.len().min(most as usize)];
        self.read_into(address, bytes)?;
        self.state.read += bytes.len();
        Ok(bytes.len() as u32)
    }

    fn write_buffers(&mut self, descriptor: u32, list: u32, count: u32) -> Result<u32, Fault> {
        if !list.is_multiple_of(4) {
            return Err(Fault::Unaligned { address: list, size: 4 });
        }
        let mut written = 0_u32;
        for i in 0..count {
            let entry = list.wrapping_add(8 * i);
            let (address, length) = (self.load(entry)?, self.load(entry.wrapping_add(4))?);
            written = written.saturating_add(length);
            if written > LONGEST_WRITE {
                return Err(Fault::LongWrite { bytes: written, limit: LONGEST_WRITE });
            }
            self.write(descriptor, address, length)?;
        }
        Ok(written)
    }

    /// Moves the end of the heap, unless it is asked for with zero or moved down.
    fn set_heap_end(&mut self, to: u32) -> Result<u32, Fault> {
        let end = self.state.heap_end;
        if to > end {
            // Nothing is known of where the mappings of a large program begin but that they are above its heap.
            if to > self.state.mapped_end.min(MAPPED_END) {
                return Err(Fault::HeapExhausted { end, asked: to - end });
            }
            self.state.heap_end = to;
        }
        Ok(self.state.heap_end)
    }

    /// Maps fresh memory. Where the program would like to have it does not matter.
    fn map(&mut self, length: u32, protection_and_flags: u32) -> Result<Result<u32, u32>, Fault> {
        let flags = protection_and_flags;
        if flags & MAP_ANONYMOUS == 0 {
            return Ok(Err(EBADF));
        }
        if length == 0 || flags & MAP_FIXED != 0 {
            return Ok(Err(EINVAL));
        }
        let end = self.state.mapped_end;
        let after =
            end.checked_add(length).and_then(|after| after.checked_next_multiple_of(PAGE_BYTES));
        match after.filter(|&after| after <= MAPPED_END) {
            Some(after) => {
                self.state.mapped_end = after;
                Ok(Ok(end))
            }
            None => Err(Fault::HeapExhausted { end, asked: length }),
        }
    }

    /// Fills a buffer with bytes that look random, and are the same in every run.
    fn random(&mut self, address: u32, most: u32) -> Result<u32, Fault> {
        let bytes: Vec<u8> =
            (self.state.random..).take(most.min(256) as usize).map(scrambled).collect();
        self.read_into(address, &bytes)?;
        self.state.random += bytes.len() as u64;
        Ok(bytes.len() as u32)
    }
}

/// A byte of the sequence of [Steele, Lea and Flood's generator](https://doi.org/10.1145/2714064.2660195), splitmix64.
fn scrambled(index: u64) -> u8 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31) as u8
}
