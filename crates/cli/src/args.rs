//! The command line.

mod labels;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hansel_graph::{Direction, FeeRule, Rule};
use hansel_ledger::{Amount, Share};
use hansel_report::Format;

pub(crate) use labels::{
    ExportArgs, FormatArg, ImportArgs, LabelsArgs, LabelsCommand, ListArgs, LookupArgs, RemoveArgs,
};

/// The exit codes, for the help and the manual page.
pub(crate) const EXIT_CODES: &str =
    "Exit codes: 0 complete, 1 failed, 2 usage, 3 finished but some coverage is partial.";

/// Follow stolen money on chain
///
/// Give a theft (a known case, a transaction, an output or an address) and get an exact account of where the
/// money went, what is not known, and why.
#[derive(Debug, Parser)]
#[command(name = "hansel", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Keep cases and evidence in DIR [default: the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Read chains, endpoints and cases from DIR before the shipped ones
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Print the result as JSON; completions and the manual page have no such form
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say less on standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Follow the money from a theft
    Trace(Box<TraceArgs>),
    /// Bring traced cases up to the newest block, reading new blocks once for all of them
    Rescan(RescanArgs),
    /// Show traced cases on the terminal and bring them up to every new block
    Watch(WatchArgs),
    /// Write the report of a traced case
    Report(ReportArgs),
    /// Ask price feeds on chain what stolen value was worth when it moved, for `report --prices`
    Prices(PricesArgs),
    /// Say why an output, transaction or address is tainted
    Explain(ExplainArgs),
    /// Say what a transaction is: what moved, and what the detectors recognise
    Inspect(InspectArgs),
    /// List the known cases and the traced ones
    Cases(CasesArgs),
    /// Say what others call addresses, and take in lists of such labels
    Labels(LabelsArgs),
    /// List the configured endpoints and say what they can do
    Endpoints(EndpointsArgs),
    /// Trace the shipped recorded thefts, offline
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page in roff
    Man,
}

/// Where facts come from.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SourceArgs {
    /// Ask this endpoint instead of the configured ones; repeat it for more
    #[arg(long, value_name = "[CHAIN:][KIND=]URL")]
    pub(crate) endpoint: Vec<String>,
    /// Answer from recordings in DIR, without any network
    #[arg(long, value_name = "DIR", conflicts_with_all = ["endpoint", "record"])]
    pub(crate) replay: Option<PathBuf>,
    /// Record every answer in DIR, so that the trace can be replayed
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// Connect through a proxy, as in socks5h://127.0.0.1:9050 for Tor
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Send a request that failed for the moment up to N more times [default: 5]
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u32>,
    /// Wait at most this long for an answer [default: 60 while nothing arrives, 180 in all]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: Option<u64>,
}

