//! Prices of assets from a CSV file: `time,asset,currency,price,source`.
//!
//! A price is a whole number of some decimal place. Nothing here is a float.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use hansel_ledger::{Amount, UnixTime};

use crate::visible::clipped;

const HEADS: [&str; 5] = ["time", "asset", "currency", "price", "source"];

/// The largest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 << 20;
const LONGEST_TEXT: usize = 200;
/// More digits than any price has, few enough that products fit.
const MOST_DIGITS: usize = 30;

/// A price speaks for transfers up to so many seconds later: two days. Our own choice: daily closing prices have gaps
/// of a day where a source leaves one out.
pub(crate) const LONGEST_AGE: u64 = 172_800;

/// What assets cost in currencies at moments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    currencies: BTreeSet<String>,
    by_asset: BTreeMap<(String, String), BTreeMap<u64, Price>>,
}

/// What one whole unit of an asset cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// The price without its point.
    digits: Amount,
    /// How many digits stand behind the point.
    scale: u32,
    pub(crate) text: String,
    pub(crate) source: String,
}

/// Says why a file of prices is refused.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It cannot be read as CSV.
    #[error("the prices cannot be read")]
    Csv(#[from] csv::Error),
    /// It is too long.
    #[error("the prices are longer than {LONGEST_FILE} bytes")]
    TooLong,
    /// Its first line is another.
    #[error("the first line of the prices is not `time,asset,currency,price,source`")]
    Heads,
    /// A line says something that is no price; what it says is safe to print.
    #[error("line {line} of the prices: {what}")]
    Line {
        /// The number of the line, the first is 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
}

impl Prices {
    /// Reads a whole file, or says which line is wrong.
    pub fn read(file: impl io::Read) -> Result<Self, PricesError> {
        let bounded = Bounded {
            file,
            left: LONGEST_FILE,
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(bounded);
        if reader.headers().map_err(too_long)? != HEADS.as_slice() {
            return Err(PricesError::Heads);
        }
        let mut prices = Self::default();
        for record in reader.records() {
            let record = record.map_err(too_long)?;
            let line = record.position().map_or(0, csv::Position::line);
            let wrong = |what| PricesError::Line { line, what };
            prices.add(&record).map_err(wrong)?;
        }
        Ok(prices)
    }

    fn add(&mut self, record: &csv::StringRecord) -> Result<(), String> {
        let field = |at: usize| record.get(at).unwrap_or_default();
        let [time, asset, currency, price, source] = [0, 1, 2, 3, 4].map(field);
        let time: UnixTime = time
            .parse()
            .map_err(|_| format!("`{}` is not a time", clipped(time, 40)))?;
        for (name, text) in [("asset", asset), ("source", source)] {
            if text.is_empty() || text.chars().count() > LONGEST_TEXT {
                return Err(format!("the {name} takes 1 to {LONGEST_TEXT} characters"));
            }
        }
        let plain = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
        if !plain {
            return Err(format!(
                "`{}` is not a currency of three capitals, as USD",
                clipped(currency, 40)
            ));
        }
        let price = Price::parse(price, source)?;
        self.currencies.insert(currency.to_owned());
        let key = (asset.to_owned(), currency.to_owned());
        let at = self.by_asset.entry(key).or_default();
        match at.insert(time.0, price.clone()) {
            Some(other) if other != price => Err("another line has another price".into()),
            Some(_) | None => Ok(()),
        }
    }

    /// The currencies of the file, sorted.
    pub(crate) fn currencies(&self) -> impl Iterator<Item = &str> {
        self.currencies.iter().map(String::as_str)
    }

    /// The last price up to a moment and its own moment; one of `CHAIN/ASSET` goes before one of `ASSET`.
    pub(crate) fn at(
        &self,
        (chain, asset): (&str, &str),
        currency: &str,
        time: UnixTime,
    ) -> Option<(UnixTime, &Price)> {
        let names = [format!("{chain}/{asset}"), asset.to_owned()];
        let found = names.into_iter().find_map(|name| {
            let prices = self.by_asset.get(&(name, currency.to_owned()))?;
            prices.range(..=time.0).next_back()
        });
        let (at, price) = found?;
        (time.0 - at <= LONGEST_AGE).then_some((UnixTime(*at), price))
    }
}

impl Price {
    fn parse(text: &str, source: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is not a price such as 68401.25", clipped(text, 40));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        let plain = !whole.is_empty()
            && (1..=MOST_DIGITS).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !text.ends_with('.');
        if !plain {
            return Err(wrong());
        }
        Ok(Self {
            digits: digits.parse().map_err(|_| wrong())?,
            scale: u32::try_from(fraction.len()).map_err(|_| wrong())?,
            text: text.to_owned(),
            source: source.to_owned(),
        })
    }

    /// What an amount in base units was worth, in hundredths of the currency, rounded half up; `None` where a number
    /// on the way is too large.
    pub(crate) fn worth(&self, amount: Amount, decimals: u8) -> Option<Amount> {
        let two = Amount::from(2);
        let digits = self.digits.mul_div(two, Amount::from(1)).ok()?;
        let places = u32::from(decimals) + self.scale;
        let doubled = match places.checked_sub(2) {
            Some(places) => amount.mul_div(digits, power(places)?),
            None => {
                let digits = digits.mul_div(power(2 - places)?, Amount::from(1)).ok()?;
                amount.mul_div(digits, Amount::from(1))
            }
        };
        // Half up: what twice the worth is, rounded down, and one more, halved.
        let more = doubled.ok()?.checked_add(Amount::from(1)).ok()?;
        more.mul_div(Amount::from(1), two).ok()
    }
}

/// Ten to this power, where it fits.
fn power(places: u32) -> Option<Amount> {
    let digits = usize::try_from(places)
        .ok()
        .filter(|places| *places <= 76)?;
    format!("1{}", "0".repeat(digits)).parse().ok()
}

/// Reads so many bytes and refuses more.
struct Bounded<R> {
    file: R,
    left: u64,
}

impl<R: io::Read> io::Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let left = u64::try_from(read).map_or(None, |read| self.left.checked_sub(read));
        self.left = left.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(read)
    }
}

