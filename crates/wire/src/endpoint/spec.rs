//! One endpoint as it is named: `[CHAIN:][KIND=]URL`, or an entry of `config/endpoints.toml`.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::EndpointKind;
use crate::wire::one_line;

/// How Etherscan and Blockscout call a key in a query.
const KEY: &str = "apikey=";
/// Characters that an endpoint's text may have.
const LONGEST: usize = 2_000;

/// An endpoint, its kind, and whose chain it serves.
///
/// Printed without the URL's path, which may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointSpec {
    /// The chain's name; `None` for the chain of the run.
    pub chain: Option<String>,
    /// What it speaks.
    pub kind: EndpointKind,
    /// Requests under way at a time; `None` for the default.
    pub concurrency: Option<NonZeroUsize>,
    /// Requests started per second; `None` for no limit.
    pub requests_per_second: Option<NonZeroU32>,
    url: Url,
    /// True where the kind was named and not guessed from the URL.
    told: bool,
}

/// An entry of `config/endpoints.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointEntry {
    /// The chain's name in `config/chains.toml`.
    pub chain: String,
    /// What it speaks.
    pub kind: EndpointKind,
    /// Where it is, without user and password.
    pub url: String,
    /// Requests under way at a time.
    pub concurrency: Option<NonZeroUsize>,
    /// Requests started per second.
    pub requests_per_second: Option<NonZeroU32>,
    /// Who runs it, for a person.
    pub note: Option<String>,
}

/// The content of `config/endpoints.toml`, asked in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// The form of the file.
    pub schema: EndpointsSchema,
    /// The entries.
    #[serde(default)]
    pub endpoints: Vec<EndpointEntry>,
}

/// The forms of `config/endpoints.toml` that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointsSchema {
    /// The first.
    #[serde(rename = "hansel-endpoints/1")]
    V1,
}

/// Says why a text does not name an endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// A user or password in the URL, which is not repeated here.
    #[error(
        "an endpoint's URL must not hold a user, password or query\nhint: set HANSEL_CORE_USER and \
         HANSEL_CORE_PASSWORD, or HANSEL_CORE_COOKIE to the path of the node's .cookie file"
    )]
    Secret,
    /// A query that is not just a key from the environment; it is not repeated here.
    #[error(
        "a key does not belong on the command line or in a file\nhint: write ?apikey=${{NAME}} and set the environment \
         variable NAME"
    )]
    Key,
    /// No URL at all.
    #[error(
        "`{0}` is not an endpoint\nhint: write [CHAIN:][KIND=]URL, as in esplora=https://HOST/api"
    )]
    NotAUrl(String),
    /// A kind that does not exist.
    #[error(
        "`{0}` is not a kind of endpoint\nhint: the kinds are esplora, core, electrum, rpc, blockscout and etherscan"
    )]
    UnknownKind(String),
    /// The URL could mean several kinds.
    #[error(
        "what `{0}` speaks cannot be told from its URL\nhint: write esplora={0}, core={0}, rpc={0} or electrum=tcp://HOST:PORT"
    )]
    Ambiguous(String),
    /// A scheme that the kind does not use.
    #[error("an endpoint of kind {kind} cannot start with {scheme}://\nhint: its URLs start with {}", kind.schemes().join(", "))]
    Scheme {
        /// The kind.
        kind: EndpointKind,
        /// The scheme.
        scheme: String,
    },
    /// An Electrum server without its port.
    #[error(
        "`{0}` lacks its port\nhint: Electrum servers usually listen on 50001 (tcp) or 50002 (ssl)"
    )]
    Port(String),
    /// A variable that the environment lacks.
    #[error("the environment variable {0}, which an endpoint's URL names, is not set")]
    Unset(String),
    /// A name that no chain can have.
    #[error("`{0}` is not a chain's name")]
    Chain(String),
}

impl EndpointSpec {
    /// The base URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// True where the endpoint is an index that only gives hints.
    pub fn gives_hints(&self) -> bool {
        self.kind.gives_hints()
    }

    /// The scheme, host and port, for a person.
    pub fn origin(&self) -> String {
        origin(&self.url)
    }

