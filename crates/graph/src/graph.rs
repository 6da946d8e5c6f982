//! The flow graph: verified facts only, in any order of arrival.
//!
//! A node is a transaction (a pool), an edge an output that one transaction created and another spent.
//! Outputs that nobody is known to have spent have no edge; they stand in the list of flows alone.

mod check;

use std::hash::{BuildHasher, RandomState};

use bitcoin::{OutPoint, Script, Txid};
use hansel_ledger::{BlockRef, Input, Output, Placement, TransactionStatement};
use hashbrown::HashTable;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::growth::make_room;
use crate::scripts::{ScriptIx, Scripts};

/// A pool's number: the index of its node in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolIx(u32);

/// A flow's number, dense from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowIx(u32);

impl PoolIx {
    /// The number as a position in a table by pool.
    pub fn position(self) -> usize {
        usize::try_from(self.0).expect("a 32-bit number fits the address space")
    }

    fn node(self) -> NodeIndex {
        NodeIndex::new(self.position())
    }
}

impl FlowIx {
    /// The number as a position in a table by flow.
    pub fn position(self) -> usize {
        usize::try_from(self.0).expect("a 32-bit number fits the address space")
    }
}

/// Says which fact could not be added, and why.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GraphError {
    /// A transaction states another value or script for an output than the transaction that created it.
    #[error(
        "{spender} states another value or script for {outpoint} than the transaction that created it"
    )]
    Contradiction {
        /// The output.
        outpoint: OutPoint,
        /// The transaction whose statement is wrong.
        spender: Txid,
    },
    /// A transaction spends an output that its creator does not have.
    #[error("{spender} spends {outpoint}, which does not exist")]
    NoSuchOutput {
        /// The output.
        outpoint: OutPoint,
        /// The transaction whose statement is wrong.
        spender: Txid,
    },
    /// Two transactions spend the same output.
    #[error("{first} and {second} both spend {outpoint}")]
    DoubleSpend {
        /// The output.
        outpoint: OutPoint,
        /// The spender that was there first.
        first: Txid,
        /// The spender that came later.
        second: Txid,
    },
    /// A transaction lists the same output among its inputs twice.
    #[error("{spender} spends {outpoint} twice")]
    SpentTwice {
        /// The output.
        outpoint: OutPoint,
        /// The transaction whose statement is wrong.
        spender: Txid,
    },
    /// A transaction spends its own output.
    #[error("{spender} spends itself")]
    SpendsItself {
        /// The transaction whose statement is wrong.
        spender: Txid,
    },
    /// A transaction's inputs or outputs are worth more than all coins there can be.
    #[error("{transaction} moves more than 21 million bitcoin")]
    TooMuch {
        /// The transaction whose statement is wrong.
        transaction: Txid,
    },
    /// A transaction's outputs are worth more than its inputs.
    #[error("{spender} pays out more than it takes in")]
    Overdrawn {
        /// The transaction whose statement is wrong.
        spender: Txid,
    },
    /// More flows than 32-bit numbers.
    #[error("the graph is full: it holds at most 4,294,967,295 flows and 4 GiB of scripts")]
    Full,
}

impl GraphError {
    /// The transaction whose statement must not be believed, where one is to blame.
    pub fn culprit(&self) -> Option<Txid> {
        match self {
            Self::Contradiction { spender, .. }
            | Self::NoSuchOutput { spender, .. }
            | Self::SpentTwice { spender, .. }
            | Self::SpendsItself { spender }
            | Self::Overdrawn { spender } => Some(*spender),
            Self::DoubleSpend { second, .. } => Some(*second),
            Self::TooMuch { transaction } => Some(*transaction),
            Self::Full => None,
        }
    }
}

/// What is known of a transaction's place; block numbers index the graph's list of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Only named by another transaction.
    Unvisited,
    /// The source did not know the block.
    Unknown,
    /// In the mempool.
    Unconfirmed,
    /// In this block.
    Block(u32),
}

#[derive(Debug)]
struct PoolRow {
    txid: Txid,
    place: Place,
    depth: u32,
    /// How many of the flows pour in; the others are drawn.
    poured: u32,
    flows: Box<[FlowIx]>,
}

