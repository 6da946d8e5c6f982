//! What a save file wraps its JSON in: base64, packed by LZW, each code as four bytes, the lowest first.

use std::collections::HashMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Codes below are the bytes themselves.
const BYTES: u32 = 256;

/// Writes the file around a JSON text. The dictionary grows with the text, as that of `lzwcompress` does.
pub(super) fn write(json: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let text = STANDARD.encode(json);
    let mut codes: HashMap<(u32, u8), u32> = HashMap::new();
    let mut next = BYTES;
    let mut known: Option<u32> = None;
    for byte in text.bytes() {
        let Some(prefix) = known else {
            known = Some(byte.into());
            continue;
        };
        if let Some(longer) = codes.get(&(prefix, byte)) {
            known = Some(*longer);
            continue;
        }
        out.write_all(&prefix.to_le_bytes())?;
        codes.insert((prefix, byte), next);
        next = next.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        known = Some(byte.into());
    }
    match known {
        Some(last) => out.write_all(&last.to_le_bytes()),
        None => Ok(()),
    }
}
