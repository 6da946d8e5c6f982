//! Decides what an HTTP answer means, from its head and body alone.

use std::time::Duration;

use hansel_ledger::ErrorClass;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use serde::Deserialize;
use serde::de::IgnoredAny;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::setback::Setback;
use crate::wire::one_line;

/// Redirects that are followed, all on the same scheme, host and port.
pub(super) const REDIRECTS: usize = 3;
/// Characters of an endpoint's own words that are passed on.
const LONGEST_QUOTE: usize = 120;

/// The head of an answer.
pub(super) struct Head {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

impl Head {
    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn is_html(&self, body: &[u8]) -> bool {
        let declared = self.text(&CONTENT_TYPE).unwrap_or_default();
        let start = body.trim_ascii_start();
        let start = start
            .get(..start.len().min(14))
            .unwrap_or_default()
            .to_ascii_lowercase();
        declared.to_ascii_lowercase().contains("html")
            || start.starts_with(b"<!doctype html")
            || start.starts_with(b"<html")
    }

    /// The pause asked for, in seconds or as a date, which is read against the endpoint's own clock.
    fn pause(&self) -> Option<Duration> {
        let wish = self.text(&RETRY_AFTER)?.trim();
        if let Ok(seconds) = wish.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = |text| OffsetDateTime::parse(text, &Rfc2822).ok();
        let pause = date(wish)? - date(self.text(&DATE)?)?;
        // A date that has passed asks for no pause.
        Some(Duration::try_from(pause).unwrap_or_default())
    }
}

/// The members that make an object a JSON-RPC answer.
#[derive(Deserialize)]
struct RpcAnswer {
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// True for an answer of status 200, or of a node to a call: a node says that a call failed with statuses
/// 404 and 500 and the usual JSON-RPC object.
pub(super) fn judge(is_call: bool, head: &Head, body: Vec<u8>) -> Result<Vec<u8>, Setback> {
    match head.status {
        StatusCode::TOO_MANY_REQUESTS => Err(refusal(head)),
        StatusCode::OK if head.is_html(&body) => Err(Setback::new(
            ErrorClass::Malformed,
            "an HTML page instead of data",
        )),
        StatusCode::OK => Ok(body),
        _ if is_call && is_rpc_answer(&body) => Ok(body),
        status if status.is_redirection() => Err(redirection(head)),
        status if status.is_client_error() => Err(client_error(is_call, status, &body)),
        StatusCode::NOT_IMPLEMENTED => Err(with_status(ErrorClass::Unsupported, head.status)),
        status if status.is_server_error() => Err(Setback {
            pause: head.pause(),
            ..with_status(ErrorClass::Unreachable, status)
        }),
        status => Err(with_status(ErrorClass::Malformed, status)),
    }
}

fn is_rpc_answer(body: &[u8]) -> bool {
    let answer: Result<RpcAnswer, _> = serde_json::from_slice(body);
    answer.is_ok_and(|answer| answer.result.is_some() || answer.error.is_some())
}

fn with_status(class: ErrorClass, status: StatusCode) -> Setback {
    Setback::new(class, format!("HTTP {}", status.as_u16()))
}

fn refusal(head: &Head) -> Setback {
    Setback {
        pause: head.pause(),
        ..Setback::new(ErrorClass::RateLimited, "HTTP 429: too many requests")
    }
}

/// What a refused request means.
///
/// Requests are built from parsed ids, so 400 never says that an id is misspelt: the endpoint lacks the call,
/// or its limits forbid the answer. Blockstream's electrs says "Too many history entries", that of
/// mempool.space "Too many unspent transaction outputs", both with 400.
fn client_error(is_call: bool, status: StatusCode, body: &[u8]) -> Setback {
    let words = one_line(&String::from_utf8_lossy(body), LONGEST_QUOTE);
    let lower = words.to_ascii_lowercase();
    let class = match status {
        StatusCode::REQUEST_TIMEOUT => ErrorClass::Unreachable,
        StatusCode::NOT_FOUND | StatusCode::GONE if !is_call => ErrorClass::NotFound,
        _ if lower.contains("too many") || lower.contains("too popular") => ErrorClass::TooPopular,
        StatusCode::BAD_REQUEST if lower.contains("not found") => ErrorClass::NotFound,
        _ => ErrorClass::Unsupported,
    };
    match (class, status) {
        (ErrorClass::NotFound, _) => Setback::new(class, "the endpoint does not have it"),
        (_, StatusCode::UNAUTHORIZED) => Setback::new(
            class,
            "HTTP 401: the endpoint wants other credentials than it was given",
        ),
        _ if words.is_empty() || lower.contains("<html") || lower.contains("<!doctype") => {
            with_status(class, status)
        }
        _ => Setback::new(class, format!("HTTP {}: {words}", status.as_u16())),
    }
}

/// A redirect that was not followed.
fn redirection(head: &Head) -> Setback {
    let target = head.text(&LOCATION).and_then(|to| head.url.join(to).ok());
    let detail = match target {
        None => format!("HTTP {} without a place to go to", head.status.as_u16()),
        Some(target) if target.origin() == head.url.origin() => {
            format!("redirected more than {REDIRECTS} times")
        }
        Some(target) => {
            let origin = target.origin().ascii_serialization();
            format!(
                "redirected to another origin, {}",
                one_line(&origin, LONGEST_QUOTE)
            )
        }
    };
    Setback::new(ErrorClass::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&'static str, &str)]) -> Head {
        let pairs = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        Head {
            url: "https://one.example/api/tx/00".parse().unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: pairs.collect(),
        }
    }

    fn get(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<Vec<u8>, Setback> {
        judge(false, &head(status, headers), body.into())
    }

    fn call(status: u16, body: &str) -> Result<Vec<u8>, Setback> {
        judge(true, &head(status, &[]), body.into())
    }

    #[test]
    fn every_status_gets_the_class_that_says_what_to_do() {
        let cases = [
            (404, "Transaction not found", ErrorClass::NotFound),
            (400, "Block not found", ErrorClass::NotFound),
            (400, "Invalid hex string", ErrorClass::Unsupported),
            (400, "Too many history entries", ErrorClass::TooPopular),
            (401, "", ErrorClass::Unsupported),
            (403, "<html>blocked</html>", ErrorClass::Unsupported),
            (408, "", ErrorClass::Unreachable),
            (429, "", ErrorClass::RateLimited),
            (204, "", ErrorClass::Malformed),
            (301, "", ErrorClass::Malformed),
            (500, "", ErrorClass::Unreachable),
            (501, "", ErrorClass::Unsupported),
            (503, "", ErrorClass::Unreachable),
        ];
        for (status, body, class) in cases {
            let setback = get(status, &[], body).unwrap_err();
            assert_eq!(setback.class, class, "{status} {body}");
            assert!(!setback.detail.contains('<'), "{}", setback.detail);
        }
        assert_eq!(get(200, &[], "[]"), Ok(b"[]".to_vec()));
    }

    #[test]
    fn an_html_page_is_not_data_whatever_it_is_declared_as() {
        for (kind, body) in [
            ("text/html; charset=utf-8", "checking your browser"),
            ("application/json", " \n<!DOCTYPE HTML><p>checking"),
            ("text/plain", "<html>"),
        ] {
            let setback = get(200, &[("content-type", kind)], body).unwrap_err();
            assert_eq!(setback.class, ErrorClass::Malformed);
            assert!(setback.detail.contains("HTML"), "{}", setback.detail);
        }
    }

    #[test]
    fn a_pause_is_read_in_seconds_and_as_a_date_of_the_endpoints_clock() {
        let now = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let pause = |after| {
            get(429, &[now, ("retry-after", after)], "")
                .unwrap_err()
                .pause
        };
        assert_eq!(pause("17"), Some(Duration::from_secs(17)));
        assert_eq!(
            pause("Sun, 06 Nov 1994 08:50:07 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:07 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("-3"), None);
        assert_eq!(pause("soon"), None);
    }

    #[test]
    fn a_redirect_that_leaves_the_host_is_named_without_its_path() {
        let to = |place| get(302, &[("location", place)], "").unwrap_err().detail;
        assert_eq!(
            to("https://two.example/secret?key=1"),
            "redirected to another origin, https://two.example"
        );
        assert!(to("http://one.example/api/tx/00").contains("another origin, http://one.example"));
        assert_eq!(to("/elsewhere"), "redirected more than 3 times");
    }

    #[test]
    fn a_node_may_answer_a_call_with_an_error_status() {
        let refused = r#"{"result":null,"error":{"code":-5,"message":"No such"},"id":1}"#;
        for status in [200, 404, 500] {
            assert_eq!(call(status, refused), Ok(refused.into()));
        }
        assert_eq!(
            call(404, "Not found").unwrap_err().class,
            ErrorClass::Unsupported
        );
        assert_eq!(call(500, "{}").unwrap_err().class, ErrorClass::Unreachable);
        let busy = call(503, "Work queue depth exceeded").unwrap_err();
        assert_eq!(busy.class, ErrorClass::Unreachable);
    }
}
