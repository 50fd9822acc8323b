//! Small things that somebody drew where nothing is claimed: initials, ticks. They are a pen's where they say nothing.

use super::claim::Claim;
use super::form::Area;
use super::look::Look;
use super::network::Line;
use super::pen::{Pen, Stroke};
use super::plane::Plane;
use super::wording::{Drawn, may_be_a_note, may_be_a_value};

/// Ink of the form from which on a pixel says nothing of what was drawn across it: at the soft edges of a rule it still does.
const RULE_INK: u8 = 40;
/// Part of full ink up to which it is the soft edge of a rule.
const FAINT: f32 = 0.3;
/// How far across what the form prints a stroke is followed, in pixels.
const ACROSS: i32 = 8;
/// How long what is larger than a character of print is, in pixels, and how many times its height what is wider.
const LARGE: f32 = 34.0;
const WIDER_THAN_TALL: f32 = 1.25;
/// How far apart two things may be and be read together, in pixels: half a character.
const TOGETHER: f32 = 13.0;
/// How much around them is shown to the network, in pixels.
const AROUND: f32 = 5.0;
/// Most things in one place that are read; where there are more, somebody has to look.
const PLACES_MAX: usize = 8;

/// Things that stand beside each other, and all of their place.
struct Group<'a> {
    area: Area,
    strokes: Vec<&'a Stroke>,
}

/// Whether something is larger than print, and wider than tall.
fn is_wide(area: &Area) -> bool {
    let (wide, high) = area.size();
    wide >= LARGE && wide >= WIDER_THAN_TALL * high
}

impl Group<'_> {
    /// Whether every stroke of it is wider than any character.
    fn is_of_wide_strokes(&self) -> bool {
        self.strokes.iter().all(|stroke| is_wide(&stroke.area))
    }

    fn drawn(&self) -> Drawn {
        let (wide, high) = self.area.size();
        if is_wide(&self.area) && self.strokes.len() == 1 {
            Drawn::WideStroke
        } else if wide.max(high) >= LARGE {
            Drawn::Large
        } else {
            Drawn::Small
        }
    }
}

/// What stands beside each other is read together: an amount is more than one figure.
fn grouped<'a>(strokes: impl Iterator<Item = &'a Stroke>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for stroke in strokes {
        let mut group = Group {
            area: stroke.area,
            strokes: vec![stroke],
        };
        // Whatever this one joins becomes one with it.
        while let Some(at) = groups
            .iter()
            .position(|it| it.area.widened(TOGETHER).overlaps(&group.area))
        {
            let other = groups.swap_remove(at);
            group.area = group.area.with(&other.area);
            group.strokes.extend(other.strokes);
        }
        groups.push(group);
    }
    groups
}

/// A place as a line of text without what the form prints, through which strokes go on.
fn drawn_there(seen: &Plane, form: &Plane, area: &Area, dark: f32) -> Line {
    let (left, top) = ((area.left - AROUND) as i32, (area.top - AROUND) as i32);
    let width = (area.right + AROUND) as i32 - left;
    let height = (area.bottom + AROUND) as i32 - top;
    let beyond = |(x, y): (i32, i32), (dx, dy): (i32, i32)| {
        let mut steps = (1..=ACROSS).map(|step| (x + step * dx, y + step * dy));
        let free = steps.find(|(x, y)| form.get(*x, *y) <= RULE_INK);
        free.map_or(0, |(x, y)| seen.get(x, y))
    };
    let value = |x: i32, y: i32| {
        let ink = if form.get(x, y) > RULE_INK {
            let across = [(1, 0), (0, 1), (1, 1), (1, -1)];
            let through =
                across.map(|(dx, dy)| beyond((x, y), (dx, dy)).min(beyond((x, y), (-dx, -dy))));
            through.into_iter().fold(0, u8::max)
        } else {
            seen.get(x, y)
        };
        let ink = (f32::from(ink) / dark - FAINT) / (1.0 - FAINT);
        255.0 - 255.0 * ink.clamp(0.0, 1.0)
    };
    let rows = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
    Line {
        width: width.max(1) as usize,
        height: height.max(1) as usize,
        values: rows.map(|(x, y)| value(x, y)).collect(),
    }
}

impl Look<'_> {
    /// The page without what was drawn in a claim's place and says nothing, besides what is a `pen`'s anyway; none where some
    /// of it may be a value, or nothing can read it.
    pub(super) fn without_scrawls(
        &self,
        pen: Option<&Pen>,
        seen: &Plane,
        claim: &Claim,
    ) -> Option<Pen> {
        let place = &claim.place();
        let reader = self.matcher.reader.as_ref()?;
        let form = &self.form.ink[0];
        let there = |stroke: &&Stroke| !stroke.is_large() && stroke.area.overlaps(place);
        let groups = grouped(self.strokes(seen).iter().filter(there));
        if groups.is_empty() || groups.len() > PLACES_MAX {
            return None;
        }
        let besides = pen.map_or(seen, |pen| &pen.without);
        let says_nothing = |group: &Group| {
            let line = drawn_there(besides, form, &group.area, self.optics.dark);
            let read = reader.read_freely(&line);
            // Where there is no amount, nothing but words or several figures would say anything.
            let is_note =
                |read: &str| !group.is_of_wide_strokes() || may_be_a_note(read, group.drawn());
            let is_value = |read: &str| may_be_a_value(read, group.drawn());
            read.is_some_and(|read| match (claim.text.is_empty(), claim.unused_words) {
                (true, false) => !is_value(&read),
                (true, true) => !is_value(&read) || !is_note(&read),
                // Beside a text a small thing may be another character of it, however it is read.
                (false, _) => !is_note(&read),
            })
        };
        if !groups.iter().all(says_nothing) {
            return None;
        }
        let mut without = pen.cloned().unwrap_or_else(|| Pen::none(seen));
        for stroke in groups.iter().flat_map(|group| &group.strokes) {
            without.take(stroke, form);
        }
        Some(without)
    }
}
