//! Seconds since 1970, as block headers count them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time in whole seconds since 1970-01-01 UTC; printed as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixTime(pub u64);

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let formatted = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|moment| moment.format(&Rfc3339).ok());
        match formatted {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} seconds after 1970", self.0),
        }
    }
}

impl FromStr for UnixTime {
    type Err = time::error::Parse;

    /// Reads RFC 3339 (`2024-05-31T04:14:00Z`) or a plain date (`2024-05-31`, meaning midnight UTC).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let full = if text.len() == 10 {
            format!("{text}T00:00:00Z")
        } else {
            text.to_owned()
        };
        let moment = OffsetDateTime::parse(&full, &Rfc3339)?;
        Ok(Self(u64::try_from(moment.unix_timestamp()).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_dates_mean_midnight() {
        assert_eq!(UnixTime(1_717_113_240).to_string(), "2024-05-30T23:54:00Z");
        assert_eq!("2024-05-31".parse(), Ok(UnixTime(1_717_113_600)));
        assert_eq!(
            "2024-05-31T01:00:00+01:00".parse(),
            Ok(UnixTime(1_717_113_600))
        );
        assert!("yesterday".parse::<UnixTime>().is_err());
        assert_eq!(
            UnixTime(u64::MAX).to_string(),
            format!("{} seconds after 1970", u64::MAX)
        );
    }
}