    /// The endpoint as one of `kinds`, which serve a chain; `None` where it is of another kind.
    ///
    /// A kind that was only guessed from the URL gives way to the only one that could be meant. Fails where
    /// several could.
    pub fn among(&self, kinds: &[EndpointKind]) -> Result<Option<Self>, EndpointError> {
        let as_kind = |kind| Self {
            kind,
            ..self.clone()
        };
        let guess = EndpointKind::of(&self.url);
        let stated = if self.told { Some(self.kind) } else { guess };
        if let Some(kind) = stated.filter(|kind| kinds.contains(kind)) {
            return Ok(Some(as_kind(kind)));
        }
        let scheme = self.url.scheme();
        let mut possible = kinds.iter().filter(|kind| kind.schemes().contains(&scheme));
        match (possible.next(), possible.next()) {
            _ if self.told => Ok(None),
            (Some(kind), None) => Ok(Some(as_kind(*kind))),
            (Some(_), Some(_)) if guess.is_none() => Err(EndpointError::Ambiguous(self.origin())),
            _ => Ok(None),
        }
    }

    /// The endpoint with each part `${NAME}` of its path replaced by what `variable` says of `NAME`.
    ///
    /// The same for the key of an index, `?apikey=${NAME}`. What is put in appears in no message.
    pub fn expanded(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, EndpointError> {
        let parts: Vec<String> = self.url.path().split('/').skip(1).map(Into::into).collect();
        let expand = |part: &String| match variable_in(part) {
            Some(name) => variable(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| EndpointError::Unset(one_line(name, 60)))
                .map(Some),
            None => Ok(None),
        };
        let key = self.url.query().and_then(key_in).map(ToOwned::to_owned);
        if let Some(part) = key
            && let Some(value) = expand(&part)?
        {
            let query = format!("{KEY}{}", encoded(&value));
            self.url.set_query(Some(&query));
        }
        let values = parts.iter().map(expand).collect::<Result<Vec<_>, _>>()?;
        if values.iter().all(Option::is_none) {
            return Ok(self);
        }
        let path: Vec<String> = parts
            .into_iter()
            .zip(values)
            .map(|(part, value)| value.map_or(part, |value| encoded(&value)))
            .collect();
        self.url.set_path(&format!("/{}", path.join("/")));
        Ok(self)
    }

    fn new(
        chain: Option<String>,
        kind: Option<EndpointKind>,
        url: Url,
    ) -> Result<Self, EndpointError> {
        let index = kind.is_some_and(EndpointKind::gives_hints);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Secret);
        }
        match url.query() {
            Some(_) if !index => return Err(EndpointError::Secret),
            Some(query) if key_in(query).and_then(variable_in).is_none() => {
                return Err(EndpointError::Key);
            }
            Some(_) | None => {}
        }
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        if has_host == (url.scheme() == "ipc") || url.path() == "" && !has_host {
            return Err(EndpointError::NotAUrl(origin(&url)));
        }
        let told = kind.is_some();
        // Where the chain leaves a choice, `among` says that it is not known.
        let kind = kind
            .or_else(|| EndpointKind::of(&url))
            .unwrap_or(EndpointKind::Rpc);
        if !kind.schemes().contains(&url.scheme()) {
            let scheme = url.scheme().to_owned();
            return Err(EndpointError::Scheme { kind, scheme });
        }
        if kind == EndpointKind::Electrum && url.port().is_none() {
            return Err(EndpointError::Port(origin(&url)));
        }
        Ok(Self {
            chain,
            kind,
            concurrency: None,
            requests_per_second: None,
            url,
            told,
        })
    }
}

impl FromStr for EndpointSpec {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (before, _) = text.split_once("://").ok_or_else(|| not_a_url(text))?;
        let (prefix, scheme_at) = match before.rfind('=') {
            Some(equals) => (Some(&before[..equals]), equals + 1),
            None => (None, before.rfind(':').map_or(0, |colon| colon + 1)),
        };
        let (chain, kind) = match prefix {
            Some(prefix) => match prefix.split_once(':') {
                Some((chain, kind)) => (Some(chain), Some(kind)),
                None => (None, Some(prefix)),
            },
            None => (before[..scheme_at].strip_suffix(':'), None),
        };
        let url = parse_url(&text[scheme_at..])?;
        let kind = kind
            .map(|kind| {
                kind.parse()
                    .map_err(|()| EndpointError::UnknownKind(one_line(kind, 40)))
            })
            .transpose()?;
        Self::new(chain.map(chain_name).transpose()?, kind, url)
    }
}

impl TryFrom<EndpointEntry> for EndpointSpec {
    type Error = EndpointError;

