//! Shards are cut on the thread that asks for a proof, and proven by others at the same time.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::ProveError;
use super::shards::{Shard, Shards};
use crate::Observer;

/// What is made of the shards of a run while they are cut: no more than one is waiting for whoever takes it. The first that
/// cannot be cut is the last.
pub(super) fn while_cut<O: Observer, R: Send>(
    shards: &mut Shards<'_, O>,
    work: impl FnOnce(Receiver<Result<Shard, ProveError>>) -> R + Send,
) -> R {
    thread::scope(|scope| {
        let (send, receive) = sync_channel(0);
        let work = scope.spawn(move || work(receive));
        for shard in shards {
            // Nobody takes it if something went wrong, which the others tell.
            if send.send(shard).is_err() {
                break;
            }
        }
        drop(send);
        work.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
