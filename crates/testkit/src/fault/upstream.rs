//! Where a fault proxy gets its honest answers.

use std::fmt;
use std::io;

use crate::http::{HttpReply, HttpRequest};
use crate::rpc::base64;

type Answer = dyn Fn(&HttpRequest) -> HttpReply + Send + Sync;

/// A server, or a function in its place.
pub(super) enum Upstream {
    Server {
        authority: String,
        prefix: String,
        authorization: Option<String>,
    },
    Function(Box<Answer>),
}

impl Upstream {
    pub(super) fn at(url: &str) -> io::Result<Self> {
        let rest = url.strip_prefix("http://");
        let rest =
            rest.ok_or_else(|| io::Error::other("the upstream's URL starts with http://"))?;
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, authority) = match place.rsplit_once('@') {
            None => (None, place),
            Some((credentials, authority)) => (Some(credentials), authority),
        };
        let path = path.trim_end_matches('/');
        Ok(Self::Server {
            authority: authority.to_owned(),
            prefix: if path.is_empty() {
                String::new()
            } else {
                format!("/{path}")
            },
            authorization: credentials.map(|text| format!("Basic {}", base64(text.as_bytes()))),
        })
    }

    pub(super) fn function(
        answer: impl Fn(&HttpRequest) -> HttpReply + Send + Sync + 'static,
    ) -> Self {
        Self::Function(Box::new(answer))
    }

    /// The honest answer; status 502 where there is none.
    pub(super) fn send(&self, request: &HttpRequest) -> HttpReply {
        let Self::Server {
            authority,
            prefix,
            authorization,
        } = self
        else {
            return self.call(request);
        };
        let own = request.authorization.clone();
        let forwarded = HttpRequest {
            path: format!("{prefix}{}", request.path),
            authorization: own.or_else(|| authorization.clone()),
            ..request.clone()
        };
        let reply = forwarded.send(authority);
        reply.unwrap_or_else(|error| HttpReply::text(502, error.to_string()))
    }

    fn call(&self, request: &HttpRequest) -> HttpReply {
        match self {
            Self::Function(answer) => answer(request),
            Self::Server { .. } => HttpReply::text(502, "not a function"),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server { authority, .. } => write!(f, "Server({authority})"),
            Self::Function(_) => write!(f, "Function"),
        }
    }
}
