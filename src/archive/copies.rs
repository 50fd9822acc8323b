//! Drawing marked copies: a few at a time, and those drawn last are kept, so that the many requests of one reading
//! draw once.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use vouchsafe_evidence::digest::Digest;

use super::{Archive, ArchiveError, Content, File, Marked};
use crate::matching::{Decoder, MATCH_MAX_BYTES, SCAN_MAX_PAGES};
use crate::store::get_object;
use crate::watermark::{self, Kind, MarkError, ViewId};

/// Bytes of drawn copies that are kept.
const KEPT_MAX_BYTES: usize = 64 << 20;
/// Pixels of all pages of one file that are marked together, three bytes each.
const PIXELS_MAX: usize = 100_000_000;

type Key = (Digest, ViewId);

/// The copies that were drawn last.
pub(super) struct Copies {
    state: Mutex<State>,
    changed: Condvar,
    at_once: usize,
}

#[derive(Default)]
struct State {
    /// The one that was wanted last at the end.
    kept: VecDeque<(Key, Arc<[u8]>)>,
    bytes: usize,
    drawing: HashSet<Key>,
}

/// A copy that this thread draws; others wait for it, and go on when it is dropped.
struct Turn<'a> {
    copies: &'a Copies,
    key: Key,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.copies.state().drawing.remove(&self.key);
        self.copies.changed.notify_all();
    }
}

impl Copies {
    /// Draws as many at once as there are processors.
    pub fn new() -> Copies {
        Copies {
            state: Mutex::default(),
            changed: Condvar::new(),
            at_once: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The copy, or the turn to draw it.
    fn copy_or_turn(&self, key: Key) -> Result<Arc<[u8]>, Turn<'_>> {
        let mut state = self.state();
        loop {
            if let Some(at) = state.kept.iter().position(|it| it.0 == key)
                && let Some((key, copy)) = state.kept.remove(at)
            {
                state.kept.push_back((key, Arc::clone(&copy)));
                return Ok(copy);
            }
            if !state.drawing.contains(&key) && state.drawing.len() < self.at_once {
                state.drawing.insert(key);
                return Err(Turn { copies: self, key });
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn keep(&self, key: Key, copy: &Arc<[u8]>) {
        let mut state = self.state();
        state.bytes += copy.len();
        state.kept.push_back((key, Arc::clone(copy)));
        while state.bytes > KEPT_MAX_BYTES
            && let Some((_, gone)) = state.kept.pop_front()
        {
            state.bytes -= gone.len();
        }
    }
}

/// The answer where a picture cannot be marked: it is not shown to those who see marked copies only.
pub(super) fn withheld(why: &str) -> ArchiveError {
    ArchiveError::denied(
        format!("you are shown pictures with a mark only, and this one cannot be marked: {why}"),
        "ask somebody who may see what is archived as it is",
    )
}

impl Archive {
    /// The bytes of a marked copy, exactly as many as its file says. Blocks while it is drawn.
    pub fn marked(&self, marked: &Marked) -> Result<Arc<[u8]>, ArchiveError> {
        let key = (marked.archived, marked.view());
        match self.copies.copy_or_turn(key) {
            Ok(copy) => Ok(copy),
            Err(turn) => {
                let copy: Arc<[u8]> = self.draw_marked(marked)?.into();
                self.copies.keep(key, &copy);
                drop(turn);
                Ok(copy)
            }
        }
    }

    /// The whole content of a file that is not read in pieces.
    pub fn whole(&self, file: &File) -> Result<Arc<[u8]>, ArchiveError> {
        match &file.content {
            Content::Marked(marked) => self.marked(marked),
            Content::Withheld => Err(withheld("its kind or size is not one that is marked")),
            content => self.records.derived(content),
        }
    }

    fn draw_marked(&self, marked: &Marked) -> Result<Vec<u8>, ArchiveError> {
        let Marked {
            archived,
            kind,
            mark,
            size,
            ..
        } = marked;
        if marked.archived_size > MATCH_MAX_BYTES {
            return Err(withheld("it is too large"));
        }
        let missing = || ArchiveError::Broken(format!("object {archived} is missing"));
        let content =
            get_object(&*self.records.store, archived, MATCH_MAX_BYTES)?.ok_or_else(missing)?;
        let refused = |error: MarkError| withheld(&error.to_string());
        let drawn = match watermark::form(&self.renderer, mark, *kind, &content, *size) {
            Ok(Some(copy)) => copy,
            // What is no form is marked as a picture.
            Ok(None) | Err(MarkError::Damaged(_) | MarkError::TooLarge) => {
                let pages = pages(&*self.decoder, *kind, &content)?;
                drop(content);
                watermark::pictures(&self.renderer, mark, *kind, pages, *size).map_err(refused)?
            }
        };
        if drawn.len() as u64 != *size {
            return Err(ArchiveError::Fault(format!(
                "the marked copy of {archived} has {} bytes, not {size}",
                drawn.len()
            )));
        }
        Ok(drawn)
    }
}

/// All pages of a file, as large as they are marked.
fn pages(
    decoder: &dyn Decoder,
    kind: Kind,
    content: &[u8],
) -> Result<Vec<crate::render::PagePixels>, ArchiveError> {
    let (mut pages, mut pixels) = (Vec::new(), 0);
    let several = matches!(kind, Kind::Tiff | Kind::Pdf | Kind::Form);
    let read = decoder.each_page(content, &mut |_, page| {
        let page = if several {
            watermark::reduced(page)
        } else {
            page
        };
        pixels += page.pixels.len();
        pages.push(page);
        pixels <= PIXELS_MAX
    });
    read.map_err(|error| withheld(&error.to_string()))?;
    // A copy that lacks a page would not be one.
    if pixels > PIXELS_MAX || pages.len() >= SCAN_MAX_PAGES {
        return Err(withheld("it has too many pages"));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        (Digest([7; 32]), ViewId::new(number))
    }

    #[test]
    fn a_copy_is_drawn_once_and_the_oldest_make_room() {
        let copies = Copies::new();
        for number in 0..5 {
            let Err(turn) = copies.copy_or_turn(key(number)) else {
                panic!("{number} was never drawn");
            };
            copies.keep(key(number), &vec![0; KEPT_MAX_BYTES / 4].into());
            drop(turn);
        }
        assert!(copies.copy_or_turn(key(4)).is_ok());
        assert!(copies.copy_or_turn(key(1)).is_ok());
        assert!(copies.copy_or_turn(key(0)).is_err());
        assert!(copies.state().bytes <= KEPT_MAX_BYTES);
    }

    #[test]
    fn who_wants_what_is_being_drawn_waits_for_it() {
        let copies = Copies::new();
        let turn = copies.copy_or_turn(key(1)).err().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| copies.copy_or_turn(key(1)).ok());
            copies.keep(key(1), &vec![1, 2, 3].into());
            drop(turn);
            assert_eq!(waiting.join().unwrap().as_deref(), Some(&[1, 2, 3][..]));
        });
    }
}