    fn try_from(entry: EndpointEntry) -> Result<Self, Self::Error> {
        let url = parse_url(&entry.url)?;
        let spec = Self::new(Some(chain_name(&entry.chain)?), Some(entry.kind), url)?;
        Ok(Self {
            concurrency: entry.concurrency,
            requests_per_second: entry.requests_per_second,
            ..spec
        })
    }
}

impl fmt::Display for EndpointSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(chain) = &self.chain {
            write!(f, "{chain}:")?;
        }
        write!(f, "{}={}", self.kind, self.origin())
    }
}

impl fmt::Debug for EndpointSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSpec")
            .field("named", &self.to_string())
            .field("concurrency", &self.concurrency)
            .field("requests_per_second", &self.requests_per_second)
            .finish()
    }
}

fn parse_url(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST);
    url.ok_or_else(|| not_a_url(text))
}

/// The text is repeated only where it cannot hold a password.
fn not_a_url(text: &str) -> EndpointError {
    if text.contains('@') {
        EndpointError::Secret
    } else {
        EndpointError::NotAUrl(one_line(text, 100))
    }
}

fn chain_name(text: &str) -> Result<String, EndpointError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let valid = !text.is_empty() && text.len() <= 40 && text.bytes().all(plain);
    let name = valid.then(|| text.to_owned());
    name.ok_or_else(|| EndpointError::Chain(one_line(text, 40)))
}

fn origin(url: &Url) -> String {
    if url.scheme() == "ipc" {
        return format!("ipc://{}", one_line(url.path(), 260));
    }
    let host = one_line(url.host_str().unwrap_or_default(), 260);
    let port = url
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}", url.scheme())
}

/// The value of a query that is a key and nothing else.
fn key_in(query: &str) -> Option<&str> {
    query.strip_prefix(KEY)
}

/// The name in a part `${NAME}` of a path, whose braces a URL spells as numbers.
fn variable_in(part: &str) -> Option<&str> {
    let opened = part.strip_prefix("$%7B").or(part.strip_prefix("${"))?;
    opened.strip_suffix("%7D").or(opened.strip_suffix('}'))
}

