//! A long table that grows without being copied.

/// Elements in boards of which none ever moves.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    boards: Vec<Vec<T>>,
}

/// Where a run of elements stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    board: u32,
    start: u32,
    len: u32,
}

impl Run {
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

const BOARD: usize = 4096;

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { boards: Vec::new() }
    }
}

impl<T> Shelf<T> {
    /// Adds a run of elements, which stay together.
    pub(crate) fn add(&mut self, elements: impl ExactSizeIterator<Item = T>) -> Run {
        let len = elements.len();
        let fits = |board: &Vec<T>| board.capacity() - board.len() >= len;
        if !self.boards.last().is_some_and(fits) {
            self.boards.push(Vec::with_capacity(len.max(BOARD)));
        }
        let board = self.boards.len() - 1;
        let last = &mut self.boards[board];
        let start = last.len();
        last.extend(elements);
        Run {
            board: narrow(board),
            start: narrow(start),
            len: narrow(len),
        }
    }

    /// The elements of a run.
    pub(crate) fn at(&self, run: Run) -> &[T] {
        let Run { board, start, len } = run;
        let [board, start, len] = [board, start, len].map(wide);
        self.boards
            .get(board)
            .map_or(&[], |board| &board[start..start + len])
    }

    /// All elements in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.boards.iter().flatten()
    }
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("memory ends before 2^32 boards or elements of a board")
}

fn wide(place: u32) -> usize {
    usize::try_from(place).expect("a place in memory fits a pointer")
}
