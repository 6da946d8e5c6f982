//! Runs the binary on a replayed case and reads its report.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, iter};

use alloy_primitives::{Address, B256};
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::{Flow, FlowKind};
use hansel_testkit::{EvmServer, FoundFlow, LaunderNet, LaunderScore, score};

/// The id of the replay's chain.
pub(crate) const CHAIN_ID: u64 = 41_041;
pub(crate) const CHAIN: &str = "laundernet";

/// A case behind a server.
pub(crate) struct Scene<'a> {
    pub(crate) case: &'a LaunderNet,
    pub(crate) server: EvmServer,
    /// What the server lacks, in words; empty for an archive node without limits.
    pub(crate) endpoint: &'static str,
    pub(crate) dollar: Address,
    pub(crate) since: u64,
}

/// What is asked of the binary besides the case.
pub(crate) struct Settings {
    /// The rules; a flow counts as found where any of them taints it.
    pub(crate) rules: String,
    /// Options with their values.
    pub(crate) options: Vec<(&'static str, &'static str)>,
    /// Labels to import first, as CSV; empty for none.
    pub(crate) labels: String,
}

/// What came of one trace.
pub(crate) struct Outcome {
    pub(crate) case: String,
    pub(crate) settings: String,
    /// `Err` with the binary's words where it refused.
    pub(crate) found: Result<Found, String>,
    pub(crate) requests: u64,
    pub(crate) calls: u64,
    pub(crate) took: Duration,
}

/// What a report holds.
pub(crate) struct Found {
    pub(crate) score: LaunderScore,
    /// Accounts whose history was read.
    pub(crate) visited: usize,
}

impl Settings {
    pub(crate) fn of(rules: &str) -> Self {
        Self {
            rules: rules.to_owned(),
            options: Vec::new(),
            labels: String::new(),
        }
    }

    /// What changes with the limits.
    pub(crate) fn sweep() -> impl Iterator<Item = Self> {
        let shares = ["0.01", "0.0001", "0.000001"].map(|share| ("--min-share", share));
        let hubs = ["200", "20000"].map(|bound| ("--hub", bound));
        shares.into_iter().chain(hubs).map(|option| Self {
            rules: "haircut".into(),
            options: vec![option],
            labels: String::new(),
        })
    }

    fn name(&self) -> String {
        let options = self
            .options
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        let words: Vec<_> = iter::once(self.rules.clone()).chain(options).collect();
        words.join(" ")
    }
}

impl Scene<'_> {
    /// The report of a trace from the case's sources.
    pub(crate) fn report(&self, settings: &Settings) -> Result<Report, String> {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("chains.toml"), self.chains()).unwrap();
        if !settings.labels.is_empty() {
            import(&settings.labels, home.path());
        }
        self.run(settings, home.path())
    }

    pub(crate) fn trace(&self, settings: &Settings) -> Outcome {
        self.server.reset_counts();
        let started = Instant::now();
        let report = self.report(settings);
        let took = started.elapsed();
        let settings = format!("{} {}", settings.name(), self.endpoint);
        Outcome {
            case: self.case.name.clone(),
            settings: settings.trim().to_owned(),
            found: report.map(|report| self.compare(&report)),
            requests: self.server.requests(),
            calls: self.server.calls().values().sum(),
            took,
        }
    }

    fn compare(&self, report: &Report) -> Found {
        let flows = report.flows.iter().filter_map(|flow| self.found(flow));
        let read = report.nodes.iter().filter(|node| node.coverage.is_some());
        Found {
            score: score(self.case, self.dollar, &flows.collect::<Vec<_>>()),
            visited: read.count(),
        }
    }

    fn chains(&self) -> String {
        let dollar = self.dollar;
        format!(
            "schema = \"hansel-chains/1\"\n\n[[chains]]\nname = \"{CHAIN}\"\nfamily = \"evm\"\nchain_id = {CHAIN_ID}\n\
             native = {{ symbol = \"ETH\", decimals = 18 }}\ntokens = [{{ contract = \"{dollar}\", \
             symbol = \"USD\", decimals = 6, source = \"the replay\" }}]\n"
        )
    }

    fn run(&self, settings: &Settings, home: &Path) -> Result<Report, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
        command.args([
            "trace",
            "--json",
            "--quiet",
            "--chain",
            CHAIN,
            "--rule",
            &settings.rules,
        ]);
        command.args(["--since", &self.since.to_string()]);
        command.args(["--endpoint", &format!("rpc={}", self.server.url())]);
        command
            .arg("--config")
            .arg(home)
            .arg("--data")
            .arg(home.join("data"));
        for (name, value) in &settings.options {
            command.args([name, value]);
        }
        command.args(self.case.sources.iter().map(Address::to_string));
        let run = command.output().unwrap();
        // 3 says that the report names what is not known, such as what lies behind a hub.
        if matches!(run.status.code(), Some(0 | 3)) {
            return Ok(Report::from_json(&run.stdout).unwrap());
        }
        let words = String::from_utf8_lossy(&run.stderr);
        Err(words.lines().take(2).collect::<Vec<_>>().join(" "))
    }

    /// A movement of the dollar with taint under any rule.
    fn found(&self, flow: &Flow) -> Option<FoundFlow> {
        let taint = flow.tainted.values().copied().max()?;
        if flow.kind == FlowKind::Fee || taint == Amount::ZERO || flow.asset != "USD" {
            return None;
        }
        Some(FoundFlow {
            tx: flow.tx.parse::<B256>().ok()?,
            from: account(&flow.from)?,
            to: account(&flow.to)?,
            tainted: u64::try_from(taint.to_u256()).ok()?,
        })
    }
}

/// Imports labels into the data directory of a home.
fn import(csv: &str, home: &Path) {
    let file = home.join("services.csv");
    fs::write(&file, csv).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
    command.args(["labels", "import"]).arg(&file);
    command.arg("--config").arg(home);
    command.arg("--data").arg(home.join("data"));
    let run = command.output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{words}");
}

/// The address of an account's node id.
pub(crate) fn account(node: &str) -> Option<Address> {
    let (_, address) = node.split_once(":account:")?;
    address.parse().ok()
}
