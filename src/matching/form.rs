//! The form as it should look: what is printed on a page, where, and which of it says something of the voucher.

use std::ops::Range;
use std::sync::OnceLock;

use super::anchors::{anchors, on_rules, spread_out};
use super::claim::Claim;
use super::extra::Explained;
use super::frame;
use super::homography::Spot;
use super::plane::Plane;
use crate::render::{Drawing, FieldBox, GlyphRun, Item, PagePixels};
use crate::voucher::template::Rectangle;

/// Resolution of everything that is compared, in dots per inch.
pub const DOTS_PER_INCH: u32 = 200;
/// Units of the display list in a pixel of that resolution.
const UNITS_PER_PIXEL: f32 = 36.0;
/// Ink from which on the form is printed at a pixel, of 255: what is dark there needs no other reason, and stays.
pub(super) const FORM_INK: u8 = 24;

/// A rectangle in pixels at [`DOTS_PER_INCH`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Area {
    pub fn of(shape: Rectangle) -> Area {
        Area {
            left: pixels(shape.x),
            top: pixels(shape.y),
            right: pixels(shape.right()),
            bottom: pixels(shape.bottom()),
        }
    }

    /// The area and some pixels more to its left and right.
    pub fn widened(&self, more: f32) -> Area {
        Area {
            left: self.left - more,
            right: self.right + more,
            ..*self
        }
    }

    /// Whether a pixel is in it.
    pub fn holds(&self, x: i32, y: i32) -> bool {
        let (x, y) = (x as f32, y as f32);
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    /// Its width and its height.
    pub fn size(&self) -> (f32, f32) {
        (self.right - self.left, self.bottom - self.top)
    }

    /// Its middle, right and down.
    pub fn middle(&self) -> (f32, f32) {
        (
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }

    /// The least area that both are in.
    pub fn with(&self, other: &Area) -> Area {
        Area {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Whether they have some place in common.
    pub fn overlaps(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub fn corners(&self) -> [Spot; 4] {
        [
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        ]
        .map(|(x, y)| Spot {
            x: f64::from(x) - 0.5,
            y: f64::from(y) - 0.5,
        })
    }
}

/// Units of the display list as pixels.
pub(super) fn pixels(units: i32) -> f32 {
    units as f32 / UNITS_PER_PIXEL
}

/// A page of the form, with everything that finding and comparing it needs.
pub struct FormPage {
    pub(super) picture: PagePixels,
    /// Everything printed, at full, half and quarter resolution.
    pub(super) ink: [Plane; 3],
    /// Corners of what the form itself has printed, at full resolution; the strongest first.
    pub(super) anchors: Vec<(i32, i32)>,
    /// The same, the first of them spread out over the page.
    pub(super) spread: Vec<(i32, i32)>,
    /// Places on its level rules with nothing else near, at full resolution; sought when a scan is bent.
    on_rules: OnceLock<Vec<(i32, i32)>>,
    /// Corners of the frame.
    pub(super) frame: Option<[Spot; 4]>,
    /// Corners of the QR mark's modules.
    pub(super) mark: Option<[Spot; 4]>,
    /// Where they are.
    pub(super) mark_area: Option<Area>,
    /// The form's own texts.
    pub(super) labels: Vec<GlyphRun>,
    /// The voucher's values.
    pub(super) fields: Vec<Claim>,
    /// Where people sign and stamp, by name.
    pub(super) slots: Vec<(String, Area)>,
    /// What the form itself has printed, without the values, at full resolution.
    pub(super) fixed: Plane,
    /// Where print may be dark.
    pub(super) explained: Explained,
    /// Where it may be darker in the red channel than in the brightest one.
    pub(super) explained_cold: Explained,
}

impl FormPage {
    /// The strongest of the anchors, at most so many.
    pub(super) fn strongest(&self, count: usize) -> &[(i32, i32)] {
        &self.anchors[..self.anchors.len().min(count)]
    }

    /// Places on its level rules with nothing else near, at full resolution.
    pub(super) fn on_rules(&self) -> &[(i32, i32)] {
        self.on_rules.get_or_init(|| on_rules(&self.fixed))
    }

    /// The page `index` of a drawing; `pixels` is that page at [`DOTS_PER_INCH`].
    pub fn new(drawing: &Drawing, index: usize, pixels: PagePixels) -> FormPage {
        let items = drawing.pages().get(index).map_or(&[][..], Vec::as_slice);
        let fields: Vec<&FieldBox> = drawing
            .fields()
            .iter()
            .filter(|field| field.page == index)
            .collect();
        let valued: Vec<Range<usize>> = fields.iter().map(|field| field.items.clone()).collect();
        let mut labels = Vec::new();
        let mut values = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if let Item::Glyphs(run) = item {
                match valued.iter().any(|range| range.contains(&at)) {
                    true => values.push(run.clone()),
                    false => labels.push(run.clone()),
                }
            }
        }
        let claims = fields.iter().map(|field| {
            let runs = field.items.clone().filter_map(|at| match items.get(at) {
                Some(Item::Glyphs(run)) => Some(run.clone()),
                _ => None,
            });
            Claim {
                name: field.name.clone(),
                text: field.text.clone(),
                area: Area::of(field.rectangle),
                runs: runs.collect(),
                in_grid: field.in_grid,
                unused_words: field.unused_words,
            }
        });
        let (green, brightest) = pixels.green_and_brightest();
        let ink = green.ink();
        let half = ink.halved();
        let quarter = half.halved();
        let mut fixed = ink.clone();
        let mark = drawing.mark().map(Area::of);
        for area in values.iter().map(run_area).chain(mark) {
            blank(&mut fixed, &area);
        }
        // In the colours that seals have not.
        let neutral = brightest.ink();
        let frame = frame::outlines(&neutral.halved_to_darkest(), drawing_side(&half) / 3)
            .first()
            .map(|corners| {
                corners.map(|it| Spot {
                    x: it.x * 2.0 + 0.5,
                    y: it.y * 2.0 + 0.5,
                })
            });
        let anchors = anchors(&fixed.halved());
        FormPage {
            spread: spread_out(&anchors),
            anchors,
            on_rules: OnceLock::new(),
            frame,
            mark: mark.map(|mark| mark.corners()),
            mark_area: mark,
            labels,
            fields: claims.collect(),
            slots: drawing
                .slots()
                .iter()
                .map(|slot| (slot.name.clone(), Area::of(slot.rectangle)))
                .collect(),
            fixed,
            explained: Explained::new(&ink),
            explained_cold: Explained::new(&pixels.cold()),
            ink: [ink, half, quarter],
            picture: pixels,
        }
    }
}

impl FormPage {
    /// Its middle, in pixels.
    pub(super) fn middle(&self) -> Spot {
        Spot {
            x: self.ink[0].width as f64 / 2.0,
            y: self.ink[0].height as f64 / 2.0,
        }
    }
}

fn drawing_side(plane: &Plane) -> usize {
    plane.width.max(plane.height)
}

/// Where a run's characters are.
pub(super) fn run_area(run: &GlyphRun) -> Area {
    let size = pixels(run.size);
    let left = run.glyphs.iter().map(|it| it.x).min().map_or(0.0, pixels);
    let right = run.glyphs.iter().map(|it| it.x).max().map_or(0.0, pixels);
    let baseline = pixels(run.baseline);
    Area {
        left,
        top: baseline - size * 0.9,
        right: right + size,
        bottom: baseline + size * 0.2,
    }
}

/// Takes what is in an area from a plane.
fn blank(plane: &mut Plane, area: &Area) {
    let clamp = |at: f32, most: usize| at.clamp(0.0, most as f32) as usize;
    let (left, right) = (
        clamp(area.left, plane.width),
        clamp(area.right + 2.0, plane.width),
    );
    for y in clamp(area.top, plane.height)..clamp(area.bottom + 2.0, plane.height) {
        plane.values[y * plane.width + left..y * plane.width + right].fill(0);
    }
}