/// Arguments of `hansel trace`.
#[derive(Clone, Debug, Args)]
pub(crate) struct TraceArgs {
    /// Known case, case file, TXID, TXID:VOUT, transaction hash, HASH:log:INDEX, HASH:call:PATH or address
    #[arg(required = true, value_name = "SUBJECT")]
    pub(crate) subjects: Vec<String>,
    /// Chain of the subjects [default: bitcoin, or every chain of the case]
    #[arg(long, value_name = "NAME")]
    pub(crate) chain: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Settle under these rules: fifo, lifo, haircut, tiho, seniority, reverse-seniority, poison [default:
    /// fifo,haircut]
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
    pub(crate) rule: Vec<Rule>,
    /// Draw fees after the outputs (last), or from every segment of the pool first (pro-rata) [default: last]
    #[arg(long, value_name = "RULE")]
    pub(crate) fee_rule: Option<FeeRule>,
    /// Follow to where the money went (forward), or to where it came from (backward) [default: forward]
    #[arg(long, value_name = "DIRECTION")]
    pub(crate) direction: Option<Direction>,
    /// Visit transactions up to N hops from the theft [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) hops: Option<u32>,
    /// Follow an output that carries at least this share of some seed, or an account that holds at least this share
    /// of all that was stolen of a coin [default: 0.001]
    #[arg(long, value_name = "SHARE")]
    pub(crate) min_share: Option<Share>,
    /// Follow an output that carries at least this many base units of taint [default: 0]
    #[arg(long, value_name = "UNITS")]
    pub(crate) min_amount: Option<Amount>,
    /// Visit at most N transactions, or coins of accounts [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) max_nodes: Option<u64>,
    /// Ask at most N questions; each is a request or more, retries not counted [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<u64>,
    /// Do not follow an account with more than N transfers of the coin: it is a hub [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) hub: Option<u64>,
    /// Follow value through this contract, service or mix, or through every mix (`coinjoins`); repeat it for more
    #[arg(long, value_name = "ADDRESS|TXID")]
    pub(crate) through: Vec<String>,
    /// End trails at this address or mix, and say who holds it; repeat it for more
    #[arg(long, value_name = "ADDRESS[=ENTITY]")]
    pub(crate) stop: Vec<String>,
    /// List payments on other chains that may be what a bridge without a link took: by asset, amount and time alone
    #[arg(long)]
    pub(crate) candidates: bool,
    /// Follow this listed payment as if it were what the bridge took; repeat it for more
    #[arg(long, value_name = "ID", value_parser = candidate_id)]
    pub(crate) follow_candidate: Vec<String>,
    /// Count this token as stolen when an address received it, besides the known ones; repeat it for more
    #[arg(long, value_name = "CONTRACT")]
    pub(crate) asset: Vec<String>,
    /// Look at blocks up to this height or time only; a date means its first second, 00:00:00 UTC
    #[arg(long, value_name = "HEIGHT|TIME")]
    pub(crate) until: Option<String>,
    /// Count what an address received from this height or time on; a date means its first second in UTC
    #[arg(long, value_name = "HEIGHT|TIME")]
    pub(crate) since: Option<String>,
    /// Name the case, in place of one of the same name [default: the case file's name, or made from the subjects]
    #[arg(long, value_name = "CASE")]
    pub(crate) name: Option<String>,
    /// List the endpoints asked in the report, which then differs from run to run
    #[arg(long)]
    pub(crate) with_sources: bool,
    /// Show what transfers were worth at their time, by the prices in FILE (CSV: time,asset,currency,price,source)
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

/// Arguments of `hansel rescan`.
#[derive(Debug, Args)]
pub(crate) struct RescanArgs {
    /// The cases to bring up to date
    #[arg(required_unless_present = "all", value_name = "CASE")]
    pub(crate) cases: Vec<String>,
    /// Bring every traced case up to date
    #[arg(long, conflicts_with = "cases")]
    pub(crate) all: bool,
    /// Read Bitcoin blocks from a node's `blocks` directory instead of asking for them
    #[arg(long, value_name = "DIR")]
    pub(crate) blocks: Option<PathBuf>,
    /// Stay and bring the cases up to every new block, until Ctrl-C
    #[arg(long, conflicts_with_all = ["replay", "record"])]
    pub(crate) follow: bool,
    /// With --follow, look for new blocks so often, besides when an endpoint tells of one
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: u64,
    #[command(flatten)]
    pub(crate) alerts: AlertArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Arguments of `hansel watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The cases to watch [default: every traced case]
    #[arg(value_name = "CASE")]
    pub(crate) cases: Vec<String>,
    /// Read Bitcoin blocks from a node's `blocks` directory instead of asking for them
    #[arg(long, value_name = "DIR")]
    pub(crate) blocks: Option<PathBuf>,
    /// Look for new blocks so often, besides when an endpoint tells of one
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: u64,
    /// Send alerts to this http:// or https:// URL too, as `hansel rescan` does
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
    /// Run this command for each alert too, as `hansel rescan` does
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// Say of value that moves after so many days at rest that it woke
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) dormant: u64,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Where alerts go, and what they tell.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AlertArgs {
    /// Write alerts to standard output, a line of JSON for each, and everything else to standard error
    #[arg(long, value_name = "FORM", value_enum)]
    pub(crate) alert: Option<AlertForm>,
    /// Send alerts to this http:// or https:// URL, signed with HANSEL_WEBHOOK_SECRET; ${NAME} takes the URL from the
    /// environment
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
    /// Run this command for each alert, which it reads as JSON on standard input; no shell is used
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// Say of value that moves after so many days at rest that it woke
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) dormant: u64,
}

/// The form of alerts on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlertForm {
    /// Lines of JSON.
    Json,
}

/// The id of a candidate, as a finding of a report names it.
fn candidate_id(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("c-").unwrap_or_default();
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if digits.len() == 16 && digits.chars().all(hex) {
        return Ok(text.to_owned());
    }
    Err("a candidate's id is `c-` and 16 digits 0-9a-f, as `--candidates` lists it".into())
}

/// Arguments of `hansel report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The case to report
    #[arg(value_name = "CASE", required_unless_present = "compare")]
    pub(crate) case: Option<String>,
    /// Say what changed between two reports: traced cases, or files that hold a report as JSON
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["case", "format", "output", "prices"])]
    pub(crate) compare: Option<Vec<String>>,
    /// The form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Write to PATH instead of standard output
    ///
    /// A PATH without an ending is given that of the format, so that several formats can have the same. In a directory
    /// files are named after the case. Existing files are replaced; `-` is standard output.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Show what transfers were worth at their time, by the prices in FILE (CSV: time,asset,currency,price,source)
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

/// Arguments of `hansel prices`.
#[derive(Debug, Args)]
pub(crate) struct PricesArgs {
    /// The case whose transfers are priced
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Prices in these currencies
    #[arg(
        long,
        value_name = "CODE,...",
        value_delimiter = ',',
        default_value = "USD"
    )]
    pub(crate) currency: Vec<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Write the CSV to PATH instead of standard output
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `hansel explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The case
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// TXID, TXID:VOUT, address, or the id of a transaction or output in the report
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
}

/// Arguments of `hansel inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Transaction ids of a Bitcoin chain, or transaction hashes of an EVM chain
    #[arg(required_unless_present = "jsonl", value_name = "TX")]
    pub(crate) transactions: Vec<String>,
    /// Chain of the transactions [default: bitcoin, or ethereum for hashes that begin with 0x]
    #[arg(long, value_name = "NAME")]
    pub(crate) chain: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Read Bitcoin transactions from FILE, one JSON object per line, and print one line of findings for each; `-`
    /// reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["transactions", "endpoint", "replay", "record"])]
    pub(crate) jsonl: Option<PathBuf>,
}