impl PoolRow {
    fn inputs(&self) -> &[FlowIx] {
        &self.flows[..PoolIx(self.poured).position()]
    }

    fn outputs(&self) -> &[FlowIx] {
        &self.flows[PoolIx(self.poured).position()..]
    }
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct FlowRow {
    /// `u64::MAX` where no statement gave the value; no bitcoin amount comes near it.
    value: u64,
    /// `u32::MAX` where no statement gave the script.
    script: u32,
    vout: u32,
    creator: u32,
    spender: u32,
}

/// A transaction as a pool, seen through the graph.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// The transaction.
    pub txid: Txid,
    /// True where its statement is known; otherwise it is only named by another.
    pub visited: bool,
    /// Where it stands in the chain.
    pub placement: Placement,
    /// Its depth among its parents in the same block: zero where it has none there.
    pub depth: u32,
    /// The flows that pour in, in serialisation order; empty for a coinbase.
    pub inputs: &'a [FlowIx],
    /// The flows that are drawn, in serialisation order; of an unvisited pool those that others named.
    pub outputs: &'a [FlowIx],
}

/// An output seen through the graph.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// Index among the creator's outputs.
    pub vout: u32,
    /// Value in satoshi, where a statement gave it.
    pub value: Option<u64>,
    /// Locking script, where a statement gave it.
    pub script: Option<&'a Script>,
    /// The pool it left.
    pub creator: PoolIx,
    /// The visited pool that spends it.
    pub spender: Option<PoolIx>,
}

/// The facts of a trace as a directed graph.
#[derive(Debug, Default)]
pub struct FlowGraph {
    graph: DiGraph<PoolRow, FlowIx>,
    flows: Vec<FlowRow>,
    blocks: Vec<BlockRef>,
    scripts: Scripts,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl FlowGraph {
    /// Makes room, so that a ledger of known size grows without copying.
    pub fn reserve(&mut self, pools: usize, flows: usize) {
        self.graph.reserve_nodes(pools);
        self.graph.reserve_edges(flows);
        self.flows.reserve(flows);
    }

    /// The number of pools, visited or only named.
    pub fn pool_count(&self) -> usize {
        self.graph.node_count()
    }

    /// The number of flows, fees not counted.
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    /// All pools in order of arrival.
    pub fn pools(&self) -> impl Iterator<Item = PoolIx> + use<> {
        let count =
            u32::try_from(self.graph.node_count()).expect("petgraph numbers nodes with 32 bits");
        (0..count).map(PoolIx)
    }

    /// All flows in order of arrival.
    pub fn flows(&self) -> impl Iterator<Item = FlowIx> + use<> {
        let count = u32::try_from(self.flows.len()).expect("flows are numbered with 32 bits");
        (0..count).map(FlowIx)
    }

    /// The pool of a transaction, if anything is known of it.
    pub fn find(&self, txid: &Txid) -> Option<PoolIx> {
        let hash = self.hasher.hash_one(txid);
        self.index
            .find(hash, |&ix| self.row(PoolIx(ix)).txid == *txid)
            .copied()
            .map(PoolIx)
    }

    /// The flow of an output, if anything is known of it.
    pub fn find_output(&self, outpoint: &OutPoint) -> Option<FlowIx> {
        self.output_of(self.find(&outpoint.txid)?, outpoint.vout)
    }

    /// A pool by number.
    pub fn pool(&self, pool: PoolIx) -> Pool<'_> {
        let row = self.row(pool);
        let PoolRow {
            txid, place, depth, ..
        } = row;
        let placement = match place {
            Place::Unvisited | Place::Unknown => Placement::Unknown,
            Place::Unconfirmed => Placement::Unconfirmed,
            Place::Block(ix) => Placement::Confirmed(self.blocks[PoolIx(*ix).position()]),
        };
        let visited = *place != Place::Unvisited;
        Pool {
            txid: *txid,
            visited,
            placement,
            depth: *depth,
            inputs: row.inputs(),
            outputs: row.outputs(),
        }
    }

