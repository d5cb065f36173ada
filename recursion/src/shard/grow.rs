//! Binary trees that grow while their leaves are made.
//!
//! Level 1 has a node over each leaf, each further level one over two neighbours of the level below; one that is left over
//! has a node by itself. A node is made as soon as those below it are there, before more leaves are asked for. So there
//! are never more leaves than workers, and not many more nodes than levels, however many leaves there will be.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The level, counted from 1.
    pub level: usize,
    /// The node's number on its level, counted from 0.
    pub index: usize,
}

/// The number of levels of a tree with so many leaves that has at least `least` of them.
pub(super) fn height(leaves: usize, least: usize) -> usize {
    let pairs = leaves.max(1).next_power_of_two().ilog2() as usize;
    (1 + pairs).max(least)
}

/// What a worker does next.
enum Task<N> {
    /// Makes a node over others; the last one, if it is said so.
    Join(Spot, bool, Vec<N>),
    /// Asks for the next leaf.
    Take,
    /// Waits for others.
    Wait,
    /// There is nothing left to do.
    End,
}

/// A tree that grows.
struct Growing<N, E> {
    /// The tree has at least so many levels.
    least: usize,
    /// How many leaves were asked for and were there.
    taken: usize,
    /// Whether a worker asks for a leaf.
    taking: bool,
    /// Whether there are no more leaves.
    ended: bool,
    /// Nodes with none above them yet.
    ready: BTreeMap<Spot, N>,
    /// How many workers are at work.
    running: usize,
    /// The error of the first leaf that has one, and the number of that.
    error: Option<(usize, E)>,
    root: Option<N>,
}

impl<N, E> Growing<N, E> {
    fn height(&self) -> Option<usize> {
        self.ended.then(|| height(self.taken, self.least))
    }

    /// Whether a node is the last one, as soon as that is known.
    fn is_root(&self, spot: Spot) -> Option<bool> {
        match self.height() {
            Some(height) => Some(spot.level == height),
            // There are other nodes of its level, or leaves that are not below it, or levels above it.
            None => {
                let covered = 1 << (spot.level - 1);
                (spot.index > 0 || self.taken > covered || spot.level < self.least).then_some(false)
            }
        }
    }

    /// The nodes below one, if they are all there.
    fn below(&self, spot: Spot) -> Option<Vec<Spot>> {
        let level = spot.level - 1;
        let [left, right] = [0, 1].map(|place| Spot { level, index: 2 * spot.index + place });
        let is_left_over = self.ended && right.index << (level - 1) >= self.taken;
        match (self.ready.contains_key(&left), self.ready.contains_key(&right)) {
            (true, true) => Some(vec![left, right]),
            (true, false) if is_left_over => Some(vec![left]),
            _ => None,
        }
    }

    fn next(&mut self) -> Task<N> {
        if self.error.is_some() || self.root.is_some() {
            return Task::End;
        }
        let parents = self.ready.keys().rev();
        let mut parents = parents.map(|spot| Spot { level: spot.level + 1, index: spot.index / 2 });
        let join = parents.find_map(|spot| Some((spot, self.is_root(spot)?, self.below(spot)?)));
        if let Some((spot, is_root, below)) = join {
            self.running += 1;
            let below = below.iter().filter_map(|spot| self.ready.remove(spot)).collect();
            return Task::Join(spot, is_root, below);
        }
        if !self.ended && !self.taking {
            (self.taking, self.running) = (true, self.running + 1);
            return Task::Take;
        }
        if self.running == 0 { Task::End } else { Task::Wait }
    }

    fn fail(&mut self, leaf: usize, error: E) {
        if self.error.as_ref().is_none_or(|(first, _)| leaf < *first) {
            self.error = Some((leaf, error));
        }
    }
}

/// A tree that grows, and who waits for it.
struct Shared<N, E> {
    growing: Mutex<Growing<N, E>>,
    changed: Condvar,
}

/// A worker at work. One that panics leaves nobody waiting.
struct Working<'a, N, E>(&'a Shared<N, E>);

