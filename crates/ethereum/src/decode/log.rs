//! What a log says about value.

use alloy_primitives::{Address, B256, U256, address, b256};
use hansel_ledger::{Amount, Coin, Movement, Origin, Trade};

use super::LogLean;

/// `Transfer(address,address,uint256)` of ERC-20 and ERC-721.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)` of ERC-1155.
const TRANSFER_SINGLE: B256 =
    b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// `TransferBatch(address,address,address,uint256[],uint256[])` of ERC-1155.
const TRANSFER_BATCH: B256 =
    b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// `Deposit(address,uint256)` of WETH9.
const DEPOSIT: B256 = b256!("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
/// `Withdrawal(address,uint256)` of WETH9.
const WITHDRAWAL: B256 = b256!("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");
/// `Trade(address,address,address,uint256,uint256,uint256,bytes)` of GPv2Settlement.
const TRADE: B256 = b256!("a07a543ab8a018198e99ca0184c93fe9050a79400a0a723441f84de1d972cc17");
/// GPv2Settlement, at one address on every chain.
const SETTLEMENT: Address = address!("9008D19f58AAbD9eD0D60971565AA8510560ab41");
/// What GPv2Settlement calls the native coin.
const NATIVE_MARKER: Address = address!("EeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");

/// What a log says about value, as far as it can be told from the log alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogReading {
    /// A token moved (ERC-20).
    Moved(Movement),
    /// A token moved by nothing.
    Nothing,
    /// Tokens moved that cannot be divided (ERC-721, ERC-1155).
    Collectible,
    /// The native coin was wrapped, if the contract is one that wraps: a movement from the contract to who wrapped.
    Wrapped(Movement),
    /// The native coin was unwrapped, under the same condition: a movement from who had it wrapped to the contract.
    Unwrapped(Movement),
    /// A batch auction says that it filled an order.
    Traded(Trade),
    /// It claims to be a transfer or a trade and cannot be read as one.
    Unreadable,
    /// Anything else.
    Other,
}

/// Reads a log. Fields must have exactly the size that the event's standard gives them: an address with dirty upper
/// bytes, missing data or data that are left over make a log unreadable.
pub fn read_log(log: &LogLean) -> LogReading {
    let Some((event, indexed)) = log.topics.split_first() else {
        return LogReading::Other;
    };
    match *event {
        TRANSFER => transfer(log, indexed).unwrap_or(LogReading::Unreadable),
        TRANSFER_SINGLE | TRANSFER_BATCH => {
            erc1155(log, *event, indexed).unwrap_or(LogReading::Unreadable)
        }
        DEPOSIT | WITHDRAWAL => wrap(log, *event, indexed).unwrap_or(LogReading::Other),
        TRADE if log.address == SETTLEMENT => {
            trade(log, indexed).map_or(LogReading::Unreadable, LogReading::Traded)
        }
        _ => LogReading::Other,
    }
}

fn transfer(log: &LogLean, indexed: &[B256]) -> Option<LogReading> {
    match *indexed {
        [from, to] => {
            let (from, to) = (account(from)?, account(to)?);
            let amount = U256::from_be_bytes::<32>(log.data.as_ref().try_into().ok()?);
            Some(moved(log, from, to, amount).map_or(LogReading::Nothing, LogReading::Moved))
        }
        [from, to, _id] if log.data.is_empty() => account(from)
            .and(account(to))
            .map(|_| LogReading::Collectible),
        _ => None,
    }
}

fn erc1155(log: &LogLean, event: B256, indexed: &[B256]) -> Option<LogReading> {
    let [operator, from, to] = *indexed else {
        return None;
    };
    account(operator).and(account(from)).and(account(to))?;
    let sound = if event == TRANSFER_SINGLE {
        log.data.len() == 64
    } else {
        log.data.len() >= 128
    };
    sound.then_some(LogReading::Collectible)
}

/// Other contracts log events of the same name with other fields, so what does not fit is no claim.
fn wrap(log: &LogLean, event: B256, indexed: &[B256]) -> Option<LogReading> {
    let [owner] = *indexed else {
        return None;
    };
    let owner = account(owner)?;
    let amount = U256::from_be_bytes::<32>(log.data.as_ref().try_into().ok()?);
    let (from, to) = if event == DEPOSIT {
        (log.address, owner)
    } else {
        (owner, log.address)
    };
    let Some(movement) = moved(log, from, to, amount) else {
        return Some(LogReading::Other);
    };
    Some(if event == DEPOSIT {
        LogReading::Wrapped(movement)
    } else {
        LogReading::Unwrapped(movement)
    })
}

/// A movement of the log's token, unless it is of nothing. The zero address as a party stands for the token itself.
fn moved(log: &LogLean, from: Address, to: Address, amount: U256) -> Option<Movement> {
    let party = |account: Address| match account {
        Address::ZERO => log.address,
        _ => account,
    };
    (!amount.is_zero()).then(|| Movement {
        origin: Origin::Log(log.log_index),
        from: party(from),
        to: party(to),
        coin: Coin::Token(log.address),
        amount: Amount::from(amount),
    })
}

fn trade(log: &LogLean, indexed: &[B256]) -> Option<Trade> {
    let [owner] = *indexed else {
        return None;
    };
    let word = |index: usize| -> Option<B256> {
        let start = index.checked_mul(32)?;
        log.data.get(start..start + 32).map(B256::from_slice)
    };
    let coin = |index| word(index).and_then(account).map(coin);
    let amount = |index| word(index).map(|word| Amount::from(U256::from_be_bytes(word.0)));
    Some(Trade {
        venue: log.address,
        owner: account(owner)?,
        sold: coin(0)?,
        bought: coin(1)?,
        sold_amount: amount(2)?,
        bought_amount: amount(3)?,
    })
}

fn coin(address: Address) -> Coin {
    match address {
        NATIVE_MARKER => Coin::Native,
        contract => Coin::Token(contract),
    }
}

/// The account that a word names; `None` where the bytes above the address are not zero.
fn account(word: B256) -> Option<Address> {
    let (padding, _) = word.split_at(12);
    padding
        .iter()
        .all(|byte| *byte == 0)
        .then(|| Address::from_word(word))
}