/// A text as one part of a path.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
    let spell = |byte: u8| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<EndpointSpec, EndpointError> {
        text.parse()
    }

    #[test]
    fn an_endpoint_is_read_with_and_without_chain_and_kind() {
        let cases = [
            (
                "esplora=https://blockstream.info/api",
                "esplora=https://blockstream.info",
            ),
            (
                "bitcoin-regtest:core=http://127.0.0.1:18443",
                "bitcoin-regtest:core=http://127.0.0.1:18443",
            ),
            (
                "electrum=tcp://127.0.0.1:50001",
                "electrum=tcp://127.0.0.1:50001",
            ),
            (
                "bitcoin:ssl://electrum.example:50002",
                "bitcoin:electrum=ssl://electrum.example:50002",
            ),
            (
                "https://mempool.space/signet/api",
                "esplora=https://mempool.space",
            ),
            ("http://127.0.0.1:8332", "core=http://127.0.0.1:8332"),
            (
                "bitcoin:https://one.example/api/",
                "bitcoin:esplora=https://one.example",
            ),
            ("core=http://[::1]:8332", "core=http://[::1]:8332"),
        ];
        for (text, shown) in cases {
            let spec = parse(text).map(|spec| spec.to_string());
            assert_eq!(spec.as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn the_shipped_endpoints_are_read_and_serve_chains_that_exist() {
        let config = include_str!("../../../../config/endpoints.toml");
        let chains = include_str!("../../../../config/chains.toml");
        let shipped: Endpoints = toml::from_str(config).unwrap();
        assert!(shipped.endpoints.len() >= 3);
        for entry in shipped.endpoints {
            assert!(
                chains.contains(&format!("name = \"{}\"", entry.chain)),
                "{entry:?}"
            );
            let spec = EndpointSpec::try_from(entry).unwrap();
            assert!(spec.requests_per_second.is_some(), "{spec}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_asked_for_with_a_hint() {
        let cases = [
            ("ipc://host/geth.ipc", "not an endpoint"),
            ("smtp=https://one.example", "not a kind"),
            ("esplora=tcp://one.example:1", "cannot start with tcp"),
            ("electrum=https://one.example", "cannot start with https"),
            ("electrum=tcp://one.example", "lacks its port"),
            ("electrum=one.example:50001", "not an endpoint"),
            ("esplora=https://", "not an endpoint"),
            ("", "not an endpoint"),
            ("Bit coin:esplora=https://one.example", "not a chain's name"),
        ];
        for (text, words) in cases {
            let error = parse(text)
                .map(|spec| spec.to_string())
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_guessed_kind_gives_way_to_the_only_one_that_serves_the_chain() {
        use EndpointKind::{Core, Electrum, Esplora, Rpc};
        let bitcoin = [Esplora, Core, Electrum];
        let among = |text: &str, kinds: &[EndpointKind]| {
            let found = parse(text).unwrap().among(kinds);
            found.map(|spec| spec.map(|spec| spec.kind))
        };
        for text in [
            "http://127.0.0.1:9999",
            "http://127.0.0.1:8545",
            "https://one.example/api/key",
            "ws://127.0.0.1:8546",
            "ipc:///tmp/geth.ipc",
            "anvil:rpc=http://127.0.0.1:8332",
            "rpc=https://one.example/api",
        ] {
            assert_eq!(among(text, &[Rpc]), Ok(Some(Rpc)), "{text}");
        }
        assert_eq!(among("core=http://127.0.0.1:1", &[Rpc]), Ok(None));
        assert_eq!(among("tcp://127.0.0.1:1", &[Rpc]), Ok(None));
        assert_eq!(among("rpc=http://127.0.0.1:1", &bitcoin), Ok(None));
        assert_eq!(among("ws://127.0.0.1:1", &bitcoin), Ok(None));
        assert_eq!(among("http://127.0.0.1:8332", &bitcoin), Ok(Some(Core)));
        let error = among("http://127.0.0.1:3000", &bitcoin).unwrap_err();
        assert!(error.to_string().contains("cannot be told"), "{error}");
    }

    #[test]
    fn a_key_from_the_environment_is_put_into_the_path_and_shown_nowhere() {
        let variable = |name: &str| (name == "KEY").then(|| "hunter2/../x?y".to_owned());
        let spec = parse("rpc=https://one.example/v2/${KEY}").unwrap();
        let spec = spec.expanded(variable).unwrap();
        assert_eq!(spec.url().path(), "/v2/hunter2%2F..%2Fx%3Fy");
        assert_eq!(spec.url().query(), None);
        assert!(!format!("{spec} {spec:?}").contains("hunter2"));
        let missing = parse("rpc=https://one.example/v2/${OTHER}").unwrap();
        let missing = missing.expanded(variable);
        assert_eq!(missing, Err(EndpointError::Unset("OTHER".into())));
        let plain = parse("rpc=https://one.example/v2").unwrap();
        assert_eq!(plain.clone().expanded(variable), Ok(plain));
    }

    #[test]
    fn the_key_of_an_index_comes_from_the_environment_only() {
        let variable = |name: &str| (name == "KEY").then(|| "hunter2&x=1".to_owned());
        for kind in ["etherscan", "blockscout"] {
            let spec = parse(&format!("{kind}=https://one.example?apikey=${{KEY}}")).unwrap();
            assert!(spec.gives_hints());
            let spec = spec.expanded(variable).unwrap();
            assert_eq!(spec.url().query(), Some("apikey=hunter2%26x%3D1"));
            assert!(!format!("{spec} {spec:?}").contains("hunter2"));
            let missing = parse(&format!("{kind}=https://one.example?apikey=${{NO}}")).unwrap();
            let missing = missing.expanded(variable);
            assert_eq!(missing, Err(EndpointError::Unset("NO".into())));
            for typed in ["apikey=hunter2", "key=${KEY}", "apikey=${KEY}&more=hunter2"] {
                let error = parse(&format!("{kind}=https://one.example?{typed}")).unwrap_err();
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{typed}");
                assert_eq!(error, EndpointError::Key, "{typed}");
            }
        }
        let rpc = [EndpointKind::Rpc];
        let index = parse("blockscout=https://one.example").unwrap();
        assert_eq!(index.among(&rpc), Ok(None));
    }

    #[test]
    fn secrets_in_a_url_are_refused_and_never_repeated() {
        for text in [
            "core=http://alice:hunter2@127.0.0.1:8332",
            "core=http://hunter2@127.0.0.1:8332",
            "esplora=https://one.example/api?key=hunter2",
            "alice:hunter2@127.0.0.1:8332",
            "core=http://alice:hunter2@[broken",
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("hunter2"),
                "{error:?}"
            );
            assert_eq!(error, EndpointError::Secret);
        }
        let keyed = parse("esplora=https://one.example/hunter2/api").unwrap();
        assert!(!format!("{keyed} {keyed:?}").contains("hunter2"));
    }
}
