//! How the large tables of a graph grow: by an eighth, because doubling wastes up to half of a table and, while
//! it is copied, as much again.

const FIRST: usize = 1024;

/// Makes room for `more` elements.
pub(crate) fn make_room<T>(table: &mut Vec<T>, more: usize) {
    if table.capacity() - table.len() < more {
        table.reserve_exact(more + table.len() / 8 + FIRST);
    }
}
