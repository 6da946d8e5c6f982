//! Subjects on EVM chains.

use alloy_primitives::{Address, B256};

use super::{Subject, SubjectError, printable};
use crate::{Chain, Origin};

const DEEPEST: usize = 1024;

/// Reads a transaction hash, `HASH:log:INDEX` (or `HASH:INDEX`), `HASH:call:PATH`, or an address.
pub(super) fn parse(text: &str, chain: &Chain) -> Result<Subject, SubjectError> {
    let (head, movement) = match text.split_once(':') {
        Some((head, movement)) => (head, Some(movement)),
        None => (text, None),
    };
    let Some(digits) = head.strip_prefix("0x").or_else(|| head.strip_prefix("0X")) else {
        return Err(SubjectError::NotEvm(
            printable(text),
            chain.name().to_owned(),
        ));
    };
    match (digits.len(), movement) {
        (40, None) => address(text, digits),
        (64, movement) => {
            let hash = digits
                .parse()
                .map_err(|_| SubjectError::Hash(printable(text)))?;
            movement.map_or(Ok(Subject::EvmTransaction(hash)), |movement| {
                origin(text, hash, movement)
            })
        }
        (_, Some(_) | None) => Err(SubjectError::Hash(printable(text))),
    }
}

/// Mixed case is a checksum (EIP-55), which catches a mistyped address.
fn address(text: &str, digits: &str) -> Result<Subject, SubjectError> {
    let refuse = |reason: &str| SubjectError::Account {
        text: printable(text),
        reason: reason.to_owned(),
    };
    let address: Address = digits
        .parse()
        .map_err(|_| refuse("it takes 40 hexadecimal digits"))?;
    let upper = digits.bytes().any(|b| b.is_ascii_uppercase());
    let lower = digits.bytes().any(|b| b.is_ascii_lowercase());
    if upper && lower && address.to_checksum(None)[2..] != *digits {
        return Err(refuse("its checksum (EIP-55) is wrong"));
    }
    Ok(Subject::Account(address))
}

fn origin(text: &str, hash: B256, movement: &str) -> Result<Subject, SubjectError> {
    let unreadable = || SubjectError::Movement(printable(text));
    let number = |digits: &str| -> Option<u64> {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| plain)
    };
    let origin = if movement == "call:mint" {
        Origin::Call(Vec::new())
    } else if let Some(path) = movement.strip_prefix("call:") {
        let steps = path
            .split('.')
            .map(|step| u32::try_from(number(step)?).ok())
            .collect::<Option<Vec<u32>>>();
        Origin::Call(
            steps
                .filter(|steps| steps.len() <= DEEPEST)
                .ok_or_else(unreadable)?,
        )
    } else {
        let index = movement.strip_prefix("log:").unwrap_or(movement);
        Origin::Log(number(index).ok_or_else(unreadable)?)
    };
    Ok(Subject::EvmMovement { hash, origin })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Asset, EvmNetwork, Family};

    fn chain() -> Chain {
        let network = EvmNetwork {
            chain_id: 1,
            native: Asset {
                symbol: "ETH".into(),
                decimals: 18,
            },
            wrapped: None,
            tokens: Vec::new(),
            blocks: crate::BlockForm::default(),
        };
        Chain::new("ethereum", Family::Evm(Arc::new(network))).unwrap()
    }

    const UPBIT: &str = "0xca4e0aa223e3190ab477efb25617eff3a42af7bdb29cdb7dc9e7935ea88626b4";
    const WETH: &str = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";

    #[test]
    fn hashes_movements_and_addresses_are_told_apart() {
        let parse = |text: &str| Subject::parse(text, &chain());
        let hash: B256 = UPBIT.parse().unwrap();
        assert_eq!(parse(UPBIT), Ok(Subject::EvmTransaction(hash)));
        for text in [format!("{UPBIT}:log:7"), format!("{UPBIT}:7")] {
            let origin = Origin::Log(7);
            assert_eq!(parse(&text), Ok(Subject::EvmMovement { hash, origin }));
        }
        for (text, path) in [("mint", Vec::new()), ("0", vec![0])] {
            let parsed = Subject::parse(&format!("{UPBIT}:call:{text}"), &chain());
            let (hash, origin) = (UPBIT.parse().unwrap(), Origin::Call(path));
            assert_eq!(origin.to_string(), text);
            assert_eq!(parsed, Ok(Subject::EvmMovement { hash, origin }));
        }
        let origin = Origin::Call(vec![0, 2, 1]);
        let text = format!("{UPBIT}:call:0.2.1");
        assert_eq!(parse(&text), Ok(Subject::EvmMovement { hash, origin }));
        for text in [WETH.to_owned(), WETH.to_lowercase()] {
            assert_eq!(parse(&text), Ok(Subject::Account(WETH.parse().unwrap())));
        }
    }

    #[test]
    fn a_mistyped_subject_is_refused_with_what_is_wrong() {
        let wrong_case = WETH.replace("C02a", "c02a");
        let cases = [
            (wrong_case.as_str(), "checksum"),
            ("0x1234", "64 hexadecimal digits"),
            (&format!("{UPBIT}:call:"), "HASH:call:0.2.1"),
            (&format!("{UPBIT}:log:-1"), "HASH:call:0.2.1"),
            ("bc1qxarm80qyvj6t6duzltdr7eectu467mg4rxaup4", "0x"),
        ];
        for (text, expected) in cases {
            let error = Subject::parse(text, &chain()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
