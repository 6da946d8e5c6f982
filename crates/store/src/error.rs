//! What can go wrong with a store, and what the user can do about it.

use std::io;
use std::path::{Path, PathBuf};

use bitcoin::BlockHash;

use crate::directory::FORMAT;

/// Says what a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory was written by a version with another format.
    #[error("{} holds a store of format `{found}`; this program reads `{FORMAT}`", dir.display())]
    OtherFormat {
        /// The store's directory.
        dir: PathBuf,
        /// What the directory says it is, made printable.
        found: String,
    },
    /// Another process, or another `Store` of this process, has the directory open for writing.
    #[error("{} is in use by another process", dir.display())]
    Locked {
        /// The store's directory.
        dir: PathBuf,
    },
    /// The path names a file.
    #[error("{} is not a directory", dir.display())]
    NotADirectory {
        /// The path that was given.
        dir: PathBuf,
    },
    /// The operating system forbids what the store needs.
    #[error("no permission to use {}", path.display())]
    Permission {
        /// The file or directory.
        path: PathBuf,
    },
    /// A store was to be read where none was ever written.
    #[error("{} holds no store", dir.display())]
    Missing {
        /// The path that was given.
        dir: PathBuf,
    },
    /// The directory holds a database that is not a store of this program.
    #[error("{} holds a database of another program", dir.display())]
    Foreign {
        /// The path that was given.
        dir: PathBuf,
    },
    /// A file of the store is damaged or missing.
    #[error("the store in {} is damaged: {detail}", dir.display())]
    Corrupted {
        /// The store's directory.
        dir: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// The disk, quota or file size limit is used up; everything acknowledged before is kept.
    #[error("no space left for the store in {}", dir.display())]
    DiskFull {
        /// The store's directory.
        dir: PathBuf,
    },
    /// Any other failure of the operating system or the database.
    #[error("the store in {} failed: {detail}", dir.display())]
    Io {
        /// The store's directory.
        dir: PathBuf,
        /// What failed.
        detail: String,
    },
    /// A store opened for reading was asked to write.
    #[error("the store in {} was opened for reading only", dir.display())]
    ReadOnly {
        /// The store's directory.
        dir: PathBuf,
    },
    /// The chain was registered before with another genesis block.
    #[error(
        "the database belongs to another network: its `{chain}` starts with block {stored}, not {offered}"
    )]
    OtherNetwork {
        /// The chain's name.
        chain: String,
        /// The genesis block in the store.
        stored: BlockHash,
        /// The genesis block of the source.
        offered: BlockHash,
    },
    /// Two chain names have the same eight-byte key.
    #[error("the chain names `{chain}` and `{stored}` cannot share one database")]
    ChainCollision {
        /// The name to be registered.
        chain: String,
        /// The name that has the key.
        stored: String,
    },
    /// The chain was never registered in this store.
    #[error("the chain `{chain}` is not registered in the store")]
    UnknownChain {
        /// The chain's name.
        chain: String,
    },
    /// Two blocks of one height: the chain was reorganised since the first was stored, or an endpoint is on
    /// another branch. Nothing was written; forget from that height, or do not believe the answer.
    #[error("block {height} of {chain} is {offered}, but {stored} was seen before")]
    ConflictingBlock {
        /// The chain's name.
        chain: String,
        /// The height.
        height: u64,
        /// The block in the store.
        stored: BlockHash,
        /// The block in the answer.
        offered: BlockHash,
    },
    /// The fact does not answer the query it was to be stored for.
    #[error("a fact about {fact} does not answer a query about {query}")]
    WrongAnswer {
        /// What the query is about.
        query: String,
        /// What the fact is about.
        fact: String,
    },
    /// A row is not what the schema says.
    #[error("the row {key} of `{column}` cannot be read: {reason}")]
    BadRow {
        /// The column family.
        column: &'static str,
        /// The row's key in hexadecimal digits.
        key: String,
        /// Why.
        reason: String,
    },
    /// Something to be stored has no JSON form.
    #[error("{what} cannot be written as JSON: {reason}")]
    Unwritable {
        /// What was to be stored.
        what: String,
        /// Why not.
        reason: String,
    },
    /// A case name with other characters than `a-z 0-9 . _ -`, or of the wrong length.
    #[error("`{0}` is not a case name: it takes 1 to 100 of the characters a-z 0-9 . _ -")]
    CaseName(String),
}

impl StoreError {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OtherFormat { .. } => Some(
                "nothing was changed; use the version that wrote it, or start a new store with another --data DIR",
            ),
            Self::Locked { .. } => {
                Some("wait until it ends, or use another --data DIR; no lock file needs deleting")
            }
            Self::NotADirectory { .. } | Self::Foreign { .. } => {
                Some("nothing was changed; name another directory with --data DIR")
            }
            Self::Permission { .. } => {
                Some("make it writable, or name another directory with --data DIR")
            }
            Self::Missing { .. } => {
                Some("run a trace first, or name its directory with --data DIR")
            }
            Self::Corrupted { .. } | Self::BadRow { .. } => Some(
                "nothing was deleted or repaired; keep the directory as evidence and start over with another --data DIR",
            ),
            Self::DiskFull { .. } => {
                Some("free some space and run the same command again: it resumes")
            }
            Self::OtherNetwork { .. } | Self::ChainCollision { .. } => Some(
                "use one --data DIR per network, or the endpoint of the network it was made with",
            ),
            Self::ConflictingBlock { .. } => {
                Some("run the same command again: it follows the new branch")
            }
            Self::Io { .. }
            | Self::ReadOnly { .. }
            | Self::UnknownChain { .. }
            | Self::WrongAnswer { .. }
            | Self::Unwritable { .. }
            | Self::CaseName(_) => None,
        }
    }

    /// Classifies a failure of the file system on the store's directory or its marker.
    pub(crate) fn from_io(dir: &Path, error: &io::Error) -> Self {
        let dir = dir.to_owned();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { path: dir }
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                Self::NotADirectory { dir }
            }
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull { dir },
            _ => Self::Io {
                dir,
                detail: one_line(&error.to_string()),
            },
        }
    }

    /// Classifies a failure of RocksDB, which tells its kinds apart by text alone.
    pub(crate) fn from_rocksdb(dir: &Path, error: &rocksdb::Error) -> Self {
        use rocksdb::ErrorKind;
        let dir = dir.to_owned();
        let text: &str = error.as_ref();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let detail = one_line(text);
        if says(&[
            "No space left on device",
            "Disk quota exceeded",
            "File too large",
        ]) {
            return Self::DiskFull { dir };
        }
        match error.kind() {
            ErrorKind::Corruption | ErrorKind::InvalidArgument => Self::Corrupted { dir, detail },
            ErrorKind::NotSupported if says(&["read only"]) => Self::ReadOnly { dir },
            ErrorKind::IOError if says(&["While lock file", "lock hold by"]) => {
                Self::Locked { dir }
            }
            ErrorKind::IOError if says(&["Permission denied", "Read-only file system"]) => {
                Self::Permission { path: dir }
            }
            ErrorKind::IOError if says(&["No such file or directory"]) => {
                Self::Corrupted { dir, detail }
            }
            _ => Self::Io { dir, detail },
        }
    }
}

/// Makes text from outside safe for a terminal: printable ASCII, at most 300 characters.
pub(crate) fn one_line(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    text.chars().take(300).map(plain).collect()
}
