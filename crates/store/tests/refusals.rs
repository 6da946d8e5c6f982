//! A directory that cannot be used is refused with a typed error and a hint, and left as it is.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a step that fails is a test that fails"
)]

mod scenario;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use hansel_ledger::{Fact, Placement};
use hansel_store::{Store, StoreError};
use scenario::*;
use tempfile::TempDir;

const CHILD: &str = "HANSEL_STORE_REFUSALS_CHILD";
const FACTS: u64 = 60;

/// What this test file does in another process, by name, on a directory.
#[test]
fn child_that_does_as_it_is_told() {
    let Some(told) = std::env::var_os(CHILD) else {
        return;
    };
    let told = told.into_string().unwrap();
    let (task, dir) = told.split_once(' ').unwrap();
    match task {
        "open" => println!("\nsaid: {:?}", Store::open(Path::new(dir)).err()),
        "fill" => fill_until_refused(Path::new(dir)),
        other => panic!("{other}"),
    }
}

fn child(task: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_that_does_as_it_is_told", "--nocapture"])
        .env(CHILD, format!("{task} {}", dir.display()));
    command
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("said: "));
    line.unwrap_or_else(|| panic!("{output:?}")).to_owned()
}

/// A numbered fact with evidence that does not compress away.
fn put_numbered(store: &Store, number: u64) -> Result<(), StoreError> {
    let name = number.to_string();
    let fact = Fact::Transaction(transaction(&name, Placement::Confirmed(block(number))));
    let mut answer = answer(fact);
    let noise = (0..500_u64).map(|part| txid(&format!("{number} {part}")).to_string());
    answer.evidence.push(evidence(&noise.collect::<String>()));
    store.put_answer(
        &bitcoin(),
        &ask_transaction(&name),
        &answer,
        &block(1_000_000),
        NOW,
    )
}

/// Reads numbered facts with their evidence; the number of the first that is not there.
fn read_numbered(store: &Store) -> Result<u64, StoreError> {
    for number in 0.. {
        let query = ask_transaction(&number.to_string());
        if store
            .answer(&bitcoin(), &query, &block(1_000_000))?
            .is_none()
        {
            return Ok(number);
        }
        assert_eq!(store.evidence_of(&bitcoin(), &query)?.len(), 2, "{number}");
    }
    unreachable!("the numbers end before the store does")
}

/// Two opens, so that facts are both in table files and in the log.
fn fill(dir: &Path) {
    let first = store(dir);
    (0..FACTS / 2).for_each(|number| put_numbered(&first, number).unwrap());
    drop(first);
    let second = store(dir);
    (FACTS / 2..FACTS).for_each(|number| put_numbered(&second, number).unwrap());
}

#[test]
fn a_second_process_is_refused_and_the_first_is_not_disturbed() {
    let dir = TempDir::new().unwrap();
    let first = store(dir.path());
    let before = bytes_of(dir.path());
    let output = child("open", dir.path()).output().unwrap();
    assert!(
        said(&output).starts_with("Some(Locked"),
        "{}",
        said(&output)
    );
    assert_eq!(bytes_of(dir.path()), before);
    let again = Store::open(dir.path()).unwrap_err();
    assert!(matches!(again, StoreError::Locked { .. }), "{again:?}");
    assert!(again.hint().is_some());
    put_numbered(&first, 0).unwrap();
    drop(first);
    let output = child("open", dir.path()).output().unwrap();
    assert_eq!(said(&output), "None");
}

#[test]
fn a_store_of_another_format_is_refused_by_its_name_and_left_untouched() {
    let dir = TempDir::new().unwrap();
    fill(dir.path());
    for found in ["hansel-store/3\n", "\u{1b}[31m", "\0\0"] {
        fs::write(dir.path().join("hansel-store"), found).unwrap();
        let before = bytes_of(dir.path());
        for refused in [Store::open(dir.path()), Store::open_read_only(dir.path())] {
            let error = refused.unwrap_err();
            assert!(matches!(error, StoreError::OtherFormat { .. }), "{error:?}");
            assert!(!error.to_string().contains('\u{1b}'));
            assert!(error.hint().is_some());
        }
        assert_eq!(bytes_of(dir.path()), before);
    }
    fs::write(dir.path().join("hansel-store"), "hansel-store/3\n").unwrap();
    let message = Store::open(dir.path()).unwrap_err().to_string();
    assert!(message.contains("`hansel-store/3`") && message.contains("`hansel-store/2`"));
    fs::write(dir.path().join("hansel-store"), "hansel-store/2\n").unwrap();
    assert_eq!(read_numbered(&store(dir.path())).unwrap(), FACTS);
}

