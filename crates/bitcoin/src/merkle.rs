//! Folds a Merkle branch to the root that a block's header commits to.

use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{Transaction, TxMerkleNode};

/// Longer branches belong to no block: 2^32 transactions do not fit one.
const LONGEST: usize = 32;

/// Says why a Merkle branch proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BranchError {
    /// More steps than any block's tree has.
    #[error("the merkle branch has {0} steps")]
    TooLong(usize),
    /// The position lies outside the tree.
    #[error("position {position} does not exist in a tree of depth {depth}")]
    NoSuchPosition {
        /// The position claimed.
        position: u64,
        /// The depth of the tree, from the branch's length.
        depth: usize,
    },
    /// A left neighbour that equals its right one, which only a forged tree has (CVE-2012-2459).
    #[error("the merkle branch repeats a node")]
    Repeated,
    /// A transaction of 64 bytes can pass for an inner node (CVE-2017-12842).
    #[error("a transaction of 64 bytes can be an inner node of the tree")]
    LooksLikeNode,
}

/// The root of the tree that holds `transaction` at `position`, given its neighbours from the bottom up.
pub(crate) fn root(
    transaction: &Transaction,
    branch: &[TxMerkleNode],
    position: u64,
) -> Result<TxMerkleNode, BranchError> {
    if transaction.base_size() == 64 {
        return Err(BranchError::LooksLikeNode);
    }
    let leaf = TxMerkleNode::from_raw_hash(transaction.compute_txid().to_raw_hash());
    fold(leaf, branch, position)
}

fn fold(
    leaf: TxMerkleNode,
    branch: &[TxMerkleNode],
    position: u64,
) -> Result<TxMerkleNode, BranchError> {
    let depth = branch.len();
    if depth > LONGEST {
        return Err(BranchError::TooLong(depth));
    }
    if position >> depth != 0 {
        return Err(BranchError::NoSuchPosition { position, depth });
    }
    let mut node = leaf;
    for (level, neighbour) in branch.iter().enumerate() {
        let is_right = position >> level & 1 == 1;
        if is_right && node == *neighbour {
            return Err(BranchError::Repeated);
        }
        node = if is_right {
            parent(neighbour, &node)
        } else {
            parent(&node, neighbour)
        };
    }
    Ok(node)
}

fn parent(left: &TxMerkleNode, right: &TxMerkleNode) -> TxMerkleNode {
    let mut engine = sha256d::Hash::engine();
    engine.input(left.as_byte_array());
    engine.input(right.as_byte_array());
    TxMerkleNode::from_raw_hash(sha256d::Hash::from_engine(engine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::merkle_tree::calculate_root;

    fn leaves(count: u8) -> Vec<TxMerkleNode> {
        (0..count)
            .map(|i| TxMerkleNode::from_byte_array([i; 32]))
            .collect()
    }

    /// The neighbours of `position`, built level by level, the last node of an odd level repeated.
    fn branch(mut level: Vec<TxMerkleNode>, mut position: usize) -> Vec<TxMerkleNode> {
        let mut branch = Vec::new();
        while level.len() > 1 {
            if level.len() % 2 == 1 {
                level.push(level[level.len() - 1]);
            }
            branch.push(level[position ^ 1]);
            level = level
                .chunks(2)
                .map(|two| parent(&two[0], &two[1]))
                .collect();
            position /= 2;
        }
        branch
    }

    #[test]
    fn every_position_of_every_small_tree_folds_to_its_root() {
        for count in 1..=9 {
            let leaves = leaves(count);
            let root = calculate_root(leaves.iter().copied()).unwrap();
            for (position, leaf) in leaves.iter().enumerate() {
                let branch = branch(leaves.clone(), position);
                let position = u64::try_from(position).unwrap();
                assert_eq!(
                    fold(*leaf, &branch, position),
                    Ok(root),
                    "{count} {position}"
                );
            }
        }
    }

    #[test]
    fn forged_branches_are_refused() {
        let leaves = leaves(4);
        let branch = branch(leaves.clone(), 1);
        let root = calculate_root(leaves.iter().copied()).unwrap();
        assert_ne!(fold(leaves[1], &branch, 0), Ok(root));
        assert_eq!(
            fold(leaves[1], &branch, 5),
            Err(BranchError::NoSuchPosition {
                position: 5,
                depth: 2
            })
        );
        assert_eq!(
            fold(leaves[1], &[leaves[1], leaves[2]], 1),
            Err(BranchError::Repeated)
        );
        assert_eq!(
            fold(leaves[1], &vec![leaves[0]; 33], 1),
            Err(BranchError::TooLong(33))
        );
    }
}
