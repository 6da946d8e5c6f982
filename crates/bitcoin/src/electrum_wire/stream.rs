//! Opens the byte stream to a server: TCP, through a proxy, with TLS.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_socks::tcp::Socks5Stream;
use url::Url;

use super::connection::Failure;

/// Where a server is and how it is reached.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// May hold a password: never printed.
    pub(super) proxy: Option<Url>,
}

/// A two-way stream of bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens a stream to the server.
pub(super) async fn open(address: &Address) -> Result<Box<dyn Stream>, Failure> {
    let host = address.host.as_str();
    let plain = match &address.proxy {
        None => {
            let tcp = TcpStream::connect((host, address.port)).await;
            let tcp = tcp.map_err(|error| Failure::unreachable(error.to_string()))?;
            tcp.set_nodelay(true)
                .map_err(|error| Failure::unreachable(error.to_string()))?;
            tcp
        }
        Some(proxy) => through(proxy, (host, address.port)).await?,
    };
    if address.tls {
        Ok(Box::new(encrypted(host, plain).await?))
    } else {
        Ok(Box::new(plain))
    }
}

async fn through(proxy: &Url, target: (&str, u16)) -> Result<TcpStream, Failure> {
    let host = proxy
        .host_str()
        .filter(|_| proxy.scheme().starts_with("socks5"));
    let host = host.ok_or_else(|| Failure::unreachable("the proxy is not a socks5:// address"))?;
    let server = (host, proxy.port().unwrap_or(1080));
    let connected = match (proxy.username(), proxy.password()) {
        ("", None) => Socks5Stream::connect(server, target).await,
        (user, password) => {
            let password = password.unwrap_or_default();
            Socks5Stream::connect_with_password(server, target, user, password).await
        }
    };
    let stream = connected.map_err(|error| Failure::unreachable(format!("proxy: {error}")))?;
    Ok(stream.into_inner())
}

async fn encrypted(host: &str, plain: TcpStream) -> Result<TlsStream<TcpStream>, Failure> {
    let tls = |error: &dyn std::fmt::Display| Failure::unreachable(format!("TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| tls(&error))?
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| tls(&error))?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, plain).await;
    stream.map_err(|error: io::Error| tls(&error))
}
