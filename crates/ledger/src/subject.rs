//! What a user may name as the thing to trace.

mod evm;

use std::str::FromStr;

use alloy_primitives::B256;
use bitcoin::address::{NetworkUnchecked, ParseError};
use bitcoin::{Address, Network, OutPoint, PublicKey, ScriptBuf, Txid};

use crate::{Chain, Origin};

/// A theft as a user names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All outputs of a transaction.
    Transaction(Txid),
    /// One output.
    Output(OutPoint),
    /// Everything paid to a locking script; the text is the address as the user wrote it.
    Script {
        /// The locking script.
        script: ScriptBuf,
        /// The address as given, or the script's hex.
        text: String,
    },
    /// Everything that an EVM transaction paid out.
    EvmTransaction(B256),
    /// One movement of an EVM transaction.
    EvmMovement {
        /// The transaction.
        hash: B256,
        /// Which of its movements.
        origin: Origin,
    },
    /// Everything that an account of an EVM chain received.
    Account(alloy_primitives::Address),
}

/// Says why a text is not a subject.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SubjectError {
    /// An address with a wrong checksum or alphabet.
    #[error("`{text}` is not a valid Bitcoin address: {reason}")]
    Address {
        /// What was given.
        text: String,
        /// What the parser said.
        reason: String,
    },
    /// An address of another network than the chain's.
    #[error("`{text}` is not an address of {chain}")]
    WrongNetwork {
        /// What was given.
        text: String,
        /// The chain that was asked for.
        chain: String,
    },
    /// A hash of the wrong length or alphabet.
    #[error("`{0}` is not a transaction id: it takes 64 hexadecimal digits")]
    Txid(String),
    /// An output index that is not a number.
    #[error("`{0}` does not end in an output index, as in TXID:0")]
    OutputIndex(String),
    /// An Ethereum hash or address.
    #[error("`{0}` looks like an Ethereum hash or address; {1} is a Bitcoin chain")]
    Ethereum(String, String),
    /// Something else than an EVM hash or address.
    #[error("`{0}` does not start with 0x, as a transaction hash or address of {1} does")]
    NotEvm(String, String),
    /// An EVM hash of the wrong length or alphabet.
    #[error(
        "`{0}` is neither a transaction hash (0x and 64 hexadecimal digits) nor an address (0x and 40)"
    )]
    Hash(String),
    /// An EVM address of the wrong alphabet or checksum.
    #[error("`{text}` is not a valid address: {reason}")]
    Account {
        /// What was given.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// A movement that is not spelt as one.
    #[error("`{0}` does not name a movement, as HASH:log:17 and HASH:call:0.2.1 do")]
    Movement(String),
    /// Nothing, or more than any subject takes.
    #[error("a subject is a transaction id, TXID:VOUT or an address, of at most 200 characters")]
    Length,
}

const LONGEST: usize = 200;

impl Subject {
    /// Reads a subject of `chain`: a txid, `TXID:VOUT`, an address of any form, a `bitcoin:` URI or a public key.
    pub fn parse(text: &str, chain: &Chain) -> Result<Self, SubjectError> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return Err(SubjectError::Length);
        }
        let Some(network) = chain.network() else {
            return evm::parse(text, chain);
        };
        if text.starts_with("0x") || text.starts_with("0X") {
            return Err(SubjectError::Ethereum(
                printable(text),
                chain.name().to_owned(),
            ));
        }
        let bare = without_uri(text);
        if let Some((txid, vout)) = bare.split_once(':') {
            return parse_output(bare, txid, vout);
        }
        if bare.len() == 64 && is_hex(bare) {
            return Ok(Self::Transaction(parse_txid(bare)?));
        }
        if matches!(bare.len(), 66 | 130) && is_hex(bare) {
            return parse_public_key(bare);
        }
        if is_hex(bare) && bare.len() > 42 {
            return Err(SubjectError::Txid(printable(bare)));
        }
        parse_address(bare, chain, network)
    }
}

