//! Tiles: the tree's hashes in pieces of 256, as C2SP tlog-tiles publishes them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::digest::Digest;
use crate::merkle::{Edge, Subtrees, node_hash};

/// Tree levels in a tile, fixed by C2SP tlog-tiles.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// Which tile: its level (0 holds leaf hashes), its index within the level, and how many of its 256
/// hashes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// 0 to 7 for any tree that fits 64 bits.
    pub level: u32,
    /// Counted from 0.
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The widest form that tile `index` of `level` has in a tree of `size` leaves; `None` if the
    /// tree has not reached it.
    pub fn in_tree(level: u32, index: u64, size: u64) -> Option<Tile> {
        let hashes = size.checked_shr(level * TILE_HEIGHT).unwrap_or(0);
        let before = index.checked_mul(TILE_WIDTH)?;
        let width = hashes.checked_sub(before)?.min(TILE_WIDTH);
        (width > 0).then_some(Tile {
            level,
            index,
            width,
        })
    }

    /// The partial tile at the right edge of `level` in a tree of `size` leaves; `None` if there is none.
    pub fn at_edge(level: u32, size: u64) -> Option<Tile> {
        let hashes = size.checked_shr(level * TILE_HEIGHT).unwrap_or(0);
        Tile::in_tree(level, hashes / TILE_WIDTH, size)
    }

    /// Every tile of a tree of `size` leaves, level by level, the partial ones last in each level.
    pub fn all(size: u64) -> impl Iterator<Item = Tile> {
        (0u32..)
            .take_while(move |level| size.checked_shr(level * TILE_HEIGHT).unwrap_or(0) > 0)
            .flat_map(move |level| {
                (0u64..).map_while(move |index| Tile::in_tree(level, index, size))
            })
    }

    /// Path below the log's prefix: `tile/0/x001/x234/067` or `tile/1/000.p/17`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, index_path(self.index, self.width))
    }

    /// Reads [`Tile::path`] without its leading `tile/`: `0/x001/x234/067`.
    pub fn parse(path: &str) -> Option<Tile> {
        let (level, rest) = path.split_once('/')?;
        let (index, width) = parse_index_path(rest)?;
        Some(Tile {
            level: decimal(level)?
                .try_into()
                .ok()
                .filter(|level| *level < 64)?,
            index,
            width,
        })
    }
}

/// `x001/x234/067`, with `.p/W` when `width` is below 256. Entry bundles use the same form.
pub fn index_path(index: u64, width: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH {
        path += &format!(".p/{width}");
    }
    path
}

/// Reads [`index_path`], refusing every other spelling of it.
pub fn parse_index_path(path: &str) -> Option<(u64, u64)> {
    let (digits, width) = match path.split_once(".p/") {
        Some((digits, width)) => (
            digits,
            decimal(width).filter(|w| (1..TILE_WIDTH).contains(w))?,
        ),
        None => (path, TILE_WIDTH),
    };
    let mut index = 0u64;
    for element in digits.split('/') {
        let element = element.strip_prefix('x').unwrap_or(element);
        if element.len() != 3 || !element.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index
            .checked_mul(1000)?
            .checked_add(element.parse().ok()?)?;
    }
    (index_path(index, width) == path).then_some((index, width))
}

/// A number without sign and leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Collects the hashes of a growing tree into full tiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TileWriter {
    /// The unfinished right-most tile of each level.
    partial: Vec<Vec<Digest>>,
    edge: Edge,
}

impl TileWriter {
    /// A writer that goes on where a tree of `size` leaves ended, reading its right edge through
    /// `read`, which gets the partial tile of every level.
    pub fn resume<E>(
        size: u64,
        mut read: impl FnMut(Tile) -> Result<Vec<Digest>, E>,
    ) -> Result<TileWriter, E> {
        let mut partial = Vec::new();
        let mut level = 0;
        while size.checked_shr(level * TILE_HEIGHT).unwrap_or(0) > 0 {
            partial.push(match Tile::at_edge(level, size) {
                Some(tile) => read(tile)?,
                None => Vec::new(),
            });
            level += 1;
        }
        let mut edge = Edge::default();
        for (level, hashes) in partial.iter().enumerate().rev() {
            hashes
                .iter()
                .for_each(|hash| edge.push_subtree(level as u32 * TILE_HEIGHT, *hash));
        }
        Ok(TileWriter { partial, edge })
    }

    /// Appends a leaf and hands every tile that it completes to `full`.
    pub fn push(&mut self, leaf: Digest, mut full: impl FnMut(Tile, Vec<u8>)) {
        self.edge.push(leaf);
        let mut hash = leaf;
        for level in 0.. {
            if self.partial.len() <= level {
                self.partial.push(Vec::with_capacity(TILE_WIDTH as usize));
            }
            let hashes = &mut self.partial[level];
            hashes.push(hash);
            if hashes.len() < TILE_WIDTH as usize {
                return;
            }
            hash = complete_root(hashes);
            let index = (self.edge.size() >> ((level as u32 + 1) * TILE_HEIGHT)) - 1;
            full(
                Tile {
                    level: level as u32,
                    index,
                    width: TILE_WIDTH,
                },
                tile_bytes(hashes),
            );
            hashes.clear();
        }
    }

    /// Number of leaves and root of the tree so far.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The unfinished tile of `level`, which has less than 256 hashes.
    pub fn partial(&self, level: u32) -> &[Digest] {
        self.partial.get(level as usize).map_or(&[], Vec::as_slice)
    }
}

/// The hashes of a tile, one after the other.
pub fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Reads [`tile_bytes`]; `None` when the length is not a multiple of 32.
pub fn tile_hashes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty()
        .then(|| hashes.iter().copied().map(Digest).collect())
}

