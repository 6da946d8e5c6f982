//! The shipped configuration, and a directory that goes before it.

mod chains;
mod feeds;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use hansel_heuristics::crossing::Bridges;
use hansel_ledger::Chain;
use include_dir::{Dir, include_dir};

pub(crate) use feeds::{Feed, is_currency};

use crate::args::Common;
use crate::failure::Failure;
use crate::sources;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../config");

/// Where configuration is read from.
pub(crate) struct Config {
    dir: Option<PathBuf>,
    /// Where the user keeps everything, if not at the usual place.
    data: Option<PathBuf>,
}

impl Config {
    pub(crate) fn new(common: &Common) -> Self {
        Self {
            dir: common.config.clone(),
            data: common.data.clone(),
        }
    }

    /// A directory that goes before the shipped configuration, whatever the user's own.
    pub(crate) fn of(dir: PathBuf) -> Self {
        Self {
            dir: Some(dir),
            data: None,
        }
    }

    /// Where cases, evidence and imported labels are kept.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        sources::data_dir(self.data.as_deref())
    }

    /// The text of a configuration file and where it stands: the user's if there is one, else the shipped one.
    pub(crate) fn text(&self, name: &str) -> Result<(String, String), Failure> {
        if let Some(path) = self.own(name) {
            return Ok((path.display().to_string(), read(&path)?));
        }
        let file = SHIPPED.get_file(name).and_then(|file| file.contents_utf8());
        let text = file.ok_or_else(|| anyhow!("there is no configuration file `{name}`"))?;
        Ok((name.to_owned(), text.to_owned()))
    }

    /// True for a file that comes with the program and that the user has no other of.
    pub(crate) fn ships(&self, name: &str) -> bool {
        self.own(name).is_none() && SHIPPED.get_file(name).is_some()
    }

    /// Where the user's own file stands, if there is one.
    fn own(&self, name: &str) -> Option<PathBuf> {
        let path = self.dir.as_ref()?.join(name);
        path.exists().then_some(path)
    }

    /// The names of the files in a configuration directory, the user's and the shipped ones, sorted.
    pub(crate) fn names(&self, directory: &str) -> Result<Vec<String>, Failure> {
        let shipped = SHIPPED.get_dir(directory).into_iter().flat_map(Dir::files);
        let mut names: Vec<String> = shipped.filter_map(|file| file_name(file.path())).collect();
        if let Some(dir) = self
            .dir
            .as_ref()
            .map(|dir| dir.join(directory))
            .filter(|dir| dir.is_dir())
        {
            for entry in
                std::fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))?
            {
                names.extend(file_name(&entry?.path()));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// All chains: those of the user's `chains.toml`, then the shipped ones of other names.
    pub(crate) fn chains(&self) -> Result<Vec<Chain>, Failure> {
        let mut chains = self.listed_chains()?;
        let shipped = Self {
            dir: None,
            data: None,
        }
        .listed_chains()?;
        let taken: BTreeSet<String> = chains.iter().map(|one| one.name().to_owned()).collect();
        chains.extend(
            shipped
                .into_iter()
                .filter(|one| !taken.contains(one.name())),
        );
        Ok(chains)
    }

    /// The chains of one file, in its order.
    fn listed_chains(&self) -> Result<Vec<Chain>, Failure> {
        let (origin, text) = self.text("chains.toml")?;
        Ok(chains::parse(&text).with_context(|| format!("cannot read {origin}"))?)
    }

    /// The bridges that are shipped and those that the user's `chains.toml` adds.
    pub(crate) fn bridges(&self) -> Result<Bridges, Failure> {
        let (origin, text) = self.text("chains.toml")?;
        let own = chains::bridges(&text).with_context(|| format!("cannot read {origin}"))?;
        Ok(Bridges::new(self.chains()?, own))
    }

    /// The feeds that tell prices.
    pub(crate) fn feeds(&self) -> Result<Vec<Feed>, Failure> {
        let (origin, text) = self.text("prices.toml")?;
        Ok(feeds::parse(&text).with_context(|| format!("cannot read {origin}"))?)
    }

    /// One chain by name.
    pub(crate) fn chain(&self, name: &str) -> Result<Chain, Failure> {
        let chains = self.chains()?;
        let known: Vec<&str> = chains.iter().map(Chain::name).collect();
        let hint = format!("the chains are {}", known.join(", "));
        let found = chains.iter().find(|chain| chain.name() == name).cloned();
        found.ok_or_else(|| {
            Failure::usage(
                anyhow!("there is no chain `{}`", name.escape_debug()),
                &hint,
            )
        })
    }
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(ToOwned::to_owned)
}

/// Configuration is small; a huge file is a mistake.
const LONGEST: u64 = 16 << 20;

/// Reads a text file of bounded size.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let cannot = || format!("cannot read {}", path.display());
    let found = std::fs::metadata(path).with_context(cannot)?;
    // A pipe or a device would never end.
    if !found.is_file() {
        return Err(anyhow!("{} is not a file", path.display()).into());
    }
    if found.len() > LONGEST {
        return Err(anyhow!("{} is longer than {LONGEST} bytes", path.display()).into());
    }
    Ok(std::fs::read_to_string(path).with_context(cannot)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_the_user_is_one_more_or_takes_the_place_of_the_shipped_one() {
        let dir = tempfile::tempdir().unwrap();
        let entry = |name: &str, id: u64| {
            format!(
                "[[chains]]\nname = \"{name}\"\nfamily = \"evm\"\nchain_id = {id}\n\
                 native = {{ symbol = \"LAB\", decimals = 18 }}\n"
            )
        };
        let text = format!(
            "schema = \"hansel-chains/1\"\n{}{}",
            entry("lab", 7),
            entry("anvil", 1337)
        );
        std::fs::write(dir.path().join("chains.toml"), text).unwrap();
        let config = Config {
            dir: Some(dir.path().to_owned()),
            data: None,
        };
        let id = |name: &str| config.chain(name).unwrap().evm().map(|one| one.chain_id);
        assert_eq!(id("lab"), Some(7));
        assert_eq!(id("anvil"), Some(1337));
        assert_eq!(id("ethereum"), Some(1));
        assert_eq!(id("bitcoin"), None);
        let chains = config.chains().unwrap();
        let anvils = chains.iter().filter(|one| one.name() == "anvil").count();
        assert_eq!((chains[0].name(), anvils), ("lab", 1));
    }
}