#[test]
fn a_store_whose_format_is_not_written_is_not_guessed_at() {
    let dir = TempDir::new().unwrap();
    fill(dir.path());
    fs::write(dir.path().join("hansel-store"), "").unwrap();
    assert!(matches!(
        Store::open(dir.path()),
        Err(StoreError::OtherFormat { .. })
    ));
    fs::remove_file(dir.path().join("hansel-store")).unwrap();
    let before = bytes_of(dir.path());
    assert!(matches!(
        Store::open(dir.path()),
        Err(StoreError::Foreign { .. })
    ));
    assert_eq!(bytes_of(dir.path()), before);
}

#[test]
fn a_path_that_is_or_leads_through_a_file_is_refused() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "kept").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = Store::open(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::NotADirectory { .. }),
            "{error:?}"
        );
        assert!(error.hint().is_some());
    }
    assert_eq!(fs::read(&file).unwrap(), b"kept");
}

#[test]
fn reading_a_store_that_was_never_written_says_so_and_makes_nothing() {
    let dir = TempDir::new().unwrap();
    let missing = dir.path().join("missing");
    assert!(matches!(
        Store::open_read_only(&missing),
        Err(StoreError::Missing { .. })
    ));
    assert!(!missing.exists());
}

#[test]
fn a_store_opened_for_reading_changes_nothing_and_refuses_writes() {
    let dir = TempDir::new().unwrap();
    fill(dir.path());
    let before = bytes_of(dir.path());
    let store = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(read_numbered(&store).unwrap(), FACTS);
    let refused = put_numbered(&store, FACTS).unwrap_err();
    assert!(
        matches!(refused, StoreError::ReadOnly { .. }),
        "{refused:?}"
    );
    assert!(matches!(
        store.put_case("a", &1),
        Err(StoreError::ReadOnly { .. })
    ));
    drop(store);
    assert_eq!(bytes_of(dir.path()), before);
}

