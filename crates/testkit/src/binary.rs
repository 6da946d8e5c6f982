//! Finds the real programs that tests run against.

use std::env;
use std::path::{Path, PathBuf};

/// A program that tests run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Bitcoin Core's daemon.
    Bitcoind,
    /// The Electrum server on top of it.
    Electrs,
    /// Foundry's development node of an EVM chain.
    Anvil,
    /// Hardhat's development node of an EVM chain, which runs on Node.js.
    Hardhat,
    /// The Solidity compiler, which runs on Node.js.
    Solcjs,
    /// The browser that opens the HTML report.
    Chromium,
    /// The package that drives the browser, which runs on Node.js.
    Puppeteer,
}

impl Program {
    /// The file name of the executable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bitcoind => "bitcoind",
            Self::Electrs => "electrs",
            Self::Anvil => "anvil",
            Self::Hardhat => "hardhat",
            Self::Solcjs => "solcjs",
            Self::Chromium => "chromium",
            Self::Puppeteer => "puppeteer-core",
        }
    }

    /// The environment variable that names the executable.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Bitcoind => "BITCOIND",
            Self::Electrs => "ELECTRS",
            Self::Anvil => "ANVIL",
            Self::Hardhat => "HARDHAT",
            Self::Solcjs => "SOLCJS",
            Self::Chromium => "CHROMIUM",
            Self::Puppeteer => "PUPPETEER",
        }
    }

    /// The script that puts it into the cache.
    fn script(self) -> &'static str {
        match self {
            Self::Bitcoind => "scripts/build-bitcoind.sh",
            Self::Electrs => "scripts/build-electrs.sh",
            Self::Anvil | Self::Hardhat | Self::Solcjs => "scripts/install-evm-tools.sh",
            Self::Chromium | Self::Puppeteer => "scripts/install-browser.sh",
        }
    }

    /// Finds the executable: the variable, then `PATH`, then the cache that the build scripts fill.
    ///
    /// A variable that is set to something else than a file finds nothing, so that a wrong setting shows.
    pub fn find(self) -> Option<PathBuf> {
        if let Some(named) = env::var_os(self.variable()).filter(|value| !value.is_empty()) {
            return Some(PathBuf::from(named)).filter(|path| path.is_file());
        }
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .chain(cache())
            .map(|directory| directory.join(self.name()))
            .find(|candidate| candidate.is_file())
    }

    /// Finds the executable, or says on standard error that the test is skipped.
    ///
    /// # Panics
    /// Where `CI` is `true` and the program is absent: nothing is skipped there.
    pub fn require(self) -> Option<PathBuf> {
        let found = self.find();
        if found.is_none() {
            self.report_absence();
        }
        found
    }

    #[expect(
        clippy::print_stderr,
        reason = "a skipped test has no other way to say so"
    )]
    fn report_absence(self) {
        let (name, variable, script) = (self.name(), self.variable(), self.script());
        let message =
            format!("{name} not found: set {variable}, put it on PATH, or run `{script}`");
        assert!(env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("SKIPPED: {message}");
    }
}

/// Finds bitcoind, or says that the test is skipped; fails where `CI` is `true`. See [`Program::require`].
pub fn require_bitcoind() -> Option<PathBuf> {
    Program::Bitcoind.require()
}

/// Finds electrs, or says that the test is skipped; fails where `CI` is `true`. See [`Program::require`].
pub fn require_electrs() -> Option<PathBuf> {
    Program::Electrs.require()
}

/// Finds anvil, or says that the test is skipped; fails where `CI` is `true`. See [`Program::require`].
pub fn require_anvil() -> Option<PathBuf> {
    Program::Anvil.require()
}

/// Finds hardhat, or says that the test is skipped; fails where `CI` is `true`. See [`Program::require`].
pub fn require_hardhat() -> Option<PathBuf> {
    Program::Hardhat.require()
}

/// Finds solcjs, or says that the test is skipped; fails where `CI` is `true`. See [`Program::require`].
pub fn require_solcjs() -> Option<PathBuf> {
    Program::Solcjs.require()
}

/// Finds the browser and what drives it, or says that the test is skipped; fails where `CI` is `true`. See
/// [`Program::require`].
pub fn require_browser() -> Option<(PathBuf, PathBuf)> {
    Program::Chromium
        .require()
        .zip(Program::Puppeteer.require())
}

/// The directory that the build scripts install into.
fn cache() -> Option<PathBuf> {
    let absolute = |name| {
        let path = env::var_os(name).map(PathBuf::from)?;
        path.is_absolute().then_some(path)
    };
    let base = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(Path::new(".cache"))))?;
    Some(base.join("hansel").join("bin"))
}
