//! The Merkle tree of RFC 6962, section 2.1 (SHA-256): heads, inclusion and consistency proofs.
//!
//! Proofs come from the tree alone; `prev` inside an entry is an invariant, never a proof.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// Hash of a leaf: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0u8]);
    hasher.update(entry);
    Digest(hasher.finalize().into())
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut message = [1u8; 65];
    message[1..33].copy_from_slice(&left.0);
    message[33..].copy_from_slice(&right.0);
    Digest::sha256(&message)
}

/// The right edge of a growing tree: the roots of its complete subtrees, largest first.
///
/// It is all that is needed to append leaves and to know the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    peaks: Vec<Digest>,
}

impl Edge {
    /// The edge of a tree of `size` leaves whose complete subtrees have the roots `peaks`, or `None`
    /// when their number does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Edge> {
        (size.count_ones() as usize == peaks.len()).then_some(Edge { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        self.push_subtree(0, leaf);
    }

    /// Appends the root of a complete subtree of 2^`height` leaves. The size before it must be a
    /// multiple of 2^`height`.
    pub fn push_subtree(&mut self, height: u32, root: Digest) {
        debug_assert!(self.size.is_multiple_of(1 << height));
        let mut root = root;
        let mut rest = self.size >> height;
        while rest & 1 == 1 {
            // A set bit of the size stands for a peak, so there is one to take.
            if let Some(left) = self.peaks.pop() {
                root = node_hash(&left, &root);
            }
            rest >>= 1;
        }
        self.peaks.push(root);
        self.size += 1 << height;
    }

    /// The tree's root; SHA-256 of nothing for the empty tree.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Digest::sha256(b""),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// Where proofs get the roots of complete subtrees from.
pub trait Subtrees {
    /// Why a root could not be read.
    type Error;
    /// The root of the complete subtree over leaves `index << height .. (index + 1) << height`.
    fn subtree(&self, height: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// MTH(D[from:until]) of RFC 6962. `from` must be a multiple of the largest power of two that is
/// smaller than the range, as it is in every split that RFC 6962 makes.
fn range_hash<S: Subtrees>(subtrees: &S, from: u64, until: u64) -> Result<Digest, S::Error> {
    let mut edge = Edge::default();
    let mut at = from;
    while at < until {
        let height = (until - at).ilog2();
        edge.peaks.push(subtrees.subtree(height, at >> height)?);
        at += 1 << height;
    }
    Ok(edge.root())
}

/// The head of the tree over the first `size` leaves.
pub fn root<S: Subtrees>(subtrees: &S, size: u64) -> Result<Digest, S::Error> {
    range_hash(subtrees, 0, size)
}

/// Largest power of two smaller than `n`; `n` is at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// PATH(index, D[size]) of RFC 6962, section 2.1.1, from the leaf's sibling upwards.
/// `index` must be below `size`.
pub fn inclusion_proof<S: Subtrees>(
    subtrees: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, S::Error> {
    let (mut from, mut until) = (0, size);
    let mut path = Vec::new();
    while until - from > 1 {
        let middle = from + split(until - from);
        if index < middle {
            path.push(range_hash(subtrees, middle, until)?);
            until = middle;
        } else {
            path.push(range_hash(subtrees, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// PROOF(old, D[size]) of RFC 6962, section 2.1.2. `old` must lie in `1..=size`.
pub fn consistency_proof<S: Subtrees>(
    subtrees: &S,
    old: u64,
    size: u64,
) -> Result<Vec<Digest>, S::Error> {
    let (mut from, mut until) = (0, size);
    let mut path = Vec::new();
    while until != old {
        let middle = from + split(until - from);
        if old <= middle {
            path.push(range_hash(subtrees, middle, until)?);
            until = middle;
        } else {
            path.push(range_hash(subtrees, from, middle)?);
            from = middle;
        }
    }
    if from != 0 {
        path.push(range_hash(subtrees, from, until)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2), or `None` when the proof
/// has the wrong length for this index and size.
pub fn root_from_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether `proof` shows that the tree (`size`, `root`) extends the tree (`old_size`, `old_root`)
/// (RFC 9162, section 2.1.4.2).
pub fn is_consistent(
    old_size: u64,
    old_root: Digest,
    size: u64,
    root: Digest,
    proof: &[Digest],
) -> bool {
    if old_size == size {
        return proof.is_empty() && old_root == root;
    }
    if old_size == 0 || old_size > size {
        return false;
    }
    let (mut node, mut last) = (old_size - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut proof = proof.iter();
    let start = if node == 0 {
        Some(&old_root)
    } else {
        proof.next()
    };
    let Some(start) = start else { return false };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == root
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6962's recursive definition, the oracle for everything above.
    pub(crate) fn mth(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::sha256(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    pub(crate) struct Leaves(pub Vec<Digest>);
    impl Subtrees for Leaves {
        type Error = std::convert::Infallible;
        fn subtree(&self, height: u32, index: u64) -> Result<Digest, Self::Error> {
            let from = (index << height) as usize;
            Ok(mth(&self.0[from..from + (1 << height)]))
        }
    }

    pub(crate) fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    #[test]
    fn known_roots() {
        // Test vectors of RFC 6962 as published with certificate-transparency's reference tree.
        assert_eq!(
            leaf_hash(b"").to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let inputs: [&[u8]; 3] = [b"", &[0], &[0x10]];
        let mut edge = Edge::default();
        inputs.iter().for_each(|input| edge.push(leaf_hash(input)));
        assert_eq!(
            edge.root().to_string(),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
        );
    }

    #[test]
    fn edges_grow_by_leaves_and_by_subtrees_alike() {
        let all = leaves(600);
        let mut by_leaf = Edge::default();
        all[..512].iter().for_each(|leaf| by_leaf.push(*leaf));
        let mut by_subtree = Edge::default();
        by_subtree.push_subtree(8, mth(&all[..256]));
        by_subtree.push_subtree(8, mth(&all[256..512]));
        assert_eq!(by_leaf, by_subtree);
        for leaf in &all[512..] {
            by_leaf.push(*leaf);
        }
        assert_eq!(by_leaf.root(), mth(&all));
    }

    proptest! {
        #[test]
        fn proofs_verify_and_damaged_proofs_do_not(size in 1u64..300, a in any::<u64>(), b in any::<u64>(), flip in any::<u64>()) {
            let tree = Leaves(leaves(size));
            let (index, old) = (a % size, 1 + b % size);
            let Ok(head) = root(&tree, size);
            prop_assert_eq!(head, mth(&tree.0));

            let Ok(mut proof) = inclusion_proof(&tree, index, size);
            let leaf = tree.0[index as usize];
            prop_assert_eq!(root_from_inclusion(leaf, index, size, &proof), Some(head));
            if !proof.is_empty() {
                let at = flip as usize % proof.len();
                proof[at].0[(flip % 32) as usize] ^= 1;
                prop_assert_ne!(root_from_inclusion(leaf, index, size, &proof), Some(head));
                proof.pop();
                prop_assert_ne!(root_from_inclusion(leaf, index, size, &proof), Some(head));
            }

            let old_root = mth(&tree.0[..old as usize]);
            let Ok(mut proof) = consistency_proof(&tree, old, size);
            prop_assert!(is_consistent(old, old_root, size, head, &proof));
            prop_assert!(!is_consistent(old, Digest([1; 32]), size, head, &proof));
            if !proof.is_empty() {
                let at = flip as usize % proof.len();
                proof[at].0[(flip % 32) as usize] ^= 1;
                prop_assert!(!is_consistent(old, old_root, size, head, &proof));
            }
        }
    }
}
