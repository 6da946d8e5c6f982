//! Labels as they are kept.

use hansel_labels::{CompiledError, Pack};

use crate::{GENESIS, pack_of, tagpack};

fn packed() -> Pack {
    tagpack(&pack_of(&format!(
        "- address: {GENESIS}\n  label: One\n  concepts: [exchange]\n- address: {GENESIS}\n  label: Two\n"
    )))
    .unwrap()
}

#[test]
fn what_is_kept_is_read_as_it_was() {
    let pack = packed();
    let read = Pack::from_bytes(&pack.to_bytes()).unwrap();
    assert_eq!(read.about, pack.about);
    assert!(read.labels().eq(pack.labels()));
}

#[test]
fn a_file_cut_or_changed_anywhere_is_refused() {
    let bytes = packed().to_bytes();
    for length in 0..bytes.len() {
        let cut = Pack::from_bytes(&bytes[..length]).unwrap_err();
        assert_eq!(cut == CompiledError::Form, length < 16, "{length}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Pack::from_bytes(&changed).is_err(), "{at}");
    }
}
