//! Just enough HTTP/1.1 for a test: one request, one answer, one connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The longest line of a head.
const LONGEST_HEAD: u64 = 64 * 1024;

/// A request as it came or as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The `Authorization` header, which proxies pass on.
    pub authorization: Option<String>,
    /// The body, empty for `GET`.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A GET request.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".into(),
            path: path.into(),
            ..Self::default()
        }
    }

    /// A POST request with a JSON body.
    pub fn post(path: &str, body: Vec<u8>) -> Self {
        Self {
            method: "POST".into(),
            path: path.into(),
            authorization: None,
            body,
        }
    }

    /// Sends the request to `host:port` and reads the answer. Blocks, at most 120 s between two reads.
    pub fn send(&self, authority: &str) -> io::Result<HttpReply> {
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        // In two writes, the second would wait 40 ms for the first one's acknowledgement.
        stream.write_all(&[self.head(authority).as_bytes(), &self.body].concat())?;
        read_reply(&mut BufReader::new(stream))
    }

    fn head(&self, authority: &str) -> String {
        let Self {
            method,
            path,
            authorization,
            body,
        } = self;
        let authorization = authorization
            .as_ref()
            .map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\n{authorization}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
    }
}

impl HttpReply {
    /// An answer of status 200 in JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json".into(),
            body: value.to_string().into_bytes(),
        }
    }

    /// A plain text with its status.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain".into(),
            body: text.into().into_bytes(),
        }
    }

    /// Bytes with status 200.
    pub fn bytes(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            content_type: "application/octet-stream".into(),
            body,
        }
    }
}

/// The value of a header, whose name is compared without regard to case.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Reads up to and including the empty line.
pub(crate) fn read_head(stream: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.by_ref().take(LONGEST_HEAD).read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

/// Reads the body that a head declares, or all there is.
///
/// Waiting for the end would be slow: bitcoind closes a connection 50 ms after its answer.
pub(crate) fn read_body(stream: &mut impl BufRead, head: &str) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if header(head, "transfer-encoding").is_some_and(|coding| coding == "chunked") {
        while read_chunk(stream, &mut body)? {}
        return Ok(body);
    }
    match header(head, "content-length").map(str::parse::<u64>) {
        None => stream.read_to_end(&mut body)?,
        Some(Err(_)) => return Err(io::ErrorKind::InvalidData.into()),
        Some(Ok(length)) => {
            let read = stream.take(length).read_to_end(&mut body)?;
            if u64::try_from(read).ok() != Some(length) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            read
        }
    };
    Ok(body)
}

/// Reads one chunk behind what is there; false after the last one.
fn read_chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let mut line = String::new();
    stream.by_ref().take(LONGEST_HEAD).read_line(&mut line)?;
    let length = u64::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
    let read = stream.by_ref().take(length).read_to_end(body)?;
    stream.read_exact(&mut [0; 2])?;
    if u64::try_from(read).ok() != Some(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(length > 0)
}

fn read_reply(stream: &mut impl BufRead) -> io::Result<HttpReply> {
    let head = read_head(stream)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(HttpReply {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        content_type: header(&head, "content-type").unwrap_or_default().to_owned(),
        body: read_body(stream, &head)?,
    })
}
