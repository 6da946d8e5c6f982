//! `hansel prices`: write down what price feeds on chain said when the stolen value moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;

use anyhow::{Context as _, anyhow};

use super::trace::stored_report;
use crate::args::{Common, Exit, PricesArgs};
use crate::config::{Config, is_currency};
use crate::failure::Failure;
use crate::feeds::{self, Line, lines};
use crate::output::{Piped, print_json, printable, say};
use crate::sources;

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &PricesArgs) -> Result<Exit, Failure> {
    if let Some(wrong) = args.currency.iter().find(|one| !is_currency(one)) {
        return Err(Failure::usage(
            anyhow!("`{}` is not a currency", wrong.escape_debug()),
            "three capitals, as USD or EUR",
        ));
    }
    let config = Config::new(common);
    let store = sources::reader(common)?;
    let report = stored_report(&config, &store, &args.case).await?.report;
    let listed = config.feeds()?;
    let moved = report.moments();
    let (wanted, missing) = feeds::wanted(&listed, &moved, &args.currency);
    let mut opened = BTreeMap::new();
    let mut found: BTreeSet<Line> = BTreeSet::new();
    for one in &wanted {
        let name = &one.feed.chain;
        if !opened.contains_key(name) {
            let source = sources::open(&args.source, &config, &config.chain(name)?)?;
            opened.insert(name.clone(), source);
        }
        let (pair, moments) = (&one.feed.pair, one.moments.len());
        if !common.quiet {
            say(&format!(
                "{pair} in {}: asking for {moments} moments",
                one.currency
            ));
        }
        let (told, without) = lines(opened[name].as_ref(), one).await?;
        found.extend(told);
        if without > 0 {
            say(&format!(
                "{pair} in {}: no price at {without} of them",
                one.currency
            ));
        }
    }
    for what in &missing {
        say(&format!("no feed prices {}", printable(what)));
    }
    write(common, args, &found)?;
    Ok(Exit::Complete)
}

fn write(common: &Common, args: &PricesArgs, lines: &BTreeSet<Line>) -> Result<(), Failure> {
    let Some(path) = &args.output else {
        if common.json {
            return Ok(print_json(lines)?);
        }
        return Ok(write_csv(lines, Piped::default()).context("cannot write the prices")?);
    };
    let cannot = || format!("cannot write {}", path.display());
    let file = File::create(path).with_context(cannot)?;
    write_csv(lines, file).with_context(cannot)?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// The form that `--prices` reads.
fn write_csv(lines: &BTreeSet<Line>, out: impl io::Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["time", "asset", "currency", "price", "source"])?;
    for line in lines {
        let Line {
            asset,
            currency,
            time,
            price,
            source,
        } = line;
        csv.write_record([time, asset, currency, price, source])?;
    }
    Ok(csv.flush()?)
}