impl<N, E> Shared<N, E> {
    fn lock(&self) -> MutexGuard<'_, Growing<N, E>> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Task<N> {
        let mut growing = self.lock();
        loop {
            match growing.next() {
                Task::Wait => {
                    let woken = self.changed.wait(growing);
                    growing = woken.unwrap_or_else(PoisonError::into_inner);
                }
                task => return task,
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Growing<N, E>)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

impl<N, E> Drop for Working<'_, N, E> {
    fn drop(&mut self) {
        self.0.change(|growing| {
            growing.running -= 1;
            growing.ended |= thread::panicking();
        });
    }
}

/// The last node of the tree over some leaves, which `workers` threads make: `leaf` a node over a leaf, given its
/// number, and `join` one over the nodes below it, told whether it is the last. The tree has at least `least` levels, of which
/// there are two. `None` if there are no leaves.
///
/// # Errors
///
/// The error of the first leaf, or of the node over it, among those that were found.
pub(super) fn grow<T, N: Send, E: Send>(
    leaves: impl Iterator<Item = Result<T, E>> + Send,
    (workers, least): (usize, usize),
    leaf: impl Fn(usize, T) -> Result<N, E> + Sync,
    join: impl Fn(Spot, bool, Vec<N>) -> Result<N, E> + Sync,
) -> Result<Option<N>, E> {
    let growing = Growing {
        least: least.max(2),
        taken: 0,
        taking: false,
        ended: false,
        ready: BTreeMap::new(),
        running: 0,
        error: None,
        root: None,
    };
    let shared = Shared { growing: Mutex::new(growing), changed: Condvar::new() };
    let leaves = Mutex::new(leaves);
    let take = || {
        let item = leaves.lock().unwrap_or_else(PoisonError::into_inner).next();
        let mut taken = None;
        shared.change(|growing| {
            growing.taking = false;
            match item {
                Some(Ok(item)) => {
                    taken = Some((growing.taken, item));
                    growing.taken += 1;
                }
                Some(Err(error)) => {
                    growing.ended = true;
                    growing.fail(growing.taken, error);
                }
                None => growing.ended = true,
            }
        });
        taken
    };
    let work = || {
        loop {
            let task = shared.next();
            if matches!(task, Task::End | Task::Wait) {
                return;
            }
            let _working = Working(&shared);
            match task {
                Task::Join(spot, is_root, below) => {
                    let made = join(spot, is_root, below);
                    shared.change(|growing| match made {
                        Ok(node) if is_root => growing.root = Some(node),
                        Ok(node) => drop(growing.ready.insert(spot, node)),
                        Err(error) => growing.fail(spot.index << (spot.level - 1), error),
                    });
                }
                Task::Take => {
                    let Some((number, item)) = take() else { continue };
                    let made = leaf(number, item);
                    shared.change(|growing| match made {
                        Ok(node) => {
                            drop(growing.ready.insert(Spot { level: 1, index: number }, node));
                        }
                        Err(error) => growing.fail(number, error),
                    });
                }
                Task::Wait | Task::End => {}
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(work);
        }
    });
    let growing = shared.growing.into_inner().unwrap_or_else(PoisonError::into_inner);
    match growing.error {
        Some((_, error)) => Err(error),
        None => Ok(growing.root),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// The nodes of a tree with so many leaves, sorted, and the leaves in the order of the last one.
    fn tree(leaves: usize, workers: usize, least: usize) -> (Vec<(Spot, bool)>, Vec<usize>) {
        let nodes = Mutex::new(Vec::new());
        let items = (0..leaves).map(Ok::<usize, ()>);
        let root = grow(
            items,
            (workers, least),
            |number, item| {
                // Later leaves are done before earlier ones.
                thread::sleep(Duration::from_micros(((number * 7919) % 13) as u64 * 60));
                assert_eq!(number, item);
                Ok(vec![item])
            },
            |spot, is_root, below: Vec<Vec<usize>>| {
                thread::sleep(Duration::from_micros(
                    ((spot.index * 31 + spot.level) % 7) as u64 * 60,
                ));
                nodes.lock().unwrap().push((spot, is_root));
                Ok(below.concat())
            },
        );
        let mut nodes = nodes.into_inner().unwrap();
        nodes.sort_unstable();
        (nodes, root.unwrap().unwrap_or_default())
    }

    #[test]
    fn m_22_order_is_kept_whatever_the_timing() {
        for leaves in [1, 2, 3, 5, 8, 17, 33] {
            for workers in [1, 2, 5] {
                let (_, order) = tree(leaves, workers, 2);
                assert_eq!(order, (0..leaves).collect::<Vec<_>>(), "{workers} workers");
            }
        }
    }

    #[test]
    fn m_23_levels_halve() {
        let sizes = |leaves, least| {
            let (nodes, _) = tree(leaves, 3, least);
            let roots: Vec<Spot> =
                nodes.iter().filter(|(_, is_root)| *is_root).map(|(spot, _)| *spot).collect();
            let top = height(leaves, least);
            assert_eq!(roots, [Spot { level: top, index: 0 }]);
            let size = |level| nodes.iter().filter(|(spot, _)| spot.level == level).count();
            (2..=top).map(size).collect::<Vec<_>>()
        };
        assert_eq!(sizes(17, 3), [9, 5, 3, 2, 1]);
        assert_eq!(sizes(16, 3), [8, 4, 2, 1]);
        assert_eq!(sizes(3, 3), [2, 1]);
        assert_eq!(sizes(2, 2), [1]);
        // As high as is asked for.
        assert_eq!(sizes(2, 4), [1, 1, 1]);
        assert_eq!(sizes(1, 3), [1, 1]);
    }

    #[test]
    fn nothing_grows_of_nothing() {
        assert_eq!(tree(0, 2, 3), (Vec::new(), Vec::new()));
    }

    #[test]
    fn there_are_never_more_leaves_than_workers_nor_many_more_nodes_than_levels() {
        let (live, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let up = |by: usize| {
            most.fetch_max(live.fetch_add(by, Ordering::SeqCst) + by, Ordering::SeqCst);
        };
        let items = (0..100).map(|item| {
            up(1);
            Ok::<usize, ()>(item)
        });
        let root = grow(
            items,
            (3, 2),
            |_, _| {
                thread::sleep(Duration::from_micros(50));
                Ok(1)
            },
            |_, _, below: Vec<usize>| {
                live.fetch_sub(below.len() - 1, Ordering::SeqCst);
                Ok(below.iter().sum())
            },
        );
        assert_eq!(root, Ok(Some(100)));
        assert!(most.into_inner() <= 3 + 7 + 3);
    }

    #[test]
    fn the_error_of_a_leaf_or_node_ends_the_work() {
        let asked = AtomicUsize::new(0);
        let items = || {
            (0..1000).map(|item| {
                asked.fetch_add(1, Ordering::SeqCst);
                if item == 500 { Err(500) } else { Ok(item) }
            })
        };
        let join = |_: Spot, _: bool, _: Vec<usize>| Ok(0);
        let leaf = |_, item| if item == 4 { Err(4) } else { Ok(item) };
        assert_eq!(grow(items(), (2, 2), leaf, join), Err(4));
        assert!(asked.swap(0, Ordering::SeqCst) < 100);
        assert_eq!(grow(items(), (2, 2), |_, item| Ok(item), join), Err(500));
        assert!(asked.swap(0, Ordering::SeqCst) <= 501);
        let fails = |spot: Spot, _: bool, _: Vec<usize>| {
            if spot == (Spot { level: 2, index: 3 }) { Err(6) } else { Ok(0) }
        };
        assert_eq!(grow(items(), (2, 2), |_, item| Ok(item), fails), Err(6));
    }

    #[test]
    fn a_panic_is_passed_on_and_leaves_nobody_waiting() {
        let work = || {
            let items = (0..10).map(Ok::<usize, ()>);
            grow(
                items,
                (3, 2),
                |_, item| {
                    assert_ne!(item, 5);
                    Ok(item)
                },
                |_, _, _| Ok(0),
            )
        };
        assert!(std::panic::catch_unwind(work).is_err());
    }
}
