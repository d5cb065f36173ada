//! Work on the items of an iterator while it goes on: several at once, with results in order.
//!
//! Each worker takes the next item when it is done with the one before. So there are never more items than workers, and
//! how long an item takes decides neither what comes of it nor where its result stands.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// The iterator, which one worker at a time asks for an item.
struct Source<I> {
    items: I,
    taken: usize,
    ended: bool,
}

impl<T, E, I: Iterator<Item = Result<T, E>>> Source<I> {
    /// The next item with its number. After an error there are no more.
    fn next(&mut self) -> Option<(usize, Result<T, E>)> {
        if self.ended {
            return None;
        }
        let item = self.items.next();
        self.ended = !matches!(item, Some(Ok(_)));
        self.taken += usize::from(item.is_some());
        item.map(|item| (self.taken - 1, item))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The results of `work` on all items, `workers` at once.
///
/// ```
/// use chipwright_recursion::shard::in_order;
///
/// let items = (1..5).map(Ok::<u64, String>);
/// assert_eq!(in_order(items, 2, |number, item| Ok(number as u64 * item)), Ok(vec![0, 2, 6, 12]));
/// ```
///
/// Workers are threads of their own and not tasks of a pool: while one of them waits for the iterator, it must not be
/// given the work of another.
///
/// # Errors
///
/// The error of the first item that has one, in the order of items.
pub fn in_order<T, R: Send, E: Send>(
    items: impl Iterator<Item = Result<T, E>> + Send,
    workers: usize,
    work: impl Fn(usize, T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let source = Mutex::new(Source { items, taken: 0, ended: false });
    let results = Mutex::new(Vec::new());
    let take = || lock(&source).next();
    let run = || {
        while let Some((number, item)) = take() {
            let result = item.and_then(|item| work(number, item));
            if result.is_err() {
                lock(&source).ended = true;
            }
            lock(&results).push((number, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(run);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_are_in_order_however_long_each_takes() {
        let items = (0..20_u64).map(Ok::<u64, ()>);
        let results = in_order(items, 4, |_, item| {
            thread::sleep(Duration::from_micros((20 - item) * 100));
            Ok(item * item)
        });
        assert_eq!(results, Ok((0..20).map(|item| item * item).collect()));
    }

    #[test]
    fn there_are_never_more_items_than_workers() {
        let (live, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items = (0..50).map(|item| {
            most.fetch_max(live.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            Ok::<usize, ()>(item)
        });
        let results = in_order(items, 3, |_, item| {
            thread::sleep(Duration::from_micros(50));
            live.fetch_sub(1, Ordering::SeqCst);
            Ok(item)
        });
        assert_eq!(results.map(|results| results.len()), Ok(50));
        assert!(most.into_inner() <= 3);
    }

    #[test]
    fn the_first_error_in_order_is_told_and_ends_the_work() {
        let asked = AtomicUsize::new(0);
        let items = (0..1000).map(|item| {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(item)
        });
        // The second error is found before the first one.
        let results = in_order(items, 2, |_, item: usize| match item {
            4 => {
                thread::sleep(Duration::from_millis(20));
                Err(4)
            }
            5 => Err(5),
            item => Ok(item),
        });
        assert_eq!(results, Err(4));
        assert!(asked.into_inner() < 1000);
    }
}
