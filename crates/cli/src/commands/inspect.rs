//! `hansel inspect`: what one transaction is, and what the detectors recognise in it.

mod line;
mod lines;
mod shown;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use hansel_heuristics::Labels;
use hansel_ledger::{
    BlockRef, Chain, ChainSource, EvmFact, EvmQuery, Fact, Query, Subject, UnixTime,
};
use hansel_store::Store;

use crate::args::{Common, Exit, InspectArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::{labels, sources};

use shown::Output;

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &InspectArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    if let Some(path) = &args.jsonl {
        let chain = config.chain(args.chain.as_deref().unwrap_or("bitcoin"))?;
        if chain.network().is_none() {
            let cause = anyhow!("{chain} is an EVM chain");
            return Err(Failure::usage(
                cause,
                "--jsonl reads transactions of Bitcoin chains",
            ));
        }
        return tokio::task::block_in_place(|| lines::run(&chain, path));
    }
    let reader = Reader {
        store: sources::existing_store(common)?,
        config: &config,
        args,
    };
    let at_hand = labels::at_hand(&config)?;
    for warning in &at_hand.warnings {
        say(&format!("warning: {warning}"));
    }
    let mut outputs = Vec::new();
    let mut exit = Exit::Complete;
    for text in &args.transactions {
        match reader.inspect(text, &at_hand.book).await? {
            Some(output) => outputs.push(output),
            None => exit = Exit::Partial,
        }
    }
    if outputs.is_empty() {
        return Err(Failure::advised(
            anyhow!("no transaction could be read"),
            "check the ids and the chain, or try another --endpoint",
        ));
    }
    if common.json {
        print_json(&outputs)?;
    } else {
        let texts: Vec<String> = outputs.iter().map(Output::text).collect();
        print(&texts.join("\n"))?;
    }
    Ok(exit)
}

/// Where transactions are read from.
struct Reader<'a> {
    store: Option<Store>,
    config: &'a Config,
    args: &'a InspectArgs,
}

impl Reader<'_> {
    /// Inspects one transaction; `None`, and a word on standard error, where nobody could tell it.
    async fn inspect(&self, text: &str, labels: &dyn Labels) -> Result<Option<Output>, Failure> {
        let evm = text.starts_with("0x") || text.starts_with("0X");
        let usual = if evm { "ethereum" } else { "bitcoin" };
        let chain = self
            .config
            .chain(self.args.chain.as_deref().unwrap_or(usual))?;
        let query = query(text, &chain)?;
        let fact = match self.kept(&chain, &query)? {
            Some(fact) => Ok(fact),
            None => self.asked(&chain, &query).await?,
        };
        Ok(match fact {
            Ok(Fact::Transaction(statement)) => Some(Output::bitcoin(&chain, &statement, labels)),
            Ok(Fact::Evm(EvmFact::Transaction(transaction))) => {
                Some(Output::evm(&chain, &transaction, labels))
            }
            Ok(_) => return Err(anyhow!("an answer of another kind than the question").into()),
            Err(reason) => {
                say(&format!("{text}: {reason}"));
                None
            }
        })
    }

    /// What the store holds of earlier traces, unless an endpoint or a recording is named.
    fn kept(&self, chain: &Chain, query: &Query) -> Result<Option<Fact>, Failure> {
        let source = &self.args.source;
        let Some(store) = &self.store else {
            return Ok(None);
        };
        if source.replay.is_some() || !source.endpoint.is_empty() {
            return Ok(None);
        }
        let Some(newest) = store.known_headers(chain).next().transpose()? else {
            return Ok(None);
        };
        let (height, hash) = newest;
        // The time of the newest block plays no part in the question.
        let pinned = BlockRef {
            height,
            hash,
            time: UnixTime(0),
        };
        Ok(store.answer(chain, query, &pinned)?)
    }

    /// What the endpoints tell, or why they do not.
    async fn asked(&self, chain: &Chain, query: &Query) -> Result<Result<Fact, String>, Failure> {
        let source: Arc<dyn ChainSource> = sources::open(&self.args.source, self.config, chain)?;
        let answer = source.answer(query).await;
        Ok(answer.map(|answer| answer.fact).map_err(|error| {
            say(&format!("note: {error}"));
            error.class.reason().to_owned()
        }))
    }
}

fn query(text: &str, chain: &Chain) -> Result<Query, Failure> {
    let subject = Subject::parse(text, chain)
        .with_context(|| format!("`{}` is no transaction", text.escape_debug()))
        .map_err(Failure::misuse)?;
    match subject {
        Subject::Transaction(txid) => Ok(Query::Transaction { txid, height: None }),
        Subject::EvmTransaction(hash) => Ok(Query::Evm(EvmQuery::Transaction { hash })),
        Subject::Output(_)
        | Subject::Script { .. }
        | Subject::EvmMovement { .. }
        | Subject::Account(_) => Err(Failure::usage(
            anyhow!("`{}` is no transaction", text.escape_debug()),
            "give a transaction id, or a transaction hash of an EVM chain",
        )),
    }
}