    /// A flow by number.
    pub fn flow(&self, flow: FlowIx) -> Flow<'_> {
        let FlowRow {
            value,
            script,
            vout,
            creator,
            spender,
        } = self.flows[flow.position()];
        Flow {
            vout,
            value: (value != u64::MAX).then_some(value),
            script: (script != NONE).then(|| self.scripts.get(ScriptIx(script))),
            creator: PoolIx(creator),
            spender: (spender != NONE).then_some(PoolIx(spender)),
        }
    }

    /// The output that a flow is.
    pub fn outpoint(&self, flow: FlowIx) -> OutPoint {
        let FlowRow { vout, creator, .. } = self.flows[flow.position()];
        OutPoint {
            txid: self.row(PoolIx(creator)).txid,
            vout,
        }
    }

    /// A visited pool's fee; `None` for a coinbase, with unknown inputs, or where outputs exceed inputs.
    pub fn fee(&self, pool: PoolIx) -> Option<u64> {
        let row = self.row(pool);
        if row.inputs().is_empty() {
            return None;
        }
        self.sum(row.inputs())?
            .checked_sub(self.sum(row.outputs())?)
    }

    /// The order of execution: height (unknown last), depth in the block.
    pub fn order(&self, pool: PoolIx) -> (u64, u32) {
        let row = self.row(pool);
        match row.place {
            Place::Block(ix) => (self.blocks[PoolIx(ix).position()].height, row.depth),
            Place::Unvisited | Place::Unknown | Place::Unconfirmed => (u64::MAX, row.depth),
        }
    }

    /// The underlying petgraph graph's size, for measurements: nodes and edges.
    pub fn size(&self) -> (usize, usize) {
        (self.graph.node_count(), self.graph.edge_count())
    }

    /// Adds a transaction. Adding it again changes nothing. A statement that contradicts what is known is
    /// refused whole.
    pub fn insert(&mut self, statement: &TransactionStatement) -> Result<PoolIx, GraphError> {
        let known = self.find(&statement.txid);
        if let Some(pool) = known.filter(|pool| self.row(*pool).place != Place::Unvisited) {
            return Ok(pool);
        }
        self.check(known, statement)?;
        let pool = self.intern(&statement.txid)?;
        let outputs = self.insert_outputs(pool, &statement.outputs)?;
        let inputs = statement
            .inputs
            .iter()
            .map(|input| self.insert_input(pool, input));
        let mut flows = inputs.collect::<Result<Vec<FlowIx>, _>>()?;
        let poured = u32::try_from(flows.len()).map_err(|_| GraphError::Full)?;
        flows.extend(outputs);
        let place = self.place(&statement.placement)?;
        let row = self.row_mut(pool);
        row.place = place;
        row.poured = poured;
        row.flows = flows.into_boxed_slice();
        self.deepen(pool);
        Ok(pool)
    }

    fn row(&self, pool: PoolIx) -> &PoolRow {
        &self.graph[pool.node()]
    }

    fn row_mut(&mut self, pool: PoolIx) -> &mut PoolRow {
        &mut self.graph[pool.node()]
    }

    fn sum(&self, flows: &[FlowIx]) -> Option<u64> {
        flows
            .iter()
            .try_fold(0_u64, |sum, flow| sum.checked_add(self.flow(*flow).value?))
    }

    fn output_of(&self, pool: PoolIx, vout: u32) -> Option<FlowIx> {
        let outputs = self.row(pool).outputs();
        let found = outputs.binary_search_by_key(&vout, |flow| self.flows[flow.position()].vout);
        found.ok().map(|position| outputs[position])
    }

    fn intern(&mut self, txid: &Txid) -> Result<PoolIx, GraphError> {
        if let Some(known) = self.find(txid) {
            return Ok(known);
        }
        let ix = u32::try_from(self.graph.node_count()).map_err(|_| GraphError::Full)?;
        if ix == NONE {
            return Err(GraphError::Full);
        }
        let empty = PoolRow {
            txid: *txid,
            place: Place::Unvisited,
            depth: 0,
            poured: 0,
            flows: Box::default(),
        };
        self.graph.add_node(empty);
        let hash = self.hasher.hash_one(txid);
        let Self {
            graph,
            index,
            hasher,
            ..
        } = self;
        index.insert_unique(hash, ix, |&ix| {
            hasher.hash_one(graph[PoolIx(ix).node()].txid)
        });
        Ok(PoolIx(ix))
    }

    fn insert_outputs(
        &mut self,
        pool: PoolIx,
        outputs: &[Output],
    ) -> Result<Vec<FlowIx>, GraphError> {
        let mut flows = Vec::with_capacity(outputs.len());
        for (vout, output) in (0_u32..).zip(outputs) {
            let flow = match self.output_of(pool, vout) {
                Some(named) => named,
                None => self.new_flow(pool, vout)?,
            };
            self.describe(flow, output)?;
            flows.push(flow);
        }
        Ok(flows)
    }

    fn insert_input(&mut self, spender: PoolIx, input: &Input) -> Result<FlowIx, GraphError> {
        let creator = self.intern(&input.previous.txid)?;
        let flow = match self.output_of(creator, input.previous.vout) {
            Some(known) => known,
            None => self.name_output(creator, input.previous.vout)?,
        };
        if let Some(spent) = &input.spent {
            self.describe(flow, spent)?;
        }
        self.flows[flow.position()].spender = spender.0;
        self.graph.add_edge(creator.node(), spender.node(), flow);
        Ok(flow)
    }

    /// Adds an output of a transaction that is only named so far, keeping the list sorted by index.
    fn name_output(&mut self, creator: PoolIx, vout: u32) -> Result<FlowIx, GraphError> {
        let flow = self.new_flow(creator, vout)?;
        let mut outputs = std::mem::take(&mut self.row_mut(creator).flows).into_vec();
        let at = outputs.partition_point(|known| self.flows[known.position()].vout < vout);
        outputs.insert(at, flow);
        self.row_mut(creator).flows = outputs.into_boxed_slice();
        Ok(flow)
    }

    fn new_flow(&mut self, creator: PoolIx, vout: u32) -> Result<FlowIx, GraphError> {
        let ix = u32::try_from(self.flows.len()).map_err(|_| GraphError::Full)?;
        make_room(&mut self.flows, 1);
        self.flows.push(FlowRow {
            value: u64::MAX,
            script: NONE,
            vout,
            creator: creator.0,
            spender: NONE,
        });
        Ok(FlowIx(ix))
    }

    fn describe(&mut self, flow: FlowIx, output: &Output) -> Result<(), GraphError> {
        let script = self
            .scripts
            .intern(&output.script)
            .ok_or(GraphError::Full)?;
        let row = &mut self.flows[flow.position()];
        row.value = output.value.to_sat();
        row.script = script.0;
        Ok(())
    }

    fn place(&mut self, placement: &Placement) -> Result<Place, GraphError> {
        match placement {
            Placement::Unknown => Ok(Place::Unknown),
            Placement::Unconfirmed => Ok(Place::Unconfirmed),
            Placement::Confirmed(block) => {
                if self.blocks.last() != Some(block) {
                    self.blocks.push(*block);
                }
                let ix = u32::try_from(self.blocks.len() - 1).map_err(|_| GraphError::Full)?;
                Ok(Place::Block(ix))
            }
        }
    }

    /// Sets a new pool's depth in its block, and that of its descendants there.
    fn deepen(&mut self, pool: PoolIx) {
        let mut raised = vec![pool];
        while let Some(pool) = raised.pop() {
            let parents = self
                .row(pool)
                .inputs()
                .iter()
                .map(|flow| self.flow(*flow).creator);
            let together = parents.filter(|parent| self.shares_block(*parent, pool));
            let depth = together
                .map(|parent| self.row(parent).depth.saturating_add(1))
                .max()
                .unwrap_or(0);
            let first = self.row(pool).depth == 0;
            if depth > self.row(pool).depth || first {
                self.row_mut(pool).depth = depth;
                let spenders = self
                    .row(pool)
                    .outputs()
                    .iter()
                    .filter_map(|flow| self.flow(*flow).spender);
                let shallow = |child: &PoolIx| {
                    self.shares_block(pool, *child) && self.row(*child).depth <= depth
                };
                raised.extend(spenders.filter(shallow));
            }
        }
    }

    fn shares_block(&self, one: PoolIx, other: PoolIx) -> bool {
        let height = |pool: PoolIx| match self.row(pool).place {
            Place::Block(ix) => Some(self.blocks[PoolIx(ix).position()].height),
            Place::Unvisited | Place::Unknown | Place::Unconfirmed => None,
        };
        height(one).is_some() && height(one) == height(other)
    }
}