/// Arguments of `hansel cases`.
#[derive(Debug, Args)]
pub(crate) struct CasesArgs {
    /// Show everything known of this case
    #[arg(value_name = "CASE")]
    pub(crate) case: Option<String>,
}

/// Arguments of `hansel endpoints`.
#[derive(Debug, Args)]
pub(crate) struct EndpointsArgs {
    /// Only endpoints of this chain
    #[arg(long, value_name = "NAME")]
    pub(crate) chain: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// List only, without asking the endpoints anything
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Arguments of `hansel demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The form of the reports
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Write to files beginning with PATH instead of standard output
    ///
    /// Each case has its own: `x.html` stands for `x-CASE.html`. A PATH without an ending is given that of the format, so
    /// that several formats can have the same. In a directory files are named after the cases. Existing files are
    /// replaced; `-` is standard output.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Show what transfers were worth at their time, by the prices in FILE (CSV: time,asset,currency,price,source)
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

/// The exit codes, as documented in the manual page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exit {
    /// Everything asked for was found out.
    Complete,
    /// The command failed.
    Failed,
    /// The command line was wrong.
    Usage,
    /// Finished, but some coverage is partial.
    Partial,
}

impl Exit {
    /// The worse of two: one that failed, else one that is partial.
    pub(crate) fn or(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Complete => 0,
            Self::Partial => 1,
            Self::Usage => 2,
            Self::Failed => 3,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }

    /// The code for the operating system.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
        }
    }
}
