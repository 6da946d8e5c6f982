//! Walks through a raw Bitcoin block without copying or hashing anything.

use bitcoin::hashes::{Hash as _, HashEngine as _, sha256d};
use bitcoin::{BlockHash, Txid};

use crate::bytes::Bytes;
use crate::error::BlockError;

/// Bytes that a block has at most: every byte weighs one unit or more, and four million units are allowed.
pub(crate) const MOST_BYTES: usize = 4_000_000;

/// The 80 bytes that a block begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a>(pub &'a [u8; 80]);

impl<'a> Header<'a> {
    /// Reads the header of a block.
    ///
    /// # Errors
    ///
    /// Where there are fewer than 80 bytes.
    pub fn of(block: &'a [u8]) -> Result<Self, BlockError> {
        Bytes::new(block).array().map(Self)
    }

    /// The hash that names the block; costs two rounds of SHA-256.
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_raw_hash(sha256d::Hash::hash(self.0))
    }

    /// The block that this one follows.
    pub fn previous(&self) -> BlockHash {
        let hash = self.0[4..36].try_into().expect("32 bytes");
        BlockHash::from_byte_array(hash)
    }
}

/// Whether the header of a block commits to its transactions; takes the hash of each.
///
/// # Errors
///
/// Where the bytes are not exactly one block.
pub fn has_its_transactions(block: &[u8]) -> Result<bool, BlockError> {
    let mut starts = Starts::default();
    let header = visit(block, &mut starts)?;
    let mut txids = Vec::with_capacity(starts.0.len());
    for offset in starts.0 {
        txids.push(txid_at(block, offset, &mut Starts::default())?.to_raw_hash());
    }
    let root = bitcoin::merkle_tree::calculate_root(txids.into_iter());
    Ok(root.is_some_and(|root| root.as_byte_array() == &header.0[36..68]))
}

/// Where the transactions of a block begin.
#[derive(Default)]
struct Starts(Vec<usize>);

impl<'a> Visitor<'a> for Starts {
    fn transaction(&mut self, offset: usize) {
        self.0.push(offset);
    }

    fn input(&mut self, _offset: usize, _outpoint: &'a [u8; 36]) {}

    fn output(&mut self, _offset: usize, _value: u64, _script: &'a [u8]) {}
}

/// What a walk through a block meets, in the block's order.
pub trait Visitor<'a> {
    /// A transaction begins at this offset of the block.
    fn transaction(&mut self, offset: usize);
    /// An input spends this outpoint (as serialised: txid, then index); it begins at this offset.
    fn input(&mut self, offset: usize, outpoint: &'a [u8; 36]);
    /// An output of so many satoshis pays to this script; it begins at this offset.
    fn output(&mut self, offset: usize, value: u64, script: &'a [u8]);
}

/// Walks through a block and returns its header.
///
/// Accepts what a decoder accepts that reads everything; scripts and witnesses are passed over. That the
/// transactions are those of the header is not checked, since this takes the hash of each.
///
/// # Errors
///
/// Where the bytes are not exactly one block; the visitor may have been told of its beginning.
pub fn visit<'a>(
    block: &'a [u8],
    visitor: &mut impl Visitor<'a>,
) -> Result<Header<'a>, BlockError> {
    if block.len() > MOST_BYTES {
        let (bytes, most) = (block.len(), MOST_BYTES);
        return Err(BlockError::TooLong { bytes, most });
    }
    let mut bytes = Bytes::new(block);
    let header = Header(bytes.array()?);
    for _ in 0..bytes.length()? {
        transaction(&mut bytes, visitor)?;
    }
    match bytes.left() {
        0 => Ok(header),
        left => Err(BlockError::Trailing {
            offset: bytes.offset(),
            left,
        }),
    }
}

/// Where the parts of a transaction lie that its txid is the hash of.
struct Parts {
    version: [u8; 4],
    /// Inputs and outputs.
    body: std::ops::Range<usize>,
    lock_time: [u8; 4],
}

/// Reads one transaction. Whatever is announced takes a byte at least, so nothing is read for longer than the block is.
fn transaction<'a>(
    bytes: &mut Bytes<'a>,
    visitor: &mut impl Visitor<'a>,
) -> Result<Parts, BlockError> {
    let offset = bytes.offset();
    visitor.transaction(offset);
    let version = *bytes.array()?;
    let extended = bytes.peek() == Some(0);
    if extended {
        let [_, flag] = *bytes.array()?;
        if flag != 1 {
            return Err(BlockError::UnknownForm { offset, flag });
        }
    }
    let start = bytes.offset();
    let inputs = inputs(bytes, visitor)?;
    outputs(bytes, visitor)?;
    let body = start..bytes.offset();
    if extended && !witnesses(bytes, inputs)? && inputs > 0 {
        return Err(BlockError::NoWitness { offset });
    }
    let lock_time = *bytes.array()?;
    Ok(Parts {
        version,
        body,
        lock_time,
    })
}

fn inputs<'a>(bytes: &mut Bytes<'a>, visitor: &mut impl Visitor<'a>) -> Result<u64, BlockError> {
    let count = bytes.length()?;
    for _ in 0..count {
        let offset = bytes.offset();
        visitor.input(offset, bytes.array()?);
        bytes.field()?;
        bytes.array::<4>()?;
    }
    Ok(count)
}

fn outputs<'a>(bytes: &mut Bytes<'a>, visitor: &mut impl Visitor<'a>) -> Result<(), BlockError> {
    for _ in 0..bytes.length()? {
        let offset = bytes.offset();
        let value = u64::from_le_bytes(*bytes.array()?);
        visitor.output(offset, value, bytes.field()?);
    }
    Ok(())
}

/// Passes over the witnesses of so many inputs; whether any of them is not empty.
fn witnesses(bytes: &mut Bytes<'_>, inputs: u64) -> Result<bool, BlockError> {
    let mut any = false;
    for _ in 0..inputs {
        let items = bytes.length()?;
        any |= items > 0;
        for _ in 0..items {
            bytes.field()?;
        }
    }
    Ok(any)
}

/// The txid of the transaction at an offset, and what it consists of is told to the visitor.
pub(crate) fn txid_at<'a>(
    block: &'a [u8],
    offset: usize,
    visitor: &mut impl Visitor<'a>,
) -> Result<Txid, BlockError> {
    let parts = transaction(&mut Bytes::at(block, offset), visitor)?;
    let mut engine = Txid::engine();
    engine.input(&parts.version);
    engine.input(&block[parts.body]);
    engine.input(&parts.lock_time);
    Ok(Txid::from_engine(engine))
}

/// The outpoint that the input at an offset spends.
pub(crate) fn outpoint_at(block: &[u8], offset: usize) -> Result<&[u8; 36], BlockError> {
    Bytes::at(block, offset).array()
}

/// The script that the output at an offset pays to.
pub(crate) fn script_at(block: &[u8], offset: usize) -> Result<&[u8], BlockError> {
    let mut bytes = Bytes::at(block, offset);
    bytes.array::<8>()?;
    bytes.field()
}
