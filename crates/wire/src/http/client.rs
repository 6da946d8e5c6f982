//! Builds the HTTP client of an endpoint.

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Proxy};
use url::Url;

use super::HttpOptions;
use super::verdict::REDIRECTS;

const USER_AGENT: &str = concat!("hansel/", env!("CARGO_PKG_VERSION"));

/// Says why an endpoint cannot be asked over HTTP at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClientError {
    /// The URL has another scheme than HTTP, or no host.
    #[error("an HTTP endpoint starts with http:// or https:// and names a host")]
    NotHttp,
    /// The proxy's URL cannot be used; it is not repeated, because it may hold a password.
    #[error("the proxy's URL is not of the form http://, socks5:// or socks5h://HOST:PORT")]
    Proxy,
    /// The client cannot be built, as on a system without root certificates.
    #[error("no HTTPS client can be made on this system: {0}")]
    Build(String),
}

pub(super) fn build(base: &Url, options: &HttpOptions) -> Result<Client, ClientError> {
    let limits = &options.limits;
    let builder = client_builder(base)
        .connect_timeout(limits.connect_timeout)
        .read_timeout(limits.idle_timeout)
        .timeout(limits.timeout)
        .pool_max_idle_per_host(limits.concurrency)
        .redirect(Policy::custom(follow_on_the_same_origin));
    let builder = match &options.proxy {
        Some(url) => builder.proxy(through(url)?),
        None => builder,
    };
    builder
        .build()
        .map_err(|error| ClientError::Build(causes(&error)))
}

/// A client to build on, which ignores proxies named in the environment.
pub(crate) fn client_builder(base: &Url) -> ClientBuilder {
    // An error means that a provider has been installed before, which serves as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().user_agent(USER_AGENT).no_proxy();
    trusting(builder, base)
}

/// The host, with the port where it is not the scheme's own.
pub(crate) fn host_and_port(base: &Url) -> Result<String, ClientError> {
    let host = base
        .host_str()
        .filter(|_| matches!(base.scheme(), "http" | "https"));
    let host = host.ok_or(ClientError::NotHttp)?;
    Ok(match base.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Without TLS no root certificates are needed, which a small system may not have.
fn trusting(builder: ClientBuilder, base: &Url) -> ClientBuilder {
    if base.scheme() == "https" {
        builder
    } else {
        builder.tls_certs_only([])
    }
}

/// Names are always resolved by the proxy: a local look-up would tell others which endpoint is asked.
pub(crate) fn through(url: &Url) -> Result<Proxy, ClientError> {
    let mut url = url.clone();
    match url.scheme() {
        "http" | "socks5h" => {}
        "socks5" => url.set_scheme("socks5h").map_err(|()| ClientError::Proxy)?,
        _ => return Err(ClientError::Proxy),
    }
    Proxy::all(url).map_err(|_| ClientError::Proxy)
}

/// A redirect that is not followed is looked at when the answer is judged.
fn follow_on_the_same_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let previous = attempt.previous();
    let stays = previous
        .last()
        .is_some_and(|from| from.origin() == attempt.url().origin());
    if stays && previous.len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// An error and its causes in one text; reqwest's own text may name the URL, so that is taken out first.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
