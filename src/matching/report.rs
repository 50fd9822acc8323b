//! What a comparison says: one verdict for each field, and one for the voucher.

use serde::{Deserialize, Serialize};

use super::homography::{Homography, Spot};
use super::verdict::Votes;

/// Whether the paper shows the voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does: nothing else explains the ink as well.
    Match,
    /// It cannot be told; a person decides.
    #[default]
    Unsure,
    /// It shows something else.
    Mismatch,
}

impl Verdict {
    /// The worse of two.
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Mismatch, _) | (_, Verdict::Mismatch) => Verdict::Mismatch,
            (Verdict::Unsure, _) | (_, Verdict::Unsure) => Verdict::Unsure,
            _ => Verdict::Match,
        }
    }

    /// The word that files and answers have.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Match => "match",
            Verdict::Unsure => "unsure",
            Verdict::Mismatch => "mismatch",
        }
    }
}

/// A field of the voucher as the paper shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldReport {
    /// The voucher's own name of the value, such as `lines[0].debit`.
    pub name: String,
    /// Whether it is there.
    pub verdict: Verdict,
    /// How sure that is: 0 certainly not there, 1 certainly there.
    pub score: f64,
    /// What should be there.
    pub expected: String,
    /// What is there, as far as it was read.
    pub seen: String,
    /// Left, top, width and height in pixels of the scan.
    #[serde(rename = "box")]
    pub area: [i64; 4],
    /// In words.
    pub reason: String,
    /// The numbers that it rests on.
    pub votes: Votes,
}

/// A place for a seal or a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotReport {
    /// Its name in the template.
    pub name: String,
    /// Whether there is ink in it that the form has not printed.
    pub present: bool,
    /// Whether that ink is red, as seals are.
    pub red: bool,
}

/// The comparison of one page of the form with a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageReport {
    /// Page of the form, from 1.
    pub page: usize,
    /// The scan's file, where there are several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scan: String,
    /// Page of the scan, from 1; none if the form was found on none.
    pub scan_page: Option<usize>,
    /// From pixels of the rendition at 200 dots per inch to pixels of the scan, row after row.
    pub homography: Option<[f64; 9]>,
    /// Part of the form's own print that was found in its place, 0 to 1.
    pub found: f64,
    /// How far from there it is, in pixels at 200 dots per inch: the median.
    pub residual: f64,
    /// Whether the form's labels are printed in its own type.
    pub own_type: bool,
    /// Correlation of the form's labels with its own type: the median.
    pub type_fit: f64,
    /// Seals and signatures.
    pub slots: Vec<SlotReport>,
}

/// Everything that a comparison says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The worst field's; no match beside a scan that could not be compared.
    pub verdict: Verdict,
    /// The worst field's.
    pub score: f64,
    /// In words.
    pub reason: String,
    /// In the order of the form.
    pub fields: Vec<FieldReport>,
    /// Of the first page that was found; the identity if none was.
    pub homography: [f64; 9],
    /// Scans that could not be compared, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// One for each page of the form.
    pub pages: Vec<PageReport>,
    /// Whether a text recognition network was at hand.
    pub reader: bool,
}

impl Report {
    /// What there is to say where nothing could be compared at all.
    pub fn undecided(why: &str) -> Report {
        Report {
            verdict: Verdict::Unsure,
            score: 0.5,
            reason: why.to_owned(),
            fields: Vec::new(),
            homography: Homography::IDENTITY.0,
            unread: Vec::new(),
            pages: Vec::new(),
            reader: false,
        }
    }

    /// Whether the voucher was found on none of the pages, all of which were read: they are attachments, as far as can
    /// be seen.
    pub fn is_of_other_papers(&self) -> bool {
        self.unread.is_empty() && self.pages.iter().all(|page| page.scan_page.is_none())
    }
}

/// A measure to three places, as a report shows it.
pub(super) fn thousandths(value: f32) -> f64 {
    (f64::from(value) * 1e3).round() / 1e3
}

/// A rectangle of the form as the smallest upright one of the scan that holds it.
pub(super) fn bounds(corners: [Spot; 4], factor: f64) -> [i64; 4] {
    let edge = |of: fn(&Spot) -> f64| {
        let values = corners.iter().map(of);
        values.fold((f64::MAX, f64::MIN), |(low, high), it| {
            (low.min(it), high.max(it))
        })
    };
    let ((left, right), (top, bottom)) = (edge(|it| it.x), edge(|it| it.y));
    let whole = |value: f64| (value * factor).clamp(-1e9, 1e9);
    let (x, y) = (whole(left).floor() as i64, whole(top).floor() as i64);
    [
        x,
        y,
        whole(right).ceil() as i64 - x,
        whole(bottom).ceil() as i64 - y,
    ]
}

/// The map in pixels of the scan as it came, which was reduced by `factor`.
pub(super) fn original(map: &Homography, factor: f64) -> [f64; 9] {
    Homography::scaling(factor).after(map).0
}
