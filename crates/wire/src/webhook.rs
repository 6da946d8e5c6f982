//! Delivers messages to a webhook: signed, bounded, never redirected, and silent about its secrets.

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, Mac};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use sha2::Sha256;
use url::Url;

use crate::http::{causes, client_builder, host_and_port, through};
use crate::{ClientError, one_line};

/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Characters of a reason that are shown.
const LONGEST_REASON: usize = 300;

/// Names the message, the same in each of its deliveries.
const ID: &str = "x-hansel-id";
/// The seconds since 1970 at which it was sent.
const TIMESTAMP: &str = "x-hansel-timestamp";
/// `v1=` and the HMAC-SHA256 of the timestamp, a full stop and the body, in hexadecimal digits.
const SIGNATURE: &str = "x-hansel-signature";

/// The key that a receiver tells messages of hansel by. It is never printed.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Takes the bytes of the key.
    pub fn new(key: impl Into<Vec<u8>>) -> Self {
        Self(key.into())
    }

    /// The signature of a body that is sent at a time, in seconds since 1970.
    pub fn sign(&self, timestamp: u64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any size");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let digits = mac.finalize().into_bytes();
        let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("v1={digits}")
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(not shown)")
    }
}

/// A place on the network that takes messages.
pub struct Webhook {
    client: Client,
    url: Url,
    /// The host, with the port where it is not the scheme's own: all that is ever said of the URL.
    place: String,
    secret: WebhookSecret,
}

/// Says why a message was not taken, in words without the URL's path, user or password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WebhookError {
    /// Nobody took it now; it may be taken later.
    #[error("the webhook at {place} does not take messages now: {reason}")]
    Later {
        /// The host.
        place: String,
        /// What happened.
        reason: String,
    },
    /// The receiver does not want this message.
    #[error("the webhook at {place} refused a message with status {status}")]
    Refused {
        /// The host.
        place: String,
        /// The status of HTTP.
        status: u16,
    },
}

impl Webhook {
    /// Names a webhook; nothing is sent before the first message. User and password in the URL are sent by HTTP basic
    /// authentication.
    pub fn new(url: Url, secret: WebhookSecret, proxy: Option<&Url>) -> Result<Self, ClientError> {
        let place = host_and_port(&url)?;
        let builder = client_builder(&url)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none());
        let client = match proxy {
            Some(proxy) => builder.proxy(through(proxy)?),
            None => builder,
        };
        let client = client.build();
        Ok(Self {
            client: client.map_err(|error| ClientError::Build(causes(&error.without_url())))?,
            url,
            place,
            secret,
        })
    }

    /// The host, with the port where it is not the scheme's own.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// True where what is sent can be read on its way to another machine.
    pub fn is_open_to_others(&self) -> bool {
        let loopback = match self.url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".onion"),
            None => false,
        };
        self.url.scheme() == "http" && !loopback
    }

    /// Sends a message in JSON once. It is taken where the answer's status is 2xx; a redirect is not followed.
    pub async fn send(&self, id: &str, timestamp: u64, body: Vec<u8>) -> Result<(), WebhookError> {
        let signature = self.secret.sign(timestamp, &body);
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ID, id)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(body);
        match request.send().await {
            Ok(answer) => self.judge(answer.status()),
            Err(error) => Err(self.later(&one_line(&causes(&error.without_url()), LONGEST_REASON))),
        }
    }

    fn judge(&self, status: StatusCode) -> Result<(), WebhookError> {
        let code = status.as_u16();
        match code {
            200..=299 => Ok(()),
            // Misconfigurations of the receiver pass, and so do its limits: nothing may be lost by them.
            300..=399 => Err(self.later(&format!(
                "it redirects with status {code}; name its own URL"
            ))),
            401 | 403 | 404 | 407 | 408 | 425 | 429 | 500..=599 => {
                Err(self.later(&format!("status {code}")))
            }
            _ => Err(WebhookError::Refused {
                place: self.place.clone(),
                status: code,
            }),
        }
    }

    fn later(&self, reason: &str) -> WebhookError {
        WebhookError::Later {
            place: self.place.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// The URL may hold a secret in any of its parts, so only the host is printed.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str) -> Webhook {
        let secret = WebhookSecret::new("Jefe");
        Webhook::new(url.parse().unwrap(), secret, None).unwrap()
    }

    #[test]
    fn a_signature_is_the_hmac_of_timestamp_and_body() {
        // printf '1700000000.{"id":"a"}' | openssl dgst -sha256 -hmac Jefe
        let signed = WebhookSecret::new("Jefe").sign(1_700_000_000, br#"{"id":"a"}"#);
        assert_eq!(
            signed,
            "v1=b0b07c7f580f6dd3e93c8fbec955b9cf9a6c5f31ec1847b90892fbd8efb0adc8"
        );
        let other = WebhookSecret::new("Jefe").sign(1_700_000_001, br#"{"id":"a"}"#);
        assert_ne!(signed, other);
    }

    #[test]
    fn neither_the_secret_nor_the_url_is_shown() {
        let webhook = webhook("http://user:hunter2@one.example/hooks/t0ken?key=s3cret");
        let refused = webhook.judge(StatusCode::GONE).unwrap_err();
        let later = webhook.judge(StatusCode::FOUND).unwrap_err();
        let shown = format!(
            "{webhook:?} {:?} {refused:?} {later} {}",
            webhook.secret,
            webhook.place()
        );
        for secret in ["user", "hunter2", "hooks", "t0ken", "s3cret", "Jefe"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
        assert!(shown.contains("one.example"), "{shown}");
    }

    #[test]
    fn only_plain_http_to_another_machine_is_open_to_others() {
        for open in ["http://one.example", "http://10.0.0.1:80/"] {
            assert!(webhook(open).is_open_to_others(), "{open}");
        }
        for closed in [
            "http://localhost",
            "http://127.0.0.1:9",
            "http://[::1]/",
            "http://abc.onion/",
        ] {
            assert!(!webhook(closed).is_open_to_others(), "{closed}");
        }
        let other = Webhook::new(
            "ftp://one.example".parse().unwrap(),
            WebhookSecret::new("a"),
            None,
        );
        assert_eq!(other.err(), Some(ClientError::NotHttp));
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_was_refused_is_told_apart() {
        let webhook = webhook("http://localhost");
        for status in [StatusCode::OK, StatusCode::NO_CONTENT] {
            assert_eq!(webhook.judge(status), Ok(()));
        }
        let refused = webhook.judge(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(matches!(
            refused,
            Err(WebhookError::Refused { status: 422, .. })
        ));
        for status in [
            StatusCode::BAD_GATEWAY,
            StatusCode::FORBIDDEN,
            StatusCode::MOVED_PERMANENTLY,
        ] {
            assert!(
                matches!(webhook.judge(status), Err(WebhookError::Later { .. })),
                "{status}"
            );
        }
    }
}
