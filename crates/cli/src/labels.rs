//! The labels at hand: those that come with the program or its configuration, and the imported ones.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use hansel_labels::{Day, LONGEST_COMPILED, LabelBook, Pack, Reader, Refusal};
use hansel_ledger::{Chain, UnixTime};

use crate::config::Config;
use crate::drive::now;
use crate::failure::Failure;
use crate::plan;

const DIRECTORY: &str = "labels";
const ENDING: &str = "labels";

/// All labels at hand, and what of them could not be read.
#[derive(Debug)]
pub(crate) struct AtHand {
    pub(crate) book: LabelBook,
    /// One sentence or two for each file that is left out, with what to do about it. A trace goes on without the
    /// file, and its report says that it did.
    pub(crate) warnings: Vec<String>,
}

/// Opens all labels. A file that cannot be read is left out with a warning.
pub(crate) fn at_hand(config: &Config) -> Result<AtHand, Failure> {
    let chains = config.chains()?;
    let mut gathered = Gathered::default();
    for file in config.names(DIRECTORY)? {
        match configured(config, &file, &chains) {
            Ok(pack) => gathered.packs.extend(pack),
            Err(problem) => gathered.warnings.push(problem),
        }
    }
    cases(config, &chains, &mut gathered)?;
    for name in imported(config)? {
        match open(&path(config, &name)?) {
            Ok(pack) => gathered.packs.push(pack),
            Err(problem) => gathered.warnings.push(problem),
        }
    }
    let Gathered { packs, warnings } = gathered;
    let book = LabelBook::new(packs);
    Ok(AtHand { book, warnings })
}

#[derive(Default)]
struct Gathered {
    packs: Vec<Pack>,
    warnings: Vec<String>,
}

/// A TagPack of the configuration; `None` for a file of another kind.
fn configured(config: &Config, file: &str, chains: &[Chain]) -> Result<Option<Pack>, String> {
    let Some((name, "yaml" | "yml")) = file.rsplit_once('.') else {
        return Ok(None);
    };
    let path = format!("{DIRECTORY}/{file}");
    let text = config.text(&path);
    let (origin, text) = text.map_err(|failure| failure.in_one_line())?;
    let reader = Reader {
        file: &origin,
        name,
        chains,
        today: &last_day(config, &path),
        imported: false,
    };
    let pack = reader
        .tagpack(text.as_bytes())
        .map_err(|refusal| left_out(&refusal))?;
    match pack.refused.first() {
        Some(refusal) => Err(left_out(refusal)),
        None => Ok(Some(pack)),
    }
}

fn left_out(refusal: &Refusal) -> String {
    format!("the labels of a file are left out: {refusal}; correct the file or take it away")
}

/// What the known cases say of addresses.
fn cases(config: &Config, chains: &[Chain], at_hand: &mut Gathered) -> Result<(), Failure> {
    for file in config.names("cases")? {
        let Some(case) = file.strip_suffix(".toml") else {
            continue;
        };
        let name = format!("case-{case}");
        let reader = Reader {
            file: &file,
            name: &name,
            chains,
            today: &last_day(config, &format!("cases/{file}")),
            imported: false,
        };
        let read = plan::case_file(case, config).map_err(|failure| failure.in_one_line());
        match read.map(|case| case.map(|case| reader.case(&case))) {
            Ok(Some(Ok(pack))) if pack.refused.is_empty() => at_hand.packs.push(pack),
            Ok(Some(Ok(pack))) => at_hand.warnings.extend(pack.refused.first().map(left_out)),
            Ok(Some(Err(refusal))) => at_hand.warnings.push(left_out(&refusal)),
            Ok(None) => {}
            Err(problem) => at_hand.warnings.push(problem),
        }
    }
    Ok(())
}

/// The last day that a file of the configuration may speak of: today, or any where the file is shipped, so that a machine
/// whose clock is behind does not take what it says for a lie.
fn last_day(config: &Config, file: &str) -> Day {
    if config.ships(file) {
        return Day::of(UnixTime(u64::MAX));
    }
    today()
}

/// The day by this machine's clock.
pub(crate) fn today() -> Day {
    Day::of(now())
}

/// The names of imported labels, sorted.
pub(crate) fn imported(config: &Config) -> Result<Vec<String>, Failure> {
    // Where there is no place to keep anything, nothing was imported.
    let Ok(directory) = config.data_dir().map(|dir| dir.join(DIRECTORY)) else {
        return Ok(Vec::new());
    };
    let cannot = || format!("cannot list {}", directory.display());
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(cannot)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.with_context(cannot)?.path();
        let ours = path.extension().is_some_and(|ending| ending == ENDING);
        let name = path.file_stem().and_then(|stem| stem.to_str());
        names.extend(name.filter(|_| ours).map(ToOwned::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Where imported labels of that name are kept.
pub(crate) fn path(config: &Config, name: &str) -> Result<PathBuf, Failure> {
    let directory = config.data_dir()?.join(DIRECTORY);
    Ok(directory.join(format!("{name}.{ENDING}")))
}

fn open(path: &Path) -> Result<Pack, String> {
    let problem = |why: String| {
        format!(
            "imported labels are left out: {}: {why}; import their file again, or drop them with `hansel labels remove`",
            path.display()
        )
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            bytes.reserve(usize::try_from(file.metadata()?.len()).unwrap_or_default());
            file.take(LONGEST_COMPILED).read_to_end(&mut bytes)
        })
        .map_err(|error| problem(error.to_string()))?;
    Pack::from_bytes(&bytes).map_err(|error| problem(error.to_string()))
}

/// Keeps labels under their name; true where they take the place of others. Who reads meanwhile gets the old or the
/// new ones, whole.
pub(crate) fn keep(config: &Config, pack: &Pack) -> Result<bool, Failure> {
    let path = path(config, &pack.about.name)?;
    let cannot = || format!("cannot write {}", path.display());
    let directory = path.parent().ok_or_else(|| anyhow!(cannot()))?;
    fs::create_dir_all(directory).with_context(cannot)?;
    let replaced = path.try_exists().with_context(cannot)?;
    let mut file = tempfile::NamedTempFile::new_in(directory).with_context(cannot)?;
    file.write_all(&pack.to_bytes()).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(&path).with_context(cannot)?;
    Ok(replaced)
}
