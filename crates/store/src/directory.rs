//! The store's directory: who may open it, which format it has, and how a new one comes to be.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rocksdb::DB;

use crate::StoreError;
use crate::columns::{database_options, descriptors, descriptors_of};
use crate::error::one_line;

/// The format that this version reads and writes.
pub(crate) const FORMAT: &str = "hansel-store/2";
/// The format before, without what cases watch: a database of it becomes one of this version when it is opened for
/// writing.
const EARLIER: &str = "hansel-store/1";

/// Names the format and carries the lock, so that neither needs the database to be opened.
const MARKER: &str = "hansel-store";
const DATABASE: &str = "rocksdb";
/// A database is made under this name and then renamed: where the final name exists, the database is complete.
const UNFINISHED: &str = "rocksdb.unfinished";
const LONGEST_MARKER: u64 = 100;
const MOST_TRIES: u32 = 20;

/// Opens the database of `dir` for writing, making both where they are missing; the file is the lock.
///
/// True where the store has the format before: then [`bring_up_to_date`] ends what this began.
pub(crate) fn open(dir: &Path) -> Result<(DB, File, bool), StoreError> {
    let (lock, earlier) = claim(dir)?;
    let database = dir.join(DATABASE);
    if !exists(&database)? {
        create(dir, &database)?;
    }
    // A store of an earlier version lacks the column families that came since; they begin empty.
    let mut options = database_options();
    options.create_missing_column_families(true);
    let db = DB::open_cf_descriptors(&options, &database, descriptors())
        .map_err(|error| StoreError::from_rocksdb(dir, &error))?;
    Ok((db, lock, earlier))
}

/// Says that a store has this version's format now.
pub(crate) fn bring_up_to_date(dir: &Path, mut lock: &File) -> Result<(), StoreError> {
    // Both names are of the same length, so that no crash leaves anything in between.
    lock.seek(SeekFrom::Start(0))
        .and_then(|_| writeln!(lock, "{FORMAT}"))
        .and_then(|()| lock.sync_all())
        .map_err(|error| StoreError::from_io(dir, &error))
}

/// Opens the database of `dir` for reading, which works while another process writes.
pub(crate) fn open_read_only(dir: &Path) -> Result<DB, StoreError> {
    let marker = dir.join(MARKER);
    if !exists(&marker)? || !exists(&dir.join(DATABASE))? {
        return Err(StoreError::Missing { dir: dir.into() });
    }
    let mut file = File::open(&marker).map_err(|error| StoreError::from_io(&marker, &error))?;
    let found = read_marker(dir, &mut file)?;
    if found != EARLIER {
        check_format(dir, &found)?;
    }
    open_while_nothing_changes(dir)
}

/// Opens until the files stayed the same meanwhile.
///
/// RocksDB reads its list of tables first and its logs last. Where a writer turns a log into a table and deletes
/// it in between, the reader would miss what the log held without any error.
fn open_while_nothing_changes(dir: &Path) -> Result<DB, StoreError> {
    let database = dir.join(DATABASE);
    let mut options = database_options();
    // Every table is opened at once, because a writer may delete it at any time.
    options.set_max_open_files(-1);
    for _ in 0..MOST_TRIES {
        let before = files(dir, &database)?;
        // Only a writer can make what a store of an earlier version lacks.
        let opened = DB::list_cf(&options, &database).and_then(|present| {
            let columns = descriptors_of(&present);
            DB::open_cf_descriptors_read_only(&options, &database, columns, false)
        });
        if files(dir, &database)? == before {
            return opened.map_err(|error| StoreError::from_rocksdb(dir, &error));
        }
    }
    Err(StoreError::Io {
        dir: dir.into(),
        detail: format!(
            "another process changed its files during each of {MOST_TRIES} tries to read it"
        ),
    })
}

/// The names of the database's files, with the sizes of those that list the others.
fn files(dir: &Path, database: &Path) -> Result<BTreeMap<OsString, Option<u64>>, StoreError> {
    let failed = |error| StoreError::from_io(dir, &error);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(database).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let lists = name.as_encoded_bytes().starts_with(b"MANIFEST");
        let size = match entry.metadata() {
            Ok(metadata) => lists.then_some(metadata.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        files.insert(name, size);
    }
    Ok(files)
}

/// Takes the lock, and tells whether the store is one of the format before.
fn claim(dir: &Path) -> Result<(File, bool), StoreError> {
    fs::create_dir_all(dir).map_err(|error| StoreError::from_io(dir, &error))?;
    let marker = dir.join(MARKER);
    if !exists(&marker)? && exists(&dir.join(DATABASE))? {
        return Err(StoreError::Foreign { dir: dir.into() });
    }
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&marker)
        .map_err(|error| StoreError::from_io(&marker, &error))?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Locked { dir: dir.into() },
        TryLockError::Error(error) => StoreError::from_io(&marker, &error),
    })?;
    let found = read_marker(dir, &mut file)?;
    if found.is_empty() && !exists(&dir.join(DATABASE))? {
        writeln!(file, "{FORMAT}")
            .and_then(|()| file.sync_all())
            .map_err(|error| StoreError::from_io(dir, &error))?;
    } else if found != EARLIER {
        check_format(dir, &found)?;
    }
    Ok((file, found == EARLIER))
}

fn read_marker(dir: &Path, file: &mut File) -> Result<String, StoreError> {
    let mut bytes = Vec::new();
    file.take(LONGEST_MARKER)
        .read_to_end(&mut bytes)
        .map_err(|error| StoreError::from_io(dir, &error))?;
    Ok(one_line(String::from_utf8_lossy(&bytes).trim_end()))
}

fn check_format(dir: &Path, found: &str) -> Result<(), StoreError> {
    if found == FORMAT {
        return Ok(());
    }
    Err(StoreError::OtherFormat {
        dir: dir.into(),
        found: found.into(),
    })
}

/// Makes an empty database whose files are complete before it gets its name.
fn create(dir: &Path, database: &PathBuf) -> Result<(), StoreError> {
    let unfinished = dir.join(UNFINISHED);
    let mut options = database_options();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let made = DB::open_cf_descriptors(&options, &unfinished, descriptors());
    drop(made.map_err(|error| StoreError::from_rocksdb(dir, &error))?);
    fs::rename(&unfinished, database)
        .and_then(|()| File::open(dir)?.sync_all())
        .map_err(|error| StoreError::from_io(dir, &error))
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    match path.try_exists() {
        Ok(found) => Ok(found),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(StoreError::from_io(path, &error)),
    }
}
