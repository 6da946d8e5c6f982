//! Headers as an Electrum server gives them, and the proof that a transaction is in a block.

use bitcoin::block::Header;
use bitcoin::blockdata::constants::genesis_block;
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Transaction, TxMerkleNode};
use hansel_ledger::{BlockRef, ErrorClass, SourceError, UnixTime};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ElectrumSource;
use crate::conversation::Conversation;
use crate::merkle;

const HEADER: &str = "blockchain.block.header";
const TIP: &str = "blockchain.headers.subscribe";
const BRANCH: &str = "blockchain.transaction.get_merkle";

#[derive(Deserialize)]
struct Tip {
    height: u32,
    hex: String,
}

#[derive(Deserialize)]
struct Branch {
    merkle: Vec<TxMerkleNode>,
    pos: u64,
}

impl ElectrumSource {
    /// Fails unless the server's first block is the chain's.
    pub(super) async fn recognise_chain(&self) -> Result<(), SourceError> {
        let recognise = || async {
            let talk = Conversation::off_the_record(self.wire.as_ref());
            let (first, _header) = self.header_at(&talk, 0).await?;
            let network = self.chain.network();
            if network.map(|network| genesis_block(network).block_hash()) == Some(first.hash) {
                return Ok(());
            }
            let detail = format!(
                "the server's first block is {}, not that of {}",
                first.hash, self.chain
            );
            Err(talk.failure(ErrorClass::Inconsistent, HEADER, &json!([0]), detail))
        };
        self.recognised.get_or_try_init(recognise).await.copied()
    }

    /// The newest block.
    pub(super) async fn newest_block(
        &self,
        talk: &Conversation<'_>,
    ) -> Result<BlockRef, SourceError> {
        let tip: Tip = talk.call(TIP, json!([])).await?;
        let header = checked(talk, TIP, &json!([]), &tip.hex)?;
        Ok(block_ref(tip.height.into(), &header))
    }

    /// The header at a height, with its work checked against its own target.
    pub(super) async fn header_at(
        &self,
        talk: &Conversation<'_>,
        height: u64,
    ) -> Result<(BlockRef, Header), SourceError> {
        let params = json!([height]);
        let hex: String = talk.call(HEADER, params.clone()).await?;
        let header = checked(talk, HEADER, &params, &hex)?;
        Ok((block_ref(height, &header), header))
    }

    /// The block at a height, where a Merkle branch proves that the transaction is in it; `None` where the
    /// server says that it is not.
    pub(super) async fn proved_block(
        &self,
        talk: &Conversation<'_>,
        transaction: &Transaction,
        height: u64,
    ) -> Result<Option<BlockRef>, SourceError> {
        let params = json!([transaction.compute_txid(), height]);
        let branch: Branch = match talk.call(BRANCH, params.clone()).await {
            Ok(branch) => branch,
            // Servers word "not in this block" in many ways; what they do not say is an error of another class.
            Err(error) if is_refusal(error.class) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (block, header) = self.header_at(talk, height).await?;
        let inconsistent =
            |detail: String| talk.failure(ErrorClass::Inconsistent, BRANCH, &params, detail);
        let root = merkle::root(transaction, &branch.merkle, branch.pos)
            .map_err(|error| inconsistent(error.to_string()))?;
        if root == header.merkle_root {
            return Ok(Some(block));
        }
        Err(inconsistent(format!(
            "the merkle branch does not lead to the root of block {}",
            block.hash
        )))
    }
}

fn is_refusal(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::NotFound | ErrorClass::Unsupported)
}

fn checked(
    talk: &Conversation<'_>,
    method: &str,
    params: &Value,
    hex: &str,
) -> Result<Header, SourceError> {
    let header: Header = deserialize_hex(hex)
        .map_err(|error| talk.failure(ErrorClass::Malformed, method, params, error))?;
    match header.validate_pow(header.target()) {
        Ok(_hash) => Ok(header),
        Err(error) => Err(talk.failure(ErrorClass::Inconsistent, method, params, error)),
    }
}

fn block_ref(height: u64, header: &Header) -> BlockRef {
    BlockRef {
        height,
        hash: header.block_hash(),
        time: UnixTime(u64::from(header.time)),
    }
}
