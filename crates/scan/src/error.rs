//! What can be wrong with a block's bytes, with files of blocks, and with what is to be watched.

use std::path::PathBuf;

use bitcoin::BlockHash;
use thiserror::Error;

/// Why bytes are not a block. Offsets count from the first byte of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlockError {
    /// The block ends before something that it announces.
    #[error("the block is cut: {wanted} bytes are announced at offset {offset}, {left} are left")]
    Cut {
        /// Where they were to begin.
        offset: usize,
        /// How many were announced.
        wanted: u64,
        /// How many there are.
        left: usize,
    },
    /// A length that takes more bytes than it needs, which no node writes.
    #[error("the length at offset {offset} is not written in its shortest form")]
    LongLength {
        /// Where it stands.
        offset: usize,
    },
    /// A transaction without inputs, or in a form that is not known.
    #[error("the transaction at offset {offset} has the unknown form {flag}")]
    UnknownForm {
        /// Where it begins.
        offset: usize,
        /// The byte that names the form.
        flag: u8,
    },
    /// A transaction in the form that has witnesses, and without any.
    #[error("the transaction at offset {offset} announces witnesses and has none")]
    NoWitness {
        /// Where it begins.
        offset: usize,
    },
    /// Bytes after the last transaction.
    #[error("{left} bytes follow the last transaction, which ends at offset {offset}")]
    Trailing {
        /// Where the last transaction ends.
        offset: usize,
        /// How many bytes follow.
        left: usize,
    },
    /// More bytes than a block may have.
    #[error("the block has {bytes} bytes; {most} are allowed")]
    TooLong {
        /// How many it has.
        bytes: usize,
        /// How many a block may have.
        most: usize,
    },
}

/// More is to be watched than one set can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a watch set holds up to 4,294,967,295 bytes of keys; this is exceeded after {keys} keys")]
pub struct Crowded {
    /// How many keys fitted.
    pub keys: usize,
}

/// Why blocks cannot be read from a node's files.
#[derive(Debug, Error)]
pub enum FilesError {
    /// A file or the directory cannot be read.
    #[error("cannot read {}", path.display())]
    Unread {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The directory holds none.
    #[error("{} holds no blk*.dat: name the `blocks` directory of a Bitcoin Core node", directory.display())]
    NoFiles {
        /// Which.
        directory: PathBuf,
    },
    /// The key has another length than eight bytes.
    #[error("the key in {} has {length} bytes instead of 8", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// How long it is.
        length: usize,
    },
    /// A file became shorter since it was opened.
    #[error("{} ends within block {hash} at offset {offset}", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// The block.
        hash: BlockHash,
        /// Where it begins.
        offset: u64,
    },
    /// A block of the chain is in no file.
    #[error(
        "block {hash} is in no file: the node is pruned, writes it just now, or is on another branch"
    )]
    NotThere {
        /// Which.
        hash: BlockHash,
    },
}

/// Why a text is not a block of an EVM chain with whole transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EvmBlockError {
    /// It is not JSON, or not of such a block.
    #[error("line {line}, column {column}: the text is not a block with whole transactions")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field is missing or not of its length.
    #[error("the field `{field}` of the block is not what it has to be")]
    Field {
        /// Which.
        field: &'static str,
    },
}

impl EvmBlockError {
    pub(crate) fn of(error: sonic_rs::Error) -> Self {
        Self::Json {
            line: error.line(),
            column: error.column(),
        }
    }
}
