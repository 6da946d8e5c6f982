//! A transaction as the detectors see it: values and scripts on both sides, as far as they are known.

use bitcoin::{Address, OutPoint, Script, Txid};
use hansel_graph::{FlowGraph, PoolIx};
use hansel_ledger::{Chain, NodeId, Output, TransactionStatement, TransferId};

/// A transaction whose scripts belong to a statement or a graph.
#[derive(Clone, Debug)]
pub struct TxView<'a> {
    /// The chain, for the ids in findings.
    pub chain: &'a Chain,
    /// The transaction.
    pub txid: Txid,
    /// The height of its block, where it is known.
    pub height: Option<u64>,
    /// The time of its block in seconds since 1970, where it is known.
    pub time: Option<u64>,
    /// Inputs in serialisation order; empty for a coinbase.
    pub inputs: Vec<TxInput<'a>>,
    /// Outputs in serialisation order.
    pub outputs: Vec<Coin<'a>>,
}

/// An input of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct TxInput<'a> {
    /// The output it spends.
    pub previous: OutPoint,
    /// What that output holds, where it is known.
    pub coin: Option<Coin<'a>>,
}

/// A value and the script that locks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin<'a> {
    /// Satoshi.
    pub value: u64,
    /// The locking script.
    pub script: &'a Script,
}

impl<'a> Coin<'a> {
    fn of(output: &'a Output) -> Self {
        Self {
            value: output.value.to_sat(),
            script: &output.script,
        }
    }
}

impl<'a> TxView<'a> {
    /// Sees a transaction as a source stated it.
    pub fn of_statement(chain: &'a Chain, statement: &'a TransactionStatement) -> Self {
        let block = statement.placement.block();
        let input = |input: &'a hansel_ledger::Input| TxInput {
            previous: input.previous,
            coin: input.spent.as_ref().map(Coin::of),
        };
        Self {
            chain,
            txid: statement.txid,
            height: block.map(|block| block.height),
            time: block.map(|block| block.time.0),
            inputs: statement.inputs.iter().map(input).collect(),
            outputs: statement.outputs.iter().map(Coin::of).collect(),
        }
    }

    /// Sees a visited pool of a graph; `None` where only its name is known.
    pub fn of_pool(chain: &'a Chain, graph: &'a FlowGraph, pool: PoolIx) -> Option<Self> {
        let pool = graph.pool(pool);
        if !pool.visited {
            return None;
        }
        let block = pool.placement.block();
        let coin = |flow| {
            let flow = graph.flow(flow);
            let (value, script) = (flow.value?, flow.script?);
            Some(Coin { value, script })
        };
        let input = |flow| TxInput {
            previous: graph.outpoint(flow),
            coin: coin(flow),
        };
        let outputs: Option<Vec<_>> = pool.outputs.iter().map(|flow| coin(*flow)).collect();
        Some(Self {
            chain,
            txid: pool.txid,
            height: block.map(|block| block.height),
            time: block.map(|block| block.time.0),
            inputs: pool.inputs.iter().map(|flow| input(*flow)).collect(),
            outputs: outputs?,
        })
    }

    /// The id of the transaction as a node.
    pub fn node(&self) -> String {
        NodeId::transaction(self.chain, &self.txid).into()
    }

    /// The id of the flow into one output.
    pub fn output_id(&self, index: usize) -> String {
        let vout =
            u32::try_from(index).expect("a transaction has fewer outputs than 32 bits count");
        let txid = self.txid;
        TransferId::output(self.chain, &OutPoint { txid, vout }).into()
    }

    /// The indices of the outputs of one value.
    pub(crate) fn outputs_worth(&self, value: u64) -> impl Iterator<Item = usize> {
        self.outputs_with(move |coin| coin.value == value)
    }

    /// The indices of the outputs that satisfy a condition.
    pub(crate) fn outputs_with(
        &self,
        holds: impl Fn(&Coin<'a>) -> bool,
    ) -> impl Iterator<Item = usize> {
        let outputs = self.outputs.iter().enumerate();
        outputs.filter_map(move |(index, coin)| holds(coin).then_some(index))
    }

    /// What the inputs hold; `None` where the value of any of them is not known, or for a coinbase.
    pub fn coins_in(&self) -> Option<Vec<Coin<'a>>> {
        let coins: Option<Vec<_>> = self.inputs.iter().map(|input| input.coin).collect();
        coins.filter(|coins| !coins.is_empty())
    }

    /// True where the transaction creates a block's new coins.
    pub fn is_coinbase(&self) -> bool {
        self.inputs.is_empty()
    }
}

/// The address of a script, or the script in hexadecimal digits where it has none.
pub(crate) fn name(chain: &Chain, script: &Script) -> String {
    let network = chain.network();
    let address = network.and_then(|network| Address::from_script(script, network).ok());
    address.map_or_else(|| script.to_hex_string(), |address| address.to_string())
}
