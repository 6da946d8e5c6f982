//! One request and its answer, read up to a bound.

use hansel_ledger::ErrorClass;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response};

use super::HttpWire;
use super::client::causes;
use super::post::Post;
use super::setback::Setback;
use super::verdict::{Head, judge};
use crate::Request;

/// Bytes that are read of the page that comes with an error status.
const LONGEST_EXCUSE: usize = 64 << 10;

impl HttpWire {
    pub(super) async fn exchange(&self, post: Post<'_>) -> Result<Vec<u8>, Setback> {
        let sent = self.prepared(post)?.send().await;
        let mut response = sent.map_err(|error| self.unanswered(error))?;
        let head = Head {
            url: response.url().clone(),
            status: response.status(),
            headers: response.headers().clone(),
        };
        let wanted = head.status.is_success() || post.is_call();
        let body = if wanted {
            self.body(&mut response).await?
        } else {
            self.excuse(&mut response).await
        };
        judge(post.is_call(), &head, self.secrets.masked(body))
    }

    fn prepared(&self, post: Post<'_>) -> Result<RequestBuilder, Setback> {
        let builder = match post {
            Post::One(Request::Get { path }) => self.client.get(self.below_base(path)?),
            Post::One(Request::Call { .. }) | Post::Batch(_) => {
                let body = post.body(self.version);
                let body = body.ok_or_else(|| {
                    Setback::new(ErrorClass::Unsupported, "only calls can be sent together")
                })?;
                let json = HeaderValue::from_static("application/json");
                let request = self.client.post(self.base.clone());
                request.header(CONTENT_TYPE, json).body(body)
            }
        };
        Ok(match &self.credentials {
            Some(known) => builder.basic_auth(known.user(), Some(known.password())),
            None => builder,
        })
    }

    fn below_base(&self, path: &str) -> Result<url::Url, Setback> {
        let mut bare = self.base.clone();
        bare.set_query(None);
        let base = bare.as_str().trim_end_matches('/');
        let url: Result<url::Url, _> = format!("{base}{path}").parse();
        let below = url.ok().filter(|url| {
            path.starts_with('/') && url.path().starts_with(bare.path().trim_end_matches('/'))
        });
        let below = below.map(|url| with_key(url, self.base.query()));
        below.ok_or_else(|| Setback::new(ErrorClass::Unsupported, "not a path below the endpoint"))
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>, Setback> {
        let longest = self.limits.longest_body;
        let too_long = || {
            let detail = format!("an answer longer than {longest} bytes");
            Setback::new(ErrorClass::Malformed, detail)
        };
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).map_or(true, |announced| announced > longest) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.cut(error))? {
            self.tally.bytes(chunk.len());
            if body.len() + chunk.len() > longest {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The start of an error page. That it is cut off or never ends changes nothing about the error.
    async fn excuse(&self, response: &mut Response) -> Vec<u8> {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            self.tally.bytes(chunk.len());
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_EXCUSE {
                break;
            }
        }
        body.truncate(LONGEST_EXCUSE);
        body
    }

    fn unanswered(&self, error: reqwest::Error) -> Setback {
        if error.is_timeout() {
            return self.too_slow();
        }
        let what = if error.is_connect() {
            "no connection"
        } else {
            "no answer"
        };
        Setback::new(
            ErrorClass::Unreachable,
            format!("{what}: {}", reason(error)),
        )
    }

    fn cut(&self, error: reqwest::Error) -> Setback {
        if error.is_timeout() {
            return self.too_slow();
        }
        let detail = format!("the answer was cut off: {}", reason(error));
        Setback::new(ErrorClass::Unreachable, detail)
    }

    fn too_slow(&self) -> Setback {
        Setback::new(ErrorClass::Unreachable, "no answer in time")
    }
}

/// The URL with the key that the endpoint's own query holds.
fn with_key(mut url: url::Url, key: Option<&str>) -> url::Url {
    if let Some(key) = key {
        let query = match url.query() {
            Some(asked) => format!("{asked}&{key}"),
            None => key.to_owned(),
        };
        url.set_query(Some(&query));
    }
    url
}

/// The innermost cause, which names neither the URL nor the host.
fn reason(error: reqwest::Error) -> String {
    let causes = causes(&error.without_url());
    let last = causes.rsplit(": ").next();
    last.unwrap_or_default().to_owned()
}
