//! Nonces and balances at heights, asked for in batches that all searches of an endpoint share.
//!
//! Searches of many accounts run side by side, each at its own round. What they ask for waits in one queue until a
//! request may be made, and then goes out together: so the endpoint's allowed concurrency stays busy, and requests
//! grow with what is asked and not with who asks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, U256};
use futures::future::{BoxFuture, join_all};
use hansel_ledger::Coin;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Contradiction, WalkError};

/// Below this many, what waits goes out in one request and is not spread over several.
const FEW: usize = 5;

/// Something of the state after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Probe {
    /// An account's nonce.
    Nonce(Address, u64),
    /// What an account holds of a coin.
    Balance(Address, Coin, u64),
}

impl Probe {
    /// The call that asks for it: method and parameters.
    pub fn call(self) -> (&'static str, Value) {
        match self {
            Self::Nonce(account, height) => {
                ("eth_getTransactionCount", json!([account, hex(height)]))
            }
            Self::Balance(account, Coin::Native, height) => {
                ("eth_getBalance", json!([account, hex(height)]))
            }
            Self::Balance(account, Coin::Token(contract), height) => {
                // `balanceOf(address)`.
                let data = format!("0x70a08231{:x}", account.into_word());
                (
                    "eth_call",
                    json!([{ "to": contract, "data": data }, hex(height)]),
                )
            }
        }
    }

    fn unanswered(self) -> Contradiction {
        let (what, block) = (self.what(), self.height());
        Contradiction::NoNumber { what, block }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Nonce(..) => "a nonce",
            Self::Balance(..) => "a balance",
        }
    }

    fn height(self) -> u64 {
        match self {
            Self::Nonce(_, height) | Self::Balance(_, _, height) => height,
        }
    }

    /// Reads an answer, the text of a JSON string. A token that answers with nothing is not there, or is none: its balance is not known.
    pub fn read(self, answer: &str) -> Result<U256, Contradiction> {
        let error = self.unanswered();
        let digits = answer.strip_prefix("0x").ok_or(error.clone())?;
        let word = matches!(self, Self::Balance(_, Coin::Token(_), _));
        let sized = if word {
            digits.len() == 64
        } else {
            (1..=64).contains(&digits.len())
        };
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = U256::from_str_radix(digits, 16).ok();
        number.filter(|_| sized && plain).ok_or(error)
    }
}

fn hex(height: u64) -> String {
    format!("{height:#x}")
}

/// Sends calls as one request; answers come in the order of the probes.
pub type Batch<E> =
    Box<dyn Fn(Vec<Probe>) -> BoxFuture<'static, Vec<Result<String, E>>> + Send + Sync>;

struct Waiting<E> {
    probe: Probe,
    answer: oneshot::Sender<Result<String, E>>,
}

/// The queue of what all searches of one endpoint ask for. It needs a tokio runtime.
pub struct Probes<E>(Arc<Shared<E>>);

struct Shared<E> {
    batch: Batch<E>,
    at_once: usize,
    largest: usize,
    queue: Mutex<Queue<E>>,
}

struct Queue<E> {
    waiting: VecDeque<Waiting<E>>,
    /// Requests that are open, or about to be.
    carriers: usize,
    /// Those that are about to be: they take what waits.
    setting_out: usize,
}

impl<E> Clone for Probes<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: Send + 'static> Probes<E> {
    /// A queue that keeps at most `at_once` requests open, of at most `largest` probes each.
    pub fn new(batch: Batch<E>, at_once: usize, largest: usize) -> Self {
        let queue = Queue {
            waiting: VecDeque::new(),
            carriers: 0,
            setting_out: 0,
        };
        Self(Arc::new(Shared {
            batch,
            at_once: at_once.max(1),
            largest: largest.max(1),
            queue: Mutex::new(queue),
        }))
    }

    /// Asks for the state at many places; answers come in the order of the probes.
    pub async fn ask(&self, probes: &[Probe]) -> Result<Vec<U256>, WalkError<E>> {
        let answers = join_all(self.enter(probes)).await;
        let mut numbers = Vec::with_capacity(probes.len());
        for (probe, answer) in probes.iter().zip(answers) {
            // Only a batch that answers too little leaves a question without an answer.
            let unanswered = |_| WalkError::Inconsistent(probe.unanswered());
            let text = answer.map_err(unanswered)?.map_err(WalkError::Endpoint)?;
            numbers.push(probe.read(&text).map_err(WalkError::Inconsistent)?);
        }
        Ok(numbers)
    }

    fn enter(&self, probes: &[Probe]) -> Vec<oneshot::Receiver<Result<String, E>>> {
        let mut queue = self.0.queue();
        let mut receivers = Vec::with_capacity(probes.len());
        for probe in probes {
            let (answer, receiver) = oneshot::channel();
            let probe = *probe;
            queue.waiting.push_back(Waiting { probe, answer });
            receivers.push(receiver);
        }
        let wanted = queue.waiting.len().div_ceil(FEW);
        while queue.setting_out < wanted && queue.carriers < self.0.at_once {
            queue.carriers += 1;
            queue.setting_out += 1;
            tokio::spawn(Arc::clone(&self.0).carry());
        }
        receivers
    }
}

impl<E: Send + 'static> Shared<E> {
    /// Takes parts of the queue to the endpoint, one after the other, until nothing waits any more.
    async fn carry(self: Arc<Self>) {
        let mut carrier = Carrier {
            shared: &self,
            setting_out: true,
        };
        // Whoever is about to ask gets into the same request.
        tokio::task::yield_now().await;
        carrier.set_out();
        while let Some(load) = carrier.shared.load() {
            let probes = load.iter().map(|waiting| waiting.probe).collect();
            let answers = (carrier.shared.batch)(probes).await;
            for (waiting, answer) in load.into_iter().zip(answers) {
                // Whoever asked may have gone.
                let _unheard = waiting.answer.send(answer);
            }
        }
    }

    /// A fair part of what waits: all of it, spread over the requests that may be open.
    fn load(&self) -> Option<Vec<Waiting<E>>> {
        let mut queue = self.queue();
        let waiting = queue.waiting.len();
        if waiting == 0 {
            return None;
        }
        let part = waiting.div_ceil(self.at_once).max(FEW);
        let count = part.min(self.largest).min(waiting);
        Some(queue.waiting.drain(..count).collect())
    }
}

impl<E> Shared<E> {
    fn queue(&self) -> MutexGuard<'_, Queue<E>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request. It is taken off however it ends: a runtime that stops drops it halfway.
struct Carrier<'a, E> {
    shared: &'a Shared<E>,
    setting_out: bool,
}

impl<E> Carrier<'_, E> {
    fn set_out(&mut self) {
        if std::mem::take(&mut self.setting_out) {
            let mut queue = self.shared.queue();
            queue.setting_out = queue.setting_out.saturating_sub(1);
        }
    }
}

impl<E> Drop for Carrier<'_, E> {
    fn drop(&mut self) {
        self.set_out();
        let mut queue = self.shared.queue();
        queue.carriers = queue.carriers.saturating_sub(1);
    }
}
