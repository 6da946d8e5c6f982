//! Keeps the key in an endpoint's path out of everything that is said or kept about it.

use url::Url;

/// Longer bodies are results, which repeat no path.
const LONGEST: usize = 64 << 10;
const MASK: &[u8] = b"***";

/// The parts of a URL that may be a key, the longest first: of its path, and what its query says.
pub(super) struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    pub(super) fn of(base: &Url) -> Self {
        let segments = base.path().split('/').filter(|segment| may_be_key(segment));
        let in_query = base.query().and_then(|query| query.split_once('='));
        let keys = in_query.map(|(_, key)| key).filter(|key| !key.is_empty());
        let all = segments.chain(keys);
        let mut parts: Vec<Vec<u8>> = all.map(|part| part.as_bytes().to_vec()).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        Self(parts)
    }

    /// A body without the keys; endpoints like to repeat the path of what they refuse.
    pub(super) fn masked(&self, body: Vec<u8>) -> Vec<u8> {
        if body.len() > LONGEST {
            return body;
        }
        self.0.iter().fold(body, |body, part| mask(body, part))
    }
}

/// Words such as `mainnet` or `v2` are no keys.
fn may_be_key(segment: &str) -> bool {
    let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
    segment.len() >= 12 || (segment.len() >= 6 && has_digit)
}

fn mask(body: Vec<u8>, part: &[u8]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut rest = body.as_slice();
    while let Some(at) = rest.windows(part.len()).position(|window| window == part) {
        masked.extend_from_slice(&rest[..at]);
        masked.extend_from_slice(MASK);
        rest = &rest[at + part.len()..];
    }
    if masked.is_empty() {
        return body;
    }
    masked.extend_from_slice(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_path_is_masked_and_other_words_are_not() {
        let base = "https://one.example/v2/mainnet/hunter2-0123456789"
            .parse()
            .unwrap();
        let secrets = Secrets::of(&base);
        let masked = |text: &str| String::from_utf8(secrets.masked(text.into())).unwrap();
        assert_eq!(
            masked("Cannot POST /v2/mainnet/hunter2-0123456789, hunter2-0123456789!"),
            "Cannot POST /v2/mainnet/***, ***!"
        );
        assert_eq!(masked("hunter2-0123456789"), "***");
        assert_eq!(masked("nothing"), "nothing");
        let base = "https://one.example?apikey=SHORT".parse().unwrap();
        let masked = Secrets::of(&base).masked(b"bad key SHORT".to_vec());
        assert_eq!(masked, b"bad key ***");
    }
}
