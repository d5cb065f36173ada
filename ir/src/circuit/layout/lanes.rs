//! Dealing the rows of a table to lanes: copies of its chip, each of which holds as many rows as the
//! common height.

use std::ops::Range;

use super::LayoutError;
use crate::circuit::rows::RowOp;
use crate::circuit::tables::Table;

/// The rows that stay together, in order: those of a call, or a single one.
fn blocks(table: &Table) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for (index, row) in table.rows.iter().enumerate() {
        match (row.op, blocks.last_mut()) {
            (RowOp::Call { row: 1.., .. }, Some(block)) => block.end = index + 1,
            _ => blocks.push(index..index + 1),
        }
    }
    blocks
}

/// The rows of every lane: each block to the first lane that has room, the longest blocks first. There are
/// as many lanes as it takes; the rows of a lane are in the order of the table.
pub(in crate::circuit) fn deal(
    table: &Table,
    height: usize,
) -> Result<Vec<Vec<usize>>, LayoutError> {
    let mut blocks = blocks(table);
    if let Some(block) = blocks.iter().find(|block| block.len() > height) {
        let (table, rows) = (table.kind.clone(), block.len());
        return Err(LayoutError::Call { table, rows, height });
    }
    blocks.sort_by_key(|block| std::cmp::Reverse(block.len()));
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    // Blocks do not get longer, so a lane without room for the smallest one is done with.
    let smallest = blocks.last().map_or(1, Range::len);
    let mut open = 0;
    for block in blocks {
        while lanes.get(open).is_some_and(|lane| lane.len() + smallest > height) {
            open += 1;
        }
        let room = |lane: &Vec<usize>| lane.len() + block.len() <= height;
        match lanes[open..].iter().position(room) {
            Some(lane) => lanes[open + lane].extend(block),
            None => lanes.push(block.collect()),
        }
    }
    for lane in &mut lanes {
        lane.sort_unstable();
    }
    Ok(lanes)
}
