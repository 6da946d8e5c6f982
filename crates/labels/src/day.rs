//! Calendar days, by which sources say since when they say something.

use std::fmt;
use std::str::FromStr;

use hansel_ledger::UnixTime;

/// A day of the calendar in UTC; the order is that of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(String);

/// The text is no day.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a date as in 2024-05-31")]
pub struct NotADay;

impl Day {
    /// The day of a moment; the last one that can be written for moments after it.
    pub fn of(moment: UnixTime) -> Self {
        moment
            .to_string()
            .parse()
            .unwrap_or_else(|NotADay| Self("9999-12-31".into()))
    }

    /// As in `2024-05-31`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Day {
    type Err = NotADay;

    /// Reads a date, with or without a time of the day after it, which is dropped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (date, time) = text.split_at_checked(10).ok_or(NotADay)?;
        let of_a_time = |b: u8| b.is_ascii_digit() || b"T:.Z+- ".contains(&b);
        let separated = time.is_empty() || time.starts_with(['T', ' ']);
        if !separated || time.len() > 30 || !time.bytes().all(of_a_time) {
            return Err(NotADay);
        }
        let parsed: Result<UnixTime, _> = date.parse();
        parsed.map(|_| Self(date.to_owned())).map_err(|_| NotADay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_of_the_calendar_and_a_time_after_them_is_dropped() {
        let day: Day = "2024-02-29".parse().unwrap();
        assert_eq!(day.as_str(), "2024-02-29");
        assert_eq!("2024-02-29 12:00:00".parse(), Ok(day.clone()));
        assert_eq!("2024-02-29T12:00:00+01:00".parse(), Ok(day));
        for wrong in [
            "",
            "2023-02-29",
            "2024-2-9",
            "2024-02-29x",
            "29.02.2024",
            "2024-02-2\u{e9}",
            "2024-02-29 <b>",
        ] {
            assert_eq!(wrong.parse::<Day>(), Err(NotADay), "{wrong}");
        }
    }

    #[test]
    fn the_day_of_a_moment_is_in_utc() {
        assert_eq!(Day::of(UnixTime(1_717_113_240)).as_str(), "2024-05-30");
        assert_eq!(Day::of(UnixTime(u64::MAX)).as_str(), "9999-12-31");
    }
}