/// Drops the scheme and the parameters of a BIP-21 URI.
fn without_uri(text: &str) -> &str {
    let scheme = text
        .get(..8)
        .filter(|start| start.eq_ignore_ascii_case("bitcoin:"));
    match scheme {
        Some(_) => text[8..].split('?').next().unwrap_or_default(),
        None => text,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Control characters of a hostile argument must not reach a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect()
}

fn parse_txid(text: &str) -> Result<Txid, SubjectError> {
    Txid::from_str(text).map_err(|_| SubjectError::Txid(printable(text)))
}

fn parse_output(whole: &str, txid: &str, vout: &str) -> Result<Subject, SubjectError> {
    let txid = parse_txid(txid)?;
    let digits = !vout.is_empty() && vout.bytes().all(|b| b.is_ascii_digit());
    let index = vout.parse().ok().filter(|_| digits);
    let vout = index.ok_or_else(|| SubjectError::OutputIndex(printable(whole)))?;
    Ok(Subject::Output(OutPoint { txid, vout }))
}

fn parse_public_key(text: &str) -> Result<Subject, SubjectError> {
    let key = PublicKey::from_str(text).map_err(|error| SubjectError::Address {
        text: printable(text),
        reason: printable(&error.to_string()),
    })?;
    Ok(Subject::Script {
        script: ScriptBuf::new_p2pk(&key),
        text: text.to_ascii_lowercase(),
    })
}

fn parse_address(text: &str, chain: &Chain, network: Network) -> Result<Subject, SubjectError> {
    let unchecked: Address<NetworkUnchecked> =
        text.parse()
            .map_err(|error: ParseError| SubjectError::Address {
                text: printable(text),
                reason: printable(&error.to_string()),
            })?;
    let address = unchecked
        .require_network(network)
        .map_err(|_| SubjectError::WrongNetwork {
            text: printable(text),
            chain: chain.name().to_owned(),
        })?;
    Ok(Subject::Script {
        script: address.script_pubkey(),
        text: address.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;

    const THEFT: &str = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";

    fn parse(text: &str) -> Result<Subject, SubjectError> {
        Subject::parse(text, &Chain::bitcoin())
    }

    #[test]
    fn transaction_ids_and_outputs_are_read_in_any_case() {
        let txid: Txid = THEFT.parse().unwrap();
        assert_eq!(parse(THEFT), Ok(Subject::Transaction(txid)));
        assert_eq!(
            parse(&format!(" {} ", THEFT.to_uppercase())),
            Ok(Subject::Transaction(txid))
        );
        assert_eq!(
            parse(&format!("{THEFT}:7")),
            Ok(Subject::Output(OutPoint { txid, vout: 7 }))
        );
    }

    #[test]
    fn every_address_form_gives_its_script() {
        // BIP-173 and BIP-350 test vectors, and the DMM Bitcoin theft's addresses.
        let forms = [
            (
                "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P",
                "76a9146ecc7dd816248cd5919fcd86a0832c8553f4296e88ac",
            ),
            (
                "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
                "0014751e76e8199196d454941c45d1b3a323f1433bd6",
            ),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            ),
            (
                "bitcoin:1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P?amount=1",
                "76a9146ecc7dd816248cd5919fcd86a0832c8553f4296e88ac",
            ),
            (
                "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
                "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
            ),
        ];
        for (text, hex) in forms {
            let Ok(Subject::Script { script, .. }) = parse(text) else {
                panic!("{text}: {:?}", parse(text))
            };
            assert_eq!(script.to_hex_string(), hex, "{text}");
        }
    }

    #[test]
    fn an_address_of_another_network_is_refused() {
        let regtest = Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap();
        let address = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
        assert!(matches!(
            Subject::parse(address, &regtest),
            Err(SubjectError::WrongNetwork { .. })
        ));
        assert!(matches!(
            parse("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
            Err(SubjectError::WrongNetwork { .. })
        ));
        assert!(matches!(
            parse("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"),
            Err(SubjectError::WrongNetwork { .. })
        ));
    }

    #[test]
    fn nonsense_is_named_and_never_echoes_control_characters() {
        assert!(matches!(
            parse("1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7Q"),
            Err(SubjectError::Address { .. })
        ));
        assert!(matches!(parse(&THEFT[..63]), Err(SubjectError::Txid(_))));
        assert!(matches!(
            parse(&format!("{THEFT}:-1")),
            Err(SubjectError::OutputIndex(_))
        ));
        assert!(matches!(
            parse(&format!("{THEFT}:4294967296")),
            Err(SubjectError::OutputIndex(_))
        ));
        assert!(matches!(
            parse(&format!("0x{THEFT}")),
            Err(SubjectError::Ethereum(..))
        ));
        assert!(matches!(parse(&"a".repeat(201)), Err(SubjectError::Length)));
        let message = parse("\u{1b}[31mred").unwrap_err().to_string();
        assert!(!message.contains('\u{1b}'), "{message}");
    }
}
