//! Everything that an account received.

use hansel_ledger::{Arrival, Coin, Deposits, Gap, Noise, SourceError};

use super::book::arrivals_of;
use super::inquiry::{Found, Inquiry};
use super::lack::Lacks;
use super::logs::{RowReadings, Rows, deposit_filters, read_rows};

/// Everything that the account of the inquiry received, whatever the inquiry's coin.
pub(crate) async fn deposits(inquiry: Inquiry<'_>) -> Result<Deposits, SourceError> {
    let native = Inquiry {
        coin: Coin::Native,
        ..inquiry
    };
    let (tokens, ether) = futures::try_join!(tokens(&inquiry), ether(&native))?;
    let (of_ether, mut lacks) = ether;
    let (mut arrivals, noise) = tokens.unwrap_or_else(|| {
        let bound = inquiry.bound;
        lacks.from(inquiry.since, Gap::Hub { bound });
        (Vec::new(), Noise::default())
    });
    arrivals.extend(of_ether);
    arrivals.sort_by(|one, next| {
        let key = |arrival: &Arrival| (arrival.placement, arrival.tx, arrival.origin.clone());
        key(one).cmp(&key(next))
    });
    Ok(Deposits {
        address: inquiry.address,
        since: inquiry.since,
        until: inquiry.until,
        arrivals,
        noise,
        coverage: lacks.coverage(inquiry.since, inquiry.until),
    })
}

/// What arrived of tokens; `None` where there is too much of it.
async fn tokens(inquiry: &Inquiry<'_>) -> Result<Option<(Vec<Arrival>, Noise)>, SourceError> {
    let filters = deposit_filters(inquiry.reader.network().wrapped, inquiry.address);
    let found = filters.iter().map(|filter| inquiry.logs(filter));
    let mut rows = Rows::new();
    for more in futures::future::try_join_all(found).await? {
        let Some(more) = more else {
            return Ok(None);
        };
        rows.extend(more);
    }
    let RowReadings {
        mut moved,
        wraps,
        noise,
    } = read_rows(rows);
    moved.retain(|(_, movement)| movement.from != inquiry.address);
    let mut arrivals = inquiry.arrivals(moved).await?;
    let whole = wraps.iter().map(|log| log.transaction_hash).collect();
    for tx in inquiry.in_full(whole).await?.values() {
        let known: Vec<_> = arrivals
            .iter()
            .map(|one| (one.tx, one.origin.clone()))
            .collect();
        let new = arrivals_of(tx, inquiry.address).filter(|arrival| {
            arrival.coin != Coin::Native && !known.contains(&(arrival.tx, arrival.origin.clone()))
        });
        arrivals.extend(new);
    }
    Ok(Some((arrivals, noise)))
}

/// What arrived of the native coin, in transactions of the account's own as well.
async fn ether(inquiry: &Inquiry<'_>) -> Result<(Vec<Arrival>, Lacks), SourceError> {
    let reader = inquiry.reader;
    let nature = reader
        .nature(inquiry.address, inquiry.until, inquiry.notes)
        .await?;
    let ends = inquiry.ends().await?;
    let Found::Entries(draft) = inquiry.find(nature, ends).await? else {
        let mut lacks = Lacks::default();
        let bound = inquiry.bound;
        lacks.from(inquiry.since, Gap::Hub { bound });
        return Ok((Vec::new(), lacks));
    };
    let (transactions, mut arrivals, _) = draft.book.close();
    for tx in &transactions {
        let received = arrivals_of(tx, inquiry.address);
        arrivals.extend(received.filter(|arrival| arrival.coin == Coin::Native));
    }
    Ok((arrivals, draft.lacks))
}