/// Runs a program only where it exists and works for us: tests of the system's limits need rights.
fn available(program: &str, args: &[&str]) -> bool {
    let output = Command::new(program).args(args).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn a_directory_that_must_not_be_written_is_refused() {
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    if !available("setpriv", &[&nobody[..], &["true"]].concat()) {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let exe = dir.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    fs::set_permissions(&exe, fs::Permissions::from_mode(0o755)).unwrap();
    for data in [dir.path().to_path_buf(), dir.path().join("new")] {
        let output = Command::new("setpriv")
            .args(nobody)
            .arg(&exe)
            .args(["--exact", "child_that_does_as_it_is_told", "--nocapture"])
            .env(CHILD, format!("open {}", data.display()))
            .output()
            .unwrap();
        assert!(
            said(&output).starts_with("Some(Permission"),
            "{}",
            said(&output)
        );
    }
}

/// The files of a store's database whose names hold `part`, sorted.
fn database_files(dir: &Path, part: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("rocksdb")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().contains(part));
    files.sort();
    assert!(!files.is_empty(), "no {part}");
    files
}

/// Opens a store that was just closed. A process that another test begins at the moment has its lock for a blink, until
/// it runs its own program.
fn reopened(dir: &Path) -> Result<Store, StoreError> {
    for _ in 0..200 {
        match Store::open(dir) {
            Err(StoreError::Locked { .. }) => std::thread::sleep(Duration::from_millis(20)),
            outcome => return outcome,
        }
    }
    Store::open(dir)
}

/// Opens a damaged store and reads everything; what is read without an error must be everything.
fn read_everything(dir: &Path) -> Result<(), StoreError> {
    let store = reopened(dir)?;
    store.register_chain(&bitcoin(), genesis())?;
    let count = read_numbered(&store)?;
    let headers: Vec<_> = store.known_headers(&bitcoin()).collect::<Result<_, _>>()?;
    let rows = store.statistics()?;
    let complete = (count, headers.len() as u64, rows.statements) == (FACTS, FACTS + 1, FACTS);
    assert!(complete, "facts went missing in silence: {count}, {rows:?}");
    Ok(())
}

/// Damages one file of a copy of a store; reading must fail as it should, and a refused open change nothing.
fn check_damage(whole: &Path, file: &Path, damage: impl Fn(&Path)) {
    let dir = TempDir::new().unwrap();
    copy(whole, dir.path());
    let damaged = dir.path().join("rocksdb").join(file.file_name().unwrap());
    damage(&damaged);
    let before = bytes_of(dir.path());
    let opened = Store::open(dir.path()).map(drop);
    if opened.is_err() {
        assert_eq!(bytes_of(dir.path()), before, "{}", file.display());
    }
    let error = read_everything(dir.path()).expect_err(&file.display().to_string());
    let typed = matches!(
        error,
        StoreError::Corrupted { .. } | StoreError::BadRow { .. }
    );
    assert!(typed, "{}: {error:?}", file.display());
    assert!(error.hint().unwrap().contains("another --data"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_damaged_file_is_reported_and_no_file_is_deleted_or_repaired() {
    let whole = TempDir::new().unwrap();
    fill(whole.path());
    for kind in ["MANIFEST-", ".sst", ".log", "CURRENT"] {
        for file in database_files(whole.path(), kind) {
            let size = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
            // A table's tail holds blocks that a reader can do without: their loss shows in no answer.
            for part in (0..8).filter(|part| kind != ".sst" || part % 4 == 0) {
                check_damage(whole.path(), &file, |path| {
                    let mut bytes = fs::read(path).unwrap();
                    bytes[size * part / 8] ^= 0xff;
                    fs::write(path, bytes).unwrap();
                });
            }
        }
    }
}

#[test]
fn a_missing_or_shortened_file_is_reported_and_nothing_is_made_in_its_place() {
    let whole = TempDir::new().unwrap();
    fill(whole.path());
    for kind in ["MANIFEST-", ".sst", "CURRENT"] {
        for file in database_files(whole.path(), kind) {
            check_damage(whole.path(), &file, |path| fs::remove_file(path).unwrap());
            check_damage(whole.path(), &file, |path| fs::write(path, "").unwrap());
        }
    }
}

fn fill_until_refused(dir: &Path) {
    let store = match Store::open(dir).and_then(|store| {
        store.register_chain(&bitcoin(), genesis())?;
        Ok(store)
    }) {
        Ok(store) => store,
        Err(error) => return println!("\nsaid: 0 {error:?}"),
    };
    for number in 0..1_000_000 {
        if let Err(error) = put_numbered(&store, number) {
            let next = put_numbered(&store, number + 1).err();
            return println!("\nsaid: {number} {error:?} then {next:?}");
        }
    }
}

/// What the child of a full disk acknowledged, and that it was refused as it should be.
fn acknowledged(output: &Output) -> u64 {
    let said = said(output);
    assert_eq!(
        said.matches("DiskFull").count(),
        said.matches("dir:").count(),
        "{said}"
    );
    assert!(said.contains("DiskFull"), "{said}");
    said.split_once(' ').unwrap().0.parse().unwrap()
}

#[test]
fn a_file_size_limit_is_reported_as_a_full_disk_and_keeps_what_was_acknowledged() {
    let dir = TempDir::new().unwrap();
    let fill = child("fill", dir.path());
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""])
        .arg(fill.get_program())
        .args(fill.get_args())
        .envs(fill.get_envs().map(|(key, value)| (key, value.unwrap())));
    let count = acknowledged(&limited.output().unwrap());
    assert!(count > 0);
    let store = store(dir.path());
    assert_eq!(read_numbered(&store).unwrap(), count);
    put_numbered(&store, count).unwrap();
    assert_eq!(read_numbered(&store).unwrap(), count + 1);
}

/// A small file system of its own, taken away at the end.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let path = dir.path().to_str().unwrap();
        available("mount", &["-t", "tmpfs", "-o", "size=6m", "tmpfs", path]).then(|| Self(dir))
    }

    fn enlarge(&self) {
        let path = self.0.path().to_str().unwrap();
        assert!(available("mount", &["-o", "remount,size=64m", path]));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        available("umount", &[self.0.path().to_str().unwrap()]);
    }
}

#[test]
fn a_full_disk_is_reported_and_keeps_what_was_acknowledged() {
    let Some(disk) = SmallDisk::new() else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let data = disk.0.path().join("data");
    let count = acknowledged(&child("fill", &data).output().unwrap());
    assert!(count > 0);
    disk.enlarge();
    let store = store(&data);
    assert_eq!(read_numbered(&store).unwrap(), count);
    put_numbered(&store, count).unwrap();
}

#[test]
fn a_disk_without_room_for_a_new_store_is_reported() {
    let Some(disk) = SmallDisk::new() else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let filler = disk.0.path().join("filler");
    assert!(fs::write(&filler, vec![1; 8 << 20]).is_err());
    let data = disk.0.path().join("data");
    for room in [0, 4 << 10, 12 << 10, 20 << 10] {
        let size = fs::metadata(&filler).unwrap().len() - room;
        fs::File::options()
            .write(true)
            .open(&filler)
            .unwrap()
            .set_len(size)
            .unwrap();
        let error = Store::open(&data).and_then(|store| store.put_case("a", &1));
        let full = matches!(error, Err(StoreError::DiskFull { .. }) | Ok(()));
        assert!(full, "{room}: {error:?}");
    }
    fs::remove_file(filler).unwrap();
    store(&data).put_case("a", &1).unwrap();
}
