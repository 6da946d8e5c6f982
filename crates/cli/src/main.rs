//! The binary `hansel`: reads the command line, runs one command, prints its result.

mod account_blocks;
mod alerts;
mod args;
mod blocks;
mod case_record;
mod commands;
mod config;
mod course;
mod crossing;
mod depth;
mod drive;
mod failure;
mod feeds;
mod labels;
mod leg;
mod mempool;
mod moved;
mod opinions;
mod output;
mod pass;
mod pin;
mod plan;
mod prices;
mod progress;
mod sources;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Exit};
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Complete
            };
            // A reader that closed the pipe is no reason to panic.
            drop(error.print());
            return ExitCode::from(code.code());
        }
    };
    match run(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.exit().code())
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let Cli { common, command } = cli;
    runtime.block_on(async {
        match command {
            Command::Trace(args) => commands::trace::run(&common, *args).await,
            Command::Rescan(args) => commands::rescan::run(&common, &args).await,
            Command::Watch(args) => commands::rescan::watch::run(&common, args).await,
            Command::Report(args) => commands::report::run(&common, &args).await,
            Command::Prices(args) => commands::prices::run(&common, &args).await,
            Command::Explain(args) => commands::explain::run(&common, &args).await,
            Command::Inspect(args) => commands::inspect::run(&common, &args).await,
            Command::Cases(args) => commands::cases::run(&common, &args),
            Command::Labels(args) => commands::labels::run(&common, &args),
            Command::Endpoints(args) => commands::endpoints::run(&common, &args).await,
            Command::Demo(args) => commands::demo::run(&common, &args).await,
            Command::Completions { shell } => commands::manual::completions(shell),
            Command::Man => commands::manual::man(),
        }
    })
}
