//! Calls that do no more than answer.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{A0, A1, V0};

use super::{Call, CallChip, InputWordRecord, Returning};
use crate::execute::{ANSWERS, FCNTL, IOCTL, fcntl, ioctl};
use crate::machine::access::Accesses;
use crate::machine::bus::{Instruction, WORD, is_word};

/// What calls answer.
#[derive(Debug, Columns)]
pub struct Reply {
    /// The number of the call.
    pub number: Felt,
    /// Whether the answer is one about a descriptor, `$a0`.
    pub about: Felt,
    /// The descriptor.
    pub descriptor: Felt,
    /// Whether the answer is one to a command, `$a1`.
    pub commanded: Felt,
    /// The command.
    pub command: Felt,
    /// What `$v0` is besides what follows.
    pub constant: Felt,
    /// Whether `$v0` stays.
    pub stays: Felt,
    /// Whether `$v0` is `$a2`: all bytes were written.
    pub all: Felt,
    /// Whether `$v0` is what the prover says.
    pub hinted: Felt,
    /// Whether `$a3` says if the call failed.
    pub linux: Felt,
    /// Whether it did.
    pub failed: Felt,
}

/// An entry of the table of answers.
#[message]
pub struct Replies {
    /// What it says.
    pub reply: Reply,
}

/// The table of answers.
#[chip]
pub struct Answers {
    #[fixed]
    reply: Reply,
    #[port(bus = "replies")]
    table: Provide<Replies>,
}

/// A call that changes nothing but `$v0` and `$a3`: what is written is shown, and not proven.
///
/// # Soundness
///
/// What is answered follows from number and arguments, by the table, but for `HINT_LEN`: there, any word.
#[chip]
pub struct Answer {
    #[record]
    pub call: Returning,
    #[record]
    pub reply: Reply,
    /// What the prover says, if it is asked.
    #[free("it is only added where the prover may say what it likes")]
    #[record]
    pub hint: Felt,
    /// The lower half of the hint.
    low: U16,
    #[port(bus = "replies")]
    replies: Lookup<Replies>,
    #[ports]
    ports: Instruction,
}

impl Chip for Answers {
    fn row(c: &Builder, row: &Row<Self>) {
        c.provide(row.table, Replies { reply: row.reply });
    }

    fn fixed(_: Field) -> Vec<AnswersFixed> {
        replies().into_iter().map(|reply| AnswersFixed { reply }).collect()
    }
}

impl Chip for Answer {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AnswerRow { call, reply, hint, low, replies, ports } = row;
        let [a0, a1, a2] = call.arguments.map(|argument| argument.value);
        c.lookup(replies, Replies { reply });
        c.assert_eq(call.number.value, reply.number).named("the answer is one to the call");
        c.assert_eq(reply.about * a0, reply.descriptor).named("and about the descriptor");
        c.assert_eq(reply.commanded * a1, reply.command).named("and to the command");
        c.fill(low, hint.int() & 0xffff);
        is_word(c, hint, low);
        let result =
            reply.constant + reply.stays * call.number.value + reply.all * a2 + reply.hinted * hint;
        let failed = call.failed.value + reply.linux * (reply.failed - call.failed.value);
        call.returns(c, ports, result, failed);
    }
}

impl CallChip for Answer {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        _: &mut Vec<InputWordRecord>,
    ) -> Option<AnswerRecord> {
        let fits = |reply: &ReplyNative| {
            reply.number == call.number()
                && reply.about * call.argument(A0) == reply.descriptor
                && reply.commanded * call.argument(A1) == reply.command
        };
        let reply = replies().into_iter().find(fits)?;
        let hint = reply.hinted * call.result(V0);
        debug_assert!(hint < WORD as u64);
        Some(AnswerRecord { call: Returning::record(call, accesses), reply, hint })
    }
}

/// The commands of `fcntl` that are answered: none that programs use has a greater number.
const COMMANDS: u32 = 8;

/// All answers.
fn replies() -> Vec<ReplyNative> {
    let none = ReplyNative {
        number: 0,
        about: 0,
        descriptor: 0,
        commanded: 0,
        command: 0,
        constant: 0,
        stays: 0,
        all: 0,
        hinted: 0,
        linux: 0,
        failed: 0,
    };
    let mut replies = vec![
        // ENTER_UNCONSTRAINED, COMMIT_DEFERRED, HINT_LEN.
        ReplyNative { number: 3, ..none.clone() },
        ReplyNative { number: 0x1a, commanded: 1, stays: 1, ..none.clone() },
        ReplyNative { number: 0xf0, hinted: 1, ..none.clone() },
    ];
    for descriptor in 1..=3 {
        let about = ReplyNative { about: 1, descriptor, ..none.clone() };
        // WRITE, and Linux's.
        replies.push(ReplyNative { number: 2, stays: 1, ..about.clone() });
        replies.push(ReplyNative { number: 4004, all: 1, linux: 1, ..about });
    }
    let linux = |number: u32, answer: Result<u32, u32>| {
        let (constant, failed) = match answer {
            Ok(value) => (value, 0),
            Err(value) => (value, 1),
        };
        let (number, constant) = (number.into(), constant.into());
        ReplyNative { number, constant, linux: 1, failed, ..none.clone() }
    };
    replies.extend(ANSWERS.iter().map(|&(number, answer)| linux(number, answer)));
    for descriptor in 0..=2 {
        let about = |reply| ReplyNative { about: 1, descriptor: u64::from(descriptor), ..reply };
        replies.push(about(linux(IOCTL, ioctl(descriptor))));
        replies.extend((0..COMMANDS).map(|command| {
            let reply = about(linux(FCNTL, fcntl(descriptor, command)));
            ReplyNative { commanded: 1, command: command.into(), ..reply }
        }));
    }
    replies
}