fn too_long(error: csv::Error) -> PricesError {
    match error.kind() {
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => PricesError::TooLong,
        _ => PricesError::Csv(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(rows: &str) -> Result<Prices, PricesError> {
        Prices::read(format!("time,asset,currency,price,source\n{rows}").as_bytes())
    }

    fn worth(price: &str, amount: &str, decimals: u8) -> Option<String> {
        let price = Price::parse(price, "s").unwrap();
        let worth = price.worth(amount.parse().unwrap(), decimals)?;
        Some(crate::format_units(worth, 2))
    }

    #[test]
    fn a_worth_is_exact_and_rounded_half_up() {
        assert_eq!(
            worth("68401.25", "450290000000", 8).unwrap(),
            "308,003,988.63"
        );
        assert_eq!(worth("1", "5", 3).unwrap(), "0.01");
        assert_eq!(worth("1", "4", 3).unwrap(), "0.00");
        assert_eq!(worth("0.005", "1", 0).unwrap(), "0.01");
        assert_eq!(worth("3", "7", 0).unwrap(), "21.00");
        let most = format!("1{}", "0".repeat(48));
        assert_eq!(
            worth("2000.5", &most, 18).unwrap(),
            "2,000,500,000,000,000,000,000,000,000,000,000.00"
        );
        assert_eq!(worth("1", "1", 200), None);
    }

    #[test]
    fn the_last_price_up_to_a_transfer_counts_while_it_is_fresh() {
        let rows = "2024-05-30,BTC,USD,10,a\n2024-05-31,BTC,USD,20,b\n2024-05-31,x/BTC,USD,30,c\n";
        let prices = prices(rows).unwrap();
        let at = |chain: &str, time: &str| {
            let found = prices.at((chain, "BTC"), "USD", time.parse().unwrap());
            found.map(|(_, price)| price.text.clone())
        };
        assert_eq!(at("bitcoin", "2024-05-30T23:59:59Z").as_deref(), Some("10"));
        assert_eq!(at("bitcoin", "2024-05-31").as_deref(), Some("20"));
        assert_eq!(at("x", "2024-06-01").as_deref(), Some("30"));
        assert_eq!(at("bitcoin", "2024-06-02").as_deref(), Some("20"));
        assert_eq!(at("bitcoin", "2024-06-02T00:00:01Z"), None);
        assert_eq!(at("bitcoin", "2024-05-29"), None);
    }

    #[test]
    fn a_line_that_is_no_price_is_named_and_never_echoed_raw() {
        let wrong = [
            ("yesterday,BTC,USD,1,s", "line 2"),
            ("2024-05-31,BTC,USD,1e9,s", "not a price"),
            ("2024-05-31,BTC,USD,-1,s", "not a price"),
            ("2024-05-31,BTC,USD,1.,s", "not a price"),
            ("2024-05-31,BTC,usd,1,s", "three capitals"),
            ("2024-05-31,BTC,\u{1b}[2J,1,s", "\\u{1b}"),
            ("2024-05-31,,USD,1,s", "asset"),
            ("2024-05-31,BTC,USD,1,", "source"),
            ("2024-05-31,BTC,USD,1,s\n2024-05-31,BTC,USD,2,s", "line 3"),
        ];
        for (row, words) in wrong {
            let error = prices(row).unwrap_err().to_string();
            assert!(error.contains(words), "{row}: {error}");
            assert!(!error.contains('\u{1b}'));
        }
        let long = format!("2024-05-31,BTC,USD,{},s", "9".repeat(31));
        assert!(prices(&long).is_err());
        assert!(matches!(
            Prices::read(&b"a,b\n"[..]),
            Err(PricesError::Heads)
        ));
    }
}
