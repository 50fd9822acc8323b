//! The matching room: whether a scan of the paper shows the voucher, field by field.
//!
//! It does not know where scans and vouchers are kept, who sent them, or what becomes of its verdict.

mod alignments;
mod alike;
mod anchors;
mod bending;
mod bends;
mod beside;
mod canvas;
mod cells;
mod claim;
mod cold;
mod compare;
mod competition;
mod creased;
mod decode;
mod doubted;
mod extra;
mod faint;
mod form;
mod found;
mod frame;
mod glyphs;
mod guess;
mod homography;
mod leaning;
mod likelihood;
mod lines;
mod look;
mod looks;
mod mark;
mod misread;
mod network;
mod next_to;
mod optics;
mod overlay;
mod overwritten;
mod paper;
mod patch;
mod pen;
mod picture;
mod plane;
mod reader;
mod readings;
mod rectify;
mod register;
mod report;
mod same;
mod scan_page;
mod scrawl;
mod seek;
mod several;
mod sights;
mod signature;
mod streaks;
mod strokes;
mod thresholds;
mod tiff;
mod tone;
mod verdict;
mod wording;

pub use compare::{Comparison, Form, Matcher};
pub use decode::{
    DecodeError, Decoder, InProcess, MATCH_MAX_BYTES, SCAN_MAX_PAGES, SCAN_MAX_PIXELS, each_page,
    is_pdf,
};
pub use form::{DOTS_PER_INCH, FormPage};
pub use homography::{Homography, Spot};
pub use mark::marked_places;
pub use network::NetworkError;
pub use overlay::settled as settled_picture;
pub use reader::Reader;
pub use report::{FieldReport, PageReport, Report, SlotReport, Verdict};
pub use several::SeveralScans;
pub use thresholds::Thresholds;
pub use verdict::Votes;
