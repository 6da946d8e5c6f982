//! Arguments of `hansel labels`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hansel_heuristics::EntityKind;

/// Arguments of `hansel labels`.
#[derive(Debug, Args)]
pub(crate) struct LabelsArgs {
    #[command(subcommand)]
    pub(crate) command: LabelsCommand,
}

/// What to do with labels.
#[derive(Debug, Subcommand)]
pub(crate) enum LabelsCommand {
    /// Take the labels of files into the data directory, in place of those of the same name
    Import(ImportArgs),
    /// Say what others call an address
    Lookup(LookupArgs),
    /// List the files of labels, or the labels that an option picks
    List(ListArgs),
    /// Write the labels of a file as a TagPack
    Export(ExportArgs),
    /// Forget imported labels
    Remove(RemoveArgs),
}

/// The formats on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// GraphSense's TagPack, in YAML
    Tagpack,
    /// OFAC's list in the advanced format, sdn_advanced.xml
    Ofac,
    /// A table: address,chain,label,actor,category,source,confidence,as_of
    Csv,
}

/// Arguments of `hansel labels import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// TagPack, OFAC's sdn_advanced.xml or CSV file
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Format of the files [default: by their endings .yaml, .yml, .xml, .csv]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<FormatArg>,
    /// Name of the labels, for one file [default: the file's name without its ending]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Leave out labels that are refused and take the rest of their file, as is always done with OFAC's list
    #[arg(long)]
    pub(crate) skip_refused: bool,
}

/// Arguments of `hansel labels lookup`.
#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    /// Address to look up
    #[arg(required = true, value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
    /// Only on this chain [default: every chain that has such addresses]
    #[arg(long, value_name = "NAME")]
    pub(crate) chain: Option<String>,
}

/// Arguments of `hansel labels list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only labels of this kind: exchange, mixer, bridge, service, router, actor or other
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<EntityKind>,
    /// Only labels whose source holds this text, in any case
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: Option<String>,
    /// Only labels of this entity, such as binance
    #[arg(long, value_name = "ID")]
    pub(crate) actor: Option<String>,
    /// Only labels on this chain; evm for those that speak of all EVM chains
    #[arg(long, value_name = "NAME")]
    pub(crate) chain: Option<String>,
    /// Only labels of the file of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) pack: Option<String>,
}

/// Arguments of `hansel labels export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Name of the file of labels, as `hansel labels list` shows it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Write to PATH instead of standard output
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `hansel labels remove`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Name of imported labels, as `hansel labels list` shows it
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}
