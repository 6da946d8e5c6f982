//! A block's bytes read one after the other, never beyond the end.

use crate::error::BlockError;

/// Reads forward through the bytes of a block.
pub(crate) struct Bytes<'a> {
    all: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, rest: all }
    }

    /// Reads on from an offset; nothing is left beyond the end.
    pub(crate) fn at(all: &'a [u8], offset: usize) -> Self {
        let rest = all.get(offset..).unwrap_or_default();
        Self { all, rest }
    }

    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.all.len() - self.rest.len()
    }

    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], BlockError> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(self.cut(u64::try_from(N).unwrap_or(u64::MAX)));
        };
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn take(&mut self, length: u64) -> Result<&'a [u8], BlockError> {
        let split = usize::try_from(length).ok();
        let Some((taken, rest)) = split.and_then(|length| self.rest.split_at_checked(length))
        else {
            return Err(self.cut(length));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// A length in Bitcoin's variable form, and the bytes that it announces.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<&'a [u8], BlockError> {
        let length = self.length()?;
        self.take(length)
    }

    /// A number in Bitcoin's variable form, which has to be the shortest.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<u64, BlockError> {
        let [first] = *self.array()?;
        if first < 0xfd {
            return Ok(u64::from(first));
        }
        self.long_length(first)
    }

    #[cold]
    fn long_length(&mut self, first: u8) -> Result<u64, BlockError> {
        let offset = self.offset() - 1;
        let (length, least) = match first {
            0xfd => (u64::from(u16::from_le_bytes(*self.array()?)), 0xfd),
            0xfe => (u64::from(u32::from_le_bytes(*self.array()?)), 0x1_0000),
            _ => (u64::from_le_bytes(*self.array()?), 0x1_0000_0000),
        };
        if length < least {
            return Err(BlockError::LongLength { offset });
        }
        Ok(length)
    }

    #[cold]
    fn cut(&self, wanted: u64) -> BlockError {
        let (offset, left) = (self.offset(), self.left());
        BlockError::Cut {
            offset,
            wanted,
            left,
        }
    }
}
