//! From a request to the name of its file: readable, safe on every system, and never outside the directory.

use sha2::{Digest, Sha256};

use crate::Request;

const LONGEST_PART: usize = 100;
const MOST_PARTS: usize = 6;
/// Where the answers to hashed requests are; no readable name starts like that.
const HASHED_PATHS: &str = "other-paths";
const HASHED_CALLS: &str = "other-calls";

/// The file of a request's answer, relative to the recording: `/tx/ab` becomes `tx/ab.json`, a call
/// `METHOD/HASH.json` with the first half of the SHA-256 of its parameters. A path that is not safe as it
/// stands, or that another request's name could be mistaken for, is hashed as well.
pub(super) fn file_name(request: &Request) -> String {
    match request {
        Request::Get { path } => {
            readable(path).unwrap_or_else(|| format!("{HASHED_PATHS}/{}.json", hash(path)))
        }
        Request::Call { method, params } => {
            let plain = is_plain(&method.replace('.', "-")) && !method.starts_with('.');
            let (method, hashed) = match plain {
                true => (method.as_str(), hash(params)),
                false => (HASHED_CALLS, hash(&request.to_string())),
            };
            format!("{method}/{hashed}.json")
        }
    }
}

/// Another name for the same request, for the answer of another endpoint.
pub(super) fn alternative(name: &str, number: usize) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}~{number}.{extension}"),
        None => format!("{name}~{number}"),
    }
}

/// True for a relative name that stays inside the directory, on every system.
pub(super) fn is_safe(name: &str) -> bool {
    let safe_part = |part: &str| {
        let allowed = |b: u8| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b'~')
        };
        !part.is_empty()
            && part.len() <= LONGEST_PART + 20
            && !part.starts_with('.')
            && part.bytes().all(allowed)
    };
    name.split('/').count() <= MOST_PARTS && name.split('/').all(safe_part)
}

fn readable(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?;
    let (stem, extension) = match path.rsplit_once('.') {
        Some((stem, kind @ ("bin" | "hex"))) => (stem, kind),
        _ => (path, "json"),
    };
    let plain = stem.split('/').count() < MOST_PARTS && stem.split('/').all(is_plain);
    let reserved = stem.starts_with("other-");
    (plain && !reserved).then(|| format!("{stem}.{extension}"))
}

/// Upper case is left out, since some file systems do not tell it from lower case.
fn is_plain(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    !part.is_empty() && part.len() <= LONGEST_PART && part.bytes().all(plain)
}

fn hash(text: &str) -> String {
    let mut hex = Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    hex.truncate(32);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn of_path(path: &str) -> String {
        file_name(&Request::get(path))
    }

    #[test]
    fn plain_requests_have_readable_names() {
        assert_eq!(of_path("/tx/ab12"), "tx/ab12.json");
        assert_eq!(of_path("/tx/ab12/outspends"), "tx/ab12/outspends.json");
        assert_eq!(of_path("/rest/block/ab12.bin"), "rest/block/ab12.bin");
        let call = file_name(&Request::call(
            "blockchain.headers.subscribe",
            &serde_json::json!([]),
        ));
        assert!(call.starts_with("blockchain.headers.subscribe/"), "{call}");
    }

    #[test]
    fn no_request_names_a_file_outside_the_directory_or_that_of_another() {
        let long = "/a".repeat(300);
        let paths = [
            "/../../etc/passwd",
            "/tx/../../x",
            "//etc/passwd",
            "/tx/.",
            "/other-paths/8a5edab282632443219e051e4ade2d1d",
            "/tx/..",
            "/tx/",
            "/",
            "",
            "/C:/x",
            "/tx\\x",
            "/tx/%2e%2e",
            "/tx/a\0b",
            "/tx/A",
            "/tx/a",
            "/tx/a.json",
            "/tx/a?x=1",
            "/tx/a.bin",
            "/tx/a.bin.bin",
            "/tx/a~2",
            "/tx/é",
            "tx/a",
            &long,
            "/other-paths/x",
        ];
        let mut names = HashSet::new();
        for path in paths {
            let name = of_path(path);
            assert!(is_safe(&name), "{path} -> {name}");
            assert!(names.insert(name.clone()), "{path} -> {name}");
        }
        for method in ["..", "../x", "/etc", "A", "a/b", "", ".hidden", "a..b"] {
            let name = file_name(&Request::call(method, &serde_json::json!([1])));
            assert!(is_safe(&name), "{method} -> {name}");
            assert!(names.insert(name.clone()), "{method} -> {name}");
        }
        assert!(is_safe(&alternative("tx/ab.json", 2)));
    }

    #[test]
    fn a_name_that_leaves_the_directory_is_not_safe() {
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/./x",
            "a//x",
            "C:/x",
            "a\\x",
            "a/.x",
        ] {
            assert!(!is_safe(name), "{name}");
        }
    }
}
