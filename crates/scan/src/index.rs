//! Finds in files of blocks, which are in no order, those that lead from one block of a chain to another.

use std::collections::HashMap;

use bitcoin::BlockHash;

use crate::error::FilesError;
use crate::files::{BlockFiles, Place};

/// Where blocks lie, learned from their headers from the newest file back, as far as was needed.
#[derive(Debug)]
pub struct BlockIndex<'a> {
    files: &'a BlockFiles,
    /// How many of the files, from the oldest, were not read yet.
    unread: usize,
    places: HashMap<BlockHash, Place>,
}

impl<'a> BlockIndex<'a> {
    /// An index of these files; nothing is read before the first question.
    pub fn new(files: &'a BlockFiles) -> Self {
        Self {
            files,
            unread: files.numbers().len(),
            places: HashMap::new(),
        }
    }

    /// The blocks after `from` up to `to`, in the order of the chain; none where they are the same.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read, or one of the blocks is in none: the files were pruned, `from` is no
    /// ancestor of `to`, or the node wrote on since the files were opened.
    pub fn path(&mut self, from: BlockHash, to: BlockHash) -> Result<Vec<Place>, FilesError> {
        let mut path = Vec::new();
        let mut wanted = to;
        while wanted != from {
            let place = self.place(wanted)?;
            path.push(place);
            wanted = place.previous;
        }
        path.reverse();
        Ok(path)
    }

    fn place(&mut self, hash: BlockHash) -> Result<Place, FilesError> {
        loop {
            if let Some(place) = self.places.get(&hash) {
                return Ok(*place);
            }
            let Some(last) = self.unread.checked_sub(1) else {
                return Err(FilesError::NotThere { hash });
            };
            let mut file = self.files.file(self.files.numbers()[last])?;
            while let Some(place) = file.next_place()? {
                self.places.insert(place.hash, place);
            }
            self.unread = last;
        }
    }
}
