//! Reads blocks from the `blk*.dat` files of a Bitcoin Core node, wherever in them a block lies.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bitcoin::BlockHash;
use bitcoin::p2p::Magic;

use crate::block::{Header, MOST_BYTES};
use crate::error::FilesError;

/// Magic and length before each block.
const FRAME: u64 = 8;
/// Magic, length and the header of the block.
const HEAD: usize = 88;
/// Bytes searched at once for the next block where none begins.
const WINDOW: usize = 1 << 16;
/// Bytes read at once.
const PIECE: usize = 1 << 17;

/// The directory in which a node keeps its blocks.
///
/// Only the node knows which of them are the best chain: files hold blocks in the order in which they arrived,
/// stale ones among them. They may be read while the node runs, up to the blocks that it tells of.
#[derive(Debug)]
pub struct BlockFiles {
    directory: PathBuf,
    magic: [u8; 4],
    key: [u8; 8],
    /// The numbers of the files, ascending.
    numbers: Vec<u32>,
}

/// A block in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The hash that its header has.
    pub hash: BlockHash,
    /// The block that it follows.
    pub previous: BlockHash,
    /// The number of its file.
    pub file: u32,
    /// Where in the file it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u32,
}

impl BlockFiles {
    /// Finds the files in a node's `blocks` directory, and the key that they are masked with.
    ///
    /// # Errors
    ///
    /// Where the directory or the key cannot be read, or holds no file of blocks.
    pub fn open(directory: &Path, magic: Magic) -> Result<Self, FilesError> {
        let entries = fs::read_dir(directory).map_err(|cause| unread(directory, cause))?;
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|cause| unread(directory, cause))?;
            numbers.extend(entry.file_name().to_str().and_then(number));
        }
        numbers.sort_unstable();
        if numbers.is_empty() {
            let directory = directory.to_owned();
            return Err(FilesError::NoFiles { directory });
        }
        Ok(Self {
            directory: directory.to_owned(),
            magic: magic.to_bytes(),
            key: key(&directory.join("xor.dat"))?,
            numbers,
        })
    }

    /// The numbers of the files, from the oldest.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Opens the file of a number.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn file(&self, number: u32) -> Result<BlockFile, FilesError> {
        let path = self.directory.join(format!("blk{number:05}.dat"));
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|cause| unread(&path, cause))?;
        Ok(BlockFile {
            path,
            file,
            number,
            length,
            magic: self.magic,
            key: self.key,
            next: 0,
            passed: 0,
        })
    }
}

/// One file of blocks, walked through from its beginning; each block may be read or not.
#[derive(Debug)]
pub struct BlockFile {
    path: PathBuf,
    file: File,
    number: u32,
    /// How long it was when it was opened.
    length: u64,
    magic: [u8; 4],
    key: [u8; 8],
    /// Where the next block is looked for.
    next: u64,
    passed: u64,
}

impl BlockFile {
    /// The next block of the file; `None` at its end, and where its last block is cut.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn next_place(&mut self) -> Result<Option<Place>, FilesError> {
        loop {
            let mut head = [0; HEAD];
            if !self.read_at(self.next, &mut head)? {
                self.passed += self.length.saturating_sub(self.next);
                self.next = self.length;
                return Ok(None);
            }
            match self.place(&head) {
                Some(place) => {
                    self.next = place.offset + u64::from(place.length);
                    return Ok(Some(place));
                }
                None => self.search()?,
            }
        }
    }

    /// How many bytes before the next block belong to none: what the node set aside, or what was cut.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Reads a block of this file in place of what the buffer holds.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or ends before the block does.
    pub fn read(&mut self, place: &Place, block: &mut Vec<u8>) -> Result<(), FilesError> {
        let length = usize::try_from(place.length).expect("lengths of 32 bits fit");
        block.resize(length.min(MOST_BYTES), 0);
        if length <= MOST_BYTES && self.read_at(place.offset, block)? {
            return Ok(());
        }
        Err(FilesError::Cut {
            path: self.path.clone(),
            hash: place.hash,
            offset: place.offset,
        })
    }

    /// The block whose frame and header these are, if they are and it ends within the file.
    fn place(&self, head: &[u8; HEAD]) -> Option<Place> {
        let (magic, rest) = head.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        let offset = self.next + FRAME;
        let most = u32::try_from(MOST_BYTES).expect("four million");
        let whole = offset + u64::from(length) <= self.length;
        if *magic != self.magic || !(81..=most).contains(&length) || !whole {
            return None;
        }
        let header = Header(rest.first_chunk()?);
        Some(Place {
            hash: header.hash(),
            previous: header.previous(),
            file: self.number,
            offset,
            length,
        })
    }

    /// Goes to the next place after this one that begins as a block does, or to the end.
    fn search(&mut self) -> Result<(), FilesError> {
        let begun = self.next;
        let mut window = [0; WINDOW];
        self.next += 1;
        while self.next < self.length {
            let left = usize::try_from(self.length - self.next).unwrap_or(WINDOW);
            let window = &mut window[..left.min(WINDOW)];
            if !self.read_at(self.next, window)? {
                break;
            }
            if let Some(found) = window.windows(4).position(|four| four == self.magic) {
                self.next += u64::try_from(found).expect("less than a window");
                break;
            }
            // What begins within the last three bytes is seen whole by the next window.
            let step = window.len().saturating_sub(3).max(1);
            self.next += u64::try_from(step).expect("less than a window");
        }
        self.passed += self.next - begun;
        Ok(())
    }

    /// Fills the buffer with the bytes from an offset on, unmasked; false where the file ends before.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<bool, FilesError> {
        match self.fill(offset, buffer) {
            Ok(()) => Ok(true),
            Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(cause) => Err(unread(&self.path, cause)),
        }
    }

    /// Reads and unmasks piece by piece, while a piece is in the processor's cache.
    fn fill(&mut self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        for piece in buffer.chunks_mut(PIECE) {
            self.file.read_exact(piece)?;
            // Pieces are multiples of the key's length, so that each begins where the first does in the key.
            unmask(self.key, offset, piece);
        }
        Ok(())
    }
}

/// Takes a node's key off what was read at an offset: each byte is masked with that of its place in the file.
fn unmask(mut key: [u8; 8], offset: u64, bytes: &mut [u8]) {
    if key == [0; 8] {
        return;
    }
    key.rotate_left(usize::try_from(offset % 8).expect("less than eight"));
    let word = u64::from_ne_bytes(key);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// The key of a node of version 28 and later; older ones mask nothing.
fn key(path: &Path) -> Result<[u8; 8], FilesError> {
    let bytes = match fs::read(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok([0; 8]),
        read => read.map_err(|cause| unread(path, cause))?,
    };
    bytes.as_slice().try_into().map_err(|_| FilesError::Key {
        path: path.to_owned(),
        length: bytes.len(),
    })
}

/// The number of a file of blocks.
fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("blk")?.strip_suffix(".dat")?;
    let plain = digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

fn unread(path: &Path, cause: std::io::Error) -> FilesError {
    FilesError::Unread {
        path: path.to_owned(),
        cause,
    }
}