/// Root over a power of two of hashes.
pub fn complete_root(hashes: &[Digest]) -> Digest {
    debug_assert!(hashes.len().is_power_of_two());
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .map(|pair| node_hash(&pair[0], &pair[1]))
            .collect();
    }
    row[0]
}

/// Subtree roots read through tiles, each tile fetched once.
pub struct TileReader<F> {
    size: u64,
    fetch: F,
    tiles: RefCell<HashMap<(u32, u64), Vec<Digest>>>,
}

/// Why a subtree's root could not be had from tiles.
#[derive(Debug, thiserror::Error)]
pub enum TileError<E> {
    /// The tile could not be fetched.
    #[error("{0}")]
    Fetch(E),
    /// The tile is missing or has the wrong length.
    #[error("tile {} is missing or has the wrong length", .0.path())]
    Missing(Tile),
}

impl<E, F: Fn(Tile) -> Result<Option<Vec<u8>>, E>> TileReader<F> {
    /// A reader for the tree of `size` leaves; `fetch` gets the bytes of a tile.
    pub fn new(size: u64, fetch: F) -> TileReader<F> {
        TileReader {
            size,
            fetch,
            tiles: RefCell::default(),
        }
    }
}

impl<E, F: Fn(Tile) -> Result<Option<Vec<u8>>, E>> Subtrees for TileReader<F> {
    type Error = TileError<E>;

    fn subtree(&self, height: u32, index: u64) -> Result<Digest, TileError<E>> {
        let level = height / TILE_HEIGHT;
        let within = height % TILE_HEIGHT;
        let first = index << within;
        let (number, offset) = (first / TILE_WIDTH, (first % TILE_WIDTH) as usize);
        let count = 1usize << within;
        let wanted = Tile {
            level,
            index: number,
            width: offset as u64 + count as u64,
        };
        let tile = Tile::in_tree(level, number, self.size).ok_or(TileError::Missing(wanted))?;
        let mut tiles = self.tiles.borrow_mut();
        let hashes = match tiles.entry((level, number)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let bytes = (self.fetch)(tile).map_err(TileError::Fetch)?;
                let hashes = bytes
                    .and_then(|bytes| tile_hashes(&bytes))
                    .filter(|hashes| hashes.len() as u64 == tile.width)
                    .ok_or(TileError::Missing(tile))?;
                unknown.insert(hashes)
            }
        };
        hashes
            .get(offset..offset + count)
            .map(complete_root)
            .ok_or(TileError::Missing(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{
        inclusion_proof, root,
        tests::{leaves, mth},
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(index_path(1_234_067, 256), "x001/x234/067");
        let tile = Tile {
            level: 1,
            index: 0,
            width: 17,
        };
        assert_eq!(tile.path(), "tile/1/000.p/17");
        assert_eq!(Tile::parse("1/000.p/17"), Some(tile));
        for path in [
            "1/0",
            "1/x000/001",
            "01/001",
            "0/000.p/256",
            "0/000.p/0",
            "64/000",
            "0/x001",
            "0/000.p/01",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_of_the_specification() {
        let tiles: Vec<Tile> = Tile::all(70_000).collect();
        let partial: Vec<(u32, u64)> = tiles
            .iter()
            .filter(|t| t.width < 256)
            .map(|t| (t.level, t.width))
            .collect();
        assert_eq!(partial, [(0, 112), (1, 17), (2, 1)]);
        assert_eq!(tiles.iter().filter(|t| t.level == 0).count(), 274);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn proofs_through_tiles_are_those_of_the_tree(size in 1u64..1500, cut in any::<u64>(), index in any::<u64>()) {
            let all = leaves(size);
            let mut stored: BTreeMap<(u32, u64), Vec<u8>> = BTreeMap::new();
            let mut writer = TileWriter::default();
            let read = |stored: &BTreeMap<(u32, u64), Vec<u8>>, writer: &TileWriter, tile: Tile| match tile.width {
                256 => tile_hashes(&stored[&(tile.level, tile.index)]).unwrap(),
                _ => writer.partial(tile.level)[..tile.width as usize].to_vec(),
            };
            for (n, leaf) in all.iter().enumerate() {
                if n as u64 == cut % size {
                    let resumed = TileWriter::resume(n as u64, |tile| Ok::<_, Infallible>(read(&stored, &writer, tile)));
                    let resumed = resumed.unwrap();
                    prop_assert_eq!(resumed.edge(), writer.edge());
                }
                writer.push(*leaf, |tile, bytes| { stored.insert((tile.level, tile.index), bytes); });
            }
            prop_assert_eq!(writer.edge().root(), mth(&all));
            let reader = TileReader::new(size, |tile| Ok::<_, Infallible>(Some(tile_bytes(&read(&stored, &writer, tile)))));
            prop_assert_eq!(root(&reader, size).unwrap(), mth(&all));
            let index = index % size;
            let proof = inclusion_proof(&reader, index, size).unwrap();
            prop_assert_eq!(crate::merkle::root_from_inclusion(all[index as usize], index, size, &proof), Some(mth(&all)));
        }

        #[test]
        fn index_paths_round_trip(index in 0u64..10_000_000_000, width in 1u64..257) {
            prop_assert_eq!(parse_index_path(&index_path(index, width)), Some((index, width)));
        }

        #[test]
        fn hostile_paths_never_panic(path in "[0-9x/.p]{0,40}") {
            if let Some((index, width)) = parse_index_path(&path) {
                prop_assert_eq!(index_path(index, width), path);
            }
        }
    }
}
