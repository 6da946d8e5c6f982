//! The form of a JSON-RPC answer: a result, or an error with its code, its words and its data.

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Where the result of an answer stands, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The bytes of the result's JSON within the answer, which may be `null`.
    Result(Range<usize>),
    /// The endpoint's error.
    Error(Complaint),
}

/// A JSON-RPC error as an endpoint words it. Its texts are hostile and not printed as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// The code; 0 where there is none.
    pub code: i64,
    /// The words.
    pub message: String,
    /// Further data as JSON text; empty where there is none. Some endpoints name there the range of blocks
    /// that they would answer, others what really went wrong.
    pub data: String,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Wording<'a> {
    #[serde(default)]
    code: Option<i64>,
    #[serde(default)]
    message: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Reads the form of an answer; fails, with a text that repeats nothing of it, where it is none.
pub fn read_reply(body: &[u8]) -> Result<Reply, String> {
    let response: Response<'_> = serde_json::from_slice(body)
        .map_err(|error| format!("not a JSON-RPC answer: {}", fault(&error)))?;
    let Response { result, error } = response;
    match (error, result) {
        (Some(error), _) => Ok(Reply::Error(Complaint::read(error.get()))),
        (None, Some(result)) => Ok(Reply::Result(place(body, result.get()))),
        (None, None) => Err("an answer with neither a result nor an error".to_owned()),
    }
}

/// What is wrong with a text, and where, without a word of it.
pub(crate) fn fault(error: &serde_json::Error) -> String {
    let place = format!("at line {} column {}", error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "broken JSON",
        serde_json::error::Category::Data => "JSON of another form",
        serde_json::error::Category::Eof => "JSON that is cut off",
    };
    format!("{what} {place}")
}

/// Where a part of `whole` stands in it.
fn place(whole: &[u8], part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// Tells a member that is `null` from one that is not there.
fn present<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(reader).map(Some)
}

impl Complaint {
    /// Reads an error; one of another form than the protocol's is all message.
    fn read(error: &str) -> Self {
        match serde_json::from_str::<Wording<'_>>(error) {
            Ok(Wording {
                code,
                message,
                data,
            }) => Self {
                code: code.unwrap_or_default(),
                message: message.unwrap_or_default(),
                data: data
                    .map(|data| data.get().to_owned())
                    .filter(|data| data != "null")
                    .unwrap_or_default(),
            },
            Err(_) => Self {
                message: error.to_owned(),
                ..Self::default()
            },
        }
    }

    /// The words, or whatever else there is to say.
    pub fn words(&self) -> &str {
        let words = [self.message.as_str(), self.data.as_str()];
        let said = words.into_iter().find(|words| !words.is_empty());
        said.unwrap_or("an error without words")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(body: &str) -> Result<String, String> {
        match read_reply(body.as_bytes())? {
            Reply::Result(place) => Ok(body[place].to_owned()),
            Reply::Error(complaint) => Err(complaint.message),
        }
    }

    #[test]
    fn a_result_is_found_where_it_stands() {
        let cases = [
            (r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#, r#""0x1""#),
            (r#"{"result":[ 1, {"a":2} ],"id":1}"#, r#"[ 1, {"a":2} ]"#),
            (r#"{"result":null,"id":1}"#, "null"),
            (r#"{"result":5,"error":null,"id":1}"#, "5"),
        ];
        for (body, text) in cases {
            assert_eq!(result(body).as_deref(), Ok(text), "{body}");
        }
    }

    #[test]
    fn an_error_is_read_whatever_its_form() {
        let read = |body: &str| match read_reply(body.as_bytes()) {
            Ok(Reply::Error(complaint)) => complaint,
            other => panic!("{body}: {other:?}"),
        };
        let usual =
            read(r#"{"id":1,"error":{"code":-32005,"message":"no","data":{"from":"0x1"}}}"#);
        assert_eq!((usual.code, usual.words()), (-32005, "no"));
        assert_eq!(usual.data, r#"{"from":"0x1"}"#);
        // The result of an answer that fails is not believed.
        assert_eq!(read(r#"{"result":"0x1","error":{"code":3}}"#).code, 3);
        assert_eq!(read(r#"{"error":"slow down"}"#).words(), r#""slow down""#);
        assert_eq!(
            read(r#"{"error":{"code":1,"message":null,"data":null}}"#).words(),
            "an error without words"
        );
        assert_eq!(
            read(r#"{"error":{"data":"missing trie node"}}"#).words(),
            r#""missing trie node""#
        );
    }

    #[test]
    fn what_is_no_answer_is_said_without_repeating_it() {
        let cases = [
            ("", "cut off"),
            ("{", "cut off"),
            (r#"{"result":"0x1""#, "cut off"),
            ("<html>secret</html>", "broken JSON"),
            ("[]", "another form"),
            (r#"[{"result":1}]"#, "another form"),
            ("null", "another form"),
            ("17", "another form"),
            (r#"{"result":1,"result":2}"#, "another form"),
            ("{}", "neither"),
            (r#"{"id":1,"error":null}"#, "neither"),
        ];
        for (body, words) in cases {
            let error = result(body).unwrap_err();
            assert!(error.contains(words), "{body}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
