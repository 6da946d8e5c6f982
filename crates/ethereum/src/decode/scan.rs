//! Walks through JSON without recursion: call traces nest as deep as calls do, which no recursive parser allows.

use super::json::after_string;
use super::{DecodeError, JsonFault};

/// A place in a JSON text.
pub(super) struct Scan<'a> {
    what: &'static str,
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Starts at the beginning of a text; `what` names it in errors.
    pub(super) fn new(what: &'static str, json: &'a [u8]) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(json).map_err(|error| DecodeError::Json {
            what,
            offset: error.valid_up_to(),
            fault: JsonFault::Encoding,
        })?;
        Ok(Self { what, text, at: 0 })
    }

    /// An error at this place.
    pub(super) fn error(&self, fault: JsonFault) -> DecodeError {
        DecodeError::Json {
            what: self.what,
            offset: self.at,
            fault,
        }
    }

    /// The next byte that is no white space; stays before it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.at += rest.iter().take_while(blank).count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes this byte if it comes next.
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Takes this byte, which must come next.
    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), DecodeError> {
        if self.take(wanted) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// Takes `null` if it comes next.
    pub(super) fn null(&mut self) -> bool {
        self.peek();
        let found = self.text[self.at..].starts_with("null");
        self.at += if found { 4 } else { 0 };
        found
    }

    /// Takes a string; its escapes stay as they are.
    pub(super) fn string(&mut self) -> Result<&'a str, DecodeError> {
        self.expect(b'"')?;
        let start = self.at;
        let end = after_string(self.text, start).ok_or_else(|| self.error(JsonFault::Truncated))?;
        self.at = end + 1;
        Ok(&self.text[start..end])
    }

    /// Takes the next name of an object that was opened, or its end. `first` says whether it is the first.
    pub(super) fn member(&mut self, first: bool) -> Result<Option<&'a str>, DecodeError> {
        if self.take(b'}') {
            return Ok(None);
        }
        if !first {
            self.expect(b',')?;
        }
        let name = self.string()?;
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// Goes to the next element of an array that was opened; false at its end. `first` as for members.
    pub(super) fn element(&mut self, first: bool) -> Result<bool, DecodeError> {
        if self.take(b']') {
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Takes any value.
    pub(super) fn skip(&mut self) -> Result<(), DecodeError> {
        let mut depth = 0_usize;
        loop {
            match self
                .peek()
                .ok_or_else(|| self.error(JsonFault::Truncated))?
            {
                b'"' => _ = self.string()?,
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                _ => self.word()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Says that nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(JsonFault::Syntax)),
        }
    }

    /// Takes a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), DecodeError> {
        let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(part).count();
        if length == 0 {
            return Err(self.error(JsonFault::Syntax));
        }
        self.at += length;
        Ok(())
    }

    fn unexpected(&mut self) -> DecodeError {
        let fault = match self.peek() {
            None => JsonFault::Truncated,
            Some(_) => JsonFault::Syntax,
        };
        self.error(fault)
    }
}
