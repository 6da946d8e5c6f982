//! Has alerts delivered once cases are up to date.

use anyhow::anyhow;
use hansel_store::Store;

use crate::alerts::{Channels, Delivery};
use crate::args::{Common, Exit, RescanArgs};
use crate::failure::Failure;
use crate::output::say;

/// How often a message is tried where the command line does not say.
const TRIES: u32 = 5;

/// Opens the channels that the command line names.
pub(super) fn open<'a>(
    common: &Common,
    args: &RescanArgs,
    store: &'a Store,
) -> Result<Delivery<'a>, Failure> {
    let channels = Channels::open(&args.alerts, &args.source)?;
    if common.json && channels.takes_stdout() {
        return Err(Failure::usage(
            anyhow!("--json and --alert both write to standard output"),
            "leave one of them out",
        ));
    }
    Ok(Delivery::new(store, channels))
}

/// Delivers what waits; what could not be delivered is kept for the next run.
pub(super) async fn deliver(
    delivery: &mut Delivery<'_>,
    args: &RescanArgs,
) -> Result<Exit, Failure> {
    let left = delivery.drain(args.source.retries.unwrap_or(TRIES)).await?;
    if left.waiting == 0 {
        return Ok(Exit::Complete);
    }
    let named = !delivery.channels().is_empty();
    say(&format!(
        "{} alerts wait in the store: {}",
        left.waiting,
        if named {
            "the next run with the same options sends them"
        } else {
            "name where they go with --alert, --webhook or --exec"
        }
    ));
    Ok(if named { Exit::Failed } else { Exit::Complete })
}
