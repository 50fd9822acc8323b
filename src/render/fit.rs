//! Fitting a text into its box: smaller type, more lines, or an ellipsis, in that order of kindness.

use crate::voucher::template::{Align, Face, Fit, Flow, Rectangle};

use super::typeset::{self, Faces, Glyph};

/// The smallest type that shrinking arrives at, in units: 5 points, still legible in print.
const SIZE_MIN: i32 = 500;
/// Sizes that are tried, in units.
const SIZE_STEP: i32 = 50;
/// How small type may become to save a line, in hundredths of its size.
const ORPHAN_SIZE: i32 = 85;
/// From one baseline to the next, in hundredths of the size of type.
const LEADING: i32 = 115;

/// Most characters of a text that are looked at: more never fit in type that can be read, and work and widths
/// stay bounded whatever a voucher holds.
pub(super) const TEXT_MAX_CHARS: usize = 2_000;

/// How a text is to stand in its box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) rectangle: Rectangle,
    pub(super) face: Face,
    pub(super) size: i32,
    pub(super) align: Align,
    pub(super) fit: Fit,
    pub(super) flow: Flow,
}

/// A text in its box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fitted {
    /// The size of type that was arrived at.
    pub(super) size: i32,
    pub(super) lines: Vec<FittedLine>,
    /// Whether part of the text is missing.
    pub(super) cut: bool,
}

/// A line of a text; lengths in units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FittedLine {
    pub(super) glyphs: Vec<Glyph>,
    /// Left end, from the page's left edge.
    pub(super) x: i32,
    /// From the page's upper edge.
    pub(super) baseline: i32,
    /// Extra space after every character.
    pub(super) spacing: i32,
}

/// Lines and size of type, before they have places.
struct Broken {
    size: i32,
    lines: Vec<Vec<Glyph>>,
    cut: bool,
}

pub(super) fn fit(faces: &Faces, text: &str, style: Style) -> Fitted {
    let mut glyphs = faces.shape(style.face, text, TEXT_MAX_CHARS + 1);
    let too_long = glyphs.len() > TEXT_MAX_CHARS;
    glyphs.truncate(TEXT_MAX_CHARS);
    if style.flow == Flow::Down {
        return down(faces, glyphs, style);
    }
    let mut broken = match style.fit {
        Fit::Shrink => shrink(faces, glyphs, style),
        Fit::Wrap => wrap(faces, glyphs, style),
        Fit::Ellipsis => cut(faces, vec![glyphs], style.size, style),
    };
    broken.cut |= too_long;
    place(broken, style)
}

fn shrink(faces: &Faces, glyphs: Vec<Glyph>, style: Style) -> Broken {
    let smallest = SIZE_MIN.min(style.size);
    // A line is no wider in smaller type, so the first step that fits can be searched for by halves.
    let steps = ((style.size - smallest) as usize).div_ceil(SIZE_STEP as usize);
    let size = |step: usize| (style.size - SIZE_STEP * step as i32).max(smallest);
    let (mut first, mut last) = (0, steps);
    while first < last {
        let middle = (first + last) / 2;
        if typeset::width(&glyphs, size(middle)) > style.rectangle.width {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    cut(faces, vec![glyphs], size(first), style)
}

fn wrap(faces: &Faces, glyphs: Vec<Glyph>, style: Style) -> Broken {
    let smallest = SIZE_MIN.min(style.size);
    let mut size = style.size;
    // Spaces may be dropped at the ends of lines; each other glyph's width is rounded by half a unit at most.
    let ink = glyphs.iter().filter(|glyph| glyph.character != ' ');
    let thousandths: i64 = ink.map(|glyph| i64::from(glyph.advance)).sum();
    loop {
        let least = thousandths * i64::from(size) / 1_000 - glyphs.len() as i64;
        let room = capacity(size, style.rectangle.height) as i64 * i64::from(style.rectangle.width);
        if least > room && size > smallest {
            size = (size - SIZE_STEP).max(smallest);
            continue;
        }
        let lines = break_lines(&glyphs, size, style.rectangle.width);
        if lines.len() <= capacity(size, style.rectangle.height) || size <= smallest {
            let (size, lines) = without_orphan(&glyphs, size, lines, style);
            return cut(faces, lines, size, style);
        }
        size = (size - SIZE_STEP).max(smallest);
    }
}

/// One line less, if slightly smaller type gives it: a last line of one character looks like a slip.
fn without_orphan(
    glyphs: &[Glyph],
    size: i32,
    lines: Vec<Vec<Glyph>>,
    style: Style,
) -> (i32, Vec<Vec<Glyph>>) {
    let smallest = (size * ORPHAN_SIZE / 100).max(SIZE_MIN.min(style.size));
    let mut smaller = size - SIZE_STEP;
    while lines.len() > 1 && smaller >= smallest {
        let fewer = break_lines(glyphs, smaller, style.rectangle.width);
        if fewer.len() < lines.len() {
            return (smaller, fewer);
        }
        smaller -= SIZE_STEP;
    }
    (size, lines)
}

/// How many lines fit below each other, at least one.
fn capacity(size: i32, height: i32) -> usize {
    let below_the_first = (height - size).max(0) / (size * LEADING / 100).max(1);
    1 + below_the_first as usize
}

/// Drops what does not fit and ends it with an ellipsis.
fn cut(faces: &Faces, mut lines: Vec<Vec<Glyph>>, size: i32, style: Style) -> Broken {
    let capacity = capacity(size, style.rectangle.height);
    let mut shortened = lines.len() > capacity;
    lines.truncate(capacity);
    if let Some(last) = lines.last_mut() {
        shortened |= typeset::width(last, size) > style.rectangle.width;
        if shortened {
            let ellipsis = faces.glyph(style.face, '…');
            let room = style.rectangle.width - typeset::scale(ellipsis.advance, size);
            let mut width = typeset::width(last, size);
            while width > room
                && let Some(dropped) = last.pop()
            {
                width -= typeset::scale(dropped.advance, size);
            }
            last.push(ellipsis);
        }
    }
    Broken {
        size,
        lines,
        cut: shortened,
    }
}

/// Greedy lines: after any Han character, space or hyphen, and inside a word only if it is longer
/// than a line.
fn break_lines(glyphs: &[Glyph], size: i32, width: i32) -> Vec<Vec<Glyph>> {
    let mut lines = Vec::new();
    let mut rest = glyphs;
    while !rest.is_empty() {
        let mut fitting = 0;
        let mut used = 0;
        for glyph in rest {
            used += typeset::scale(glyph.advance, size);
            if used > width {
                break;
            }
            fitting += 1;
        }
        let end = if fitting == rest.len() {
            fitting
        } else {
            let nice = (1..=fitting).rev().find(|end| may_break(rest, *end));
            nice.unwrap_or(fitting).max(1)
        };
        let (line, after) = rest.split_at(end);
        lines.push(line.to_vec());
        rest = after;
        while rest.first().is_some_and(|glyph| glyph.character == ' ') {
            rest = &rest[1..];
        }
    }
    lines
}

/// Whether a line may end before the glyph at `end`.
fn may_break(glyphs: &[Glyph], end: usize) -> bool {
    let (before, after) = (glyphs[end - 1].character, glyphs[end].character);
    if "，。；：、！？）》】」』”’%,.;:!?)".contains(after) || "（《【「『“‘(".contains(before)
    {
        return false;
    }
    let han = |character: char| character >= '\u{2E80}';
    han(before) || han(after) || before == ' ' || before == '-' || after == ' '
}

fn place(broken: Broken, style: Style) -> Fitted {
    let Broken { size, lines, cut } = broken;
    let leading = size * LEADING / 100;
    let height = size + leading * (lines.len() as i32 - 1).max(0);
    let top = style.rectangle.y + (style.rectangle.height - height) / 2;
    let lines = lines
        .into_iter()
        .enumerate()
        .map(|(index, glyphs)| {
            let spare = style.rectangle.width - typeset::width(&glyphs, size);
            let gaps = glyphs.len() as i32 - 1;
            let (indent, spacing) = match style.align {
                Align::Left => (0, 0),
                Align::Centre => (spare / 2, 0),
                Align::Right => (spare, 0),
                Align::Spread if gaps > 0 => (0, (spare / gaps).max(0)),
                Align::Spread => (spare / 2, 0),
            };
            FittedLine {
                glyphs,
                x: style.rectangle.x + indent,
                baseline: top + leading * index as i32 + typeset::ascent(size),
                spacing,
            }
        })
        .collect();
    Fitted { size, lines, cut }
}

/// Upright characters, one below the other; they shrink to the height of the box, and then end with an ellipsis.
fn down(faces: &Faces, mut glyphs: Vec<Glyph>, style: Style) -> Fitted {
    let smallest = SIZE_MIN.min(style.size);
    let fitting = (style.rectangle.height / smallest.max(1)).max(1) as usize;
    let cut = glyphs.len() > fitting;
    if cut {
        glyphs.truncate(fitting - 1);
        glyphs.push(faces.glyph(style.face, '…'));
    }
    let count = (glyphs.len() as i32).max(1);
    let size = style.size.min(style.rectangle.height / count).max(smallest);
    let spare = style.rectangle.height - size * count;
    let (indent, spacing) = match style.align {
        Align::Left => (0, 0),
        Align::Centre => (spare / 2, 0),
        Align::Right => (spare, 0),
        Align::Spread if count > 1 => (0, spare / (count - 1)),
        Align::Spread => (spare / 2, 0),
    };
    let mut top = style.rectangle.y + indent;
    let mut lines = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let advance = typeset::scale(glyph.advance, size);
        lines.push(FittedLine {
            glyphs: vec![glyph],
            x: style.rectangle.x + (style.rectangle.width - advance) / 2,
            baseline: top + typeset::ascent(size),
            spacing: 0,
        });
        top += size + spacing;
    }
    Fitted { size, lines, cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn style(fit: Fit, width: i32, height: i32) -> Style {
        Style {
            rectangle: Rectangle {
                x: 100,
                y: 200,
                width,
                height,
            },
            face: Face::Serif,
            size: 1_000,
            align: Align::Left,
            fit,
            flow: Flow::Across,
        }
    }

    fn text(line: &FittedLine) -> String {
        line.glyphs.iter().map(|glyph| glyph.character).collect()
    }

    #[test]
    fn shrinks_then_cuts() {
        let faces = Faces::builtin();
        let fits = fit(&faces, "支付三月房租", style(Fit::Shrink, 6_000, 2_000));
        assert_eq!((fits.size, fits.cut), (1_000, false));
        let smaller = fit(&faces, "支付三月房租", style(Fit::Shrink, 4_200, 2_000));
        assert_eq!((smaller.size, smaller.cut), (700, false));
        let short = fit(&faces, "支付三月房租", style(Fit::Shrink, 2_000, 2_000));
        assert!(short.cut && text(&short.lines[0]) == "支付三…", "{short:?}");
    }

    #[test]
    fn wraps_between_han_characters_and_between_words() {
        let faces = Faces::builtin();
        let wrapped = fit(&faces, "支付三月房租，含税", style(Fit::Wrap, 6_000, 3_000));
        let lines: Vec<String> = wrapped.lines.iter().map(text).collect();
        assert_eq!(lines, ["支付三月房", "租，含税"]);
        let words = fit(&faces, "office rent March", style(Fit::Wrap, 6_000, 3_000));
        assert_eq!(text(&words.lines[0]).trim_end(), "office rent");
    }

    #[test]
    fn forty_characters_fit_a_summary_cell() {
        let faces = Faces::builtin();
        let long =
            "支付深圳市南山区科技园办公楼二零二四年三月份房屋租金及物业管理费含水电费公摊部分共计";
        assert!(long.chars().count() >= 40);
        let cell = Style {
            size: 950,
            ..style(Fit::Wrap, 15_300, 2_300)
        };
        assert!(!fit(&faces, long, cell).cut);
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_box(text in "\\PC{0,60}", width in 1_000i32..20_000, height in 1_000i32..5_000,
                                  fit_index in 0usize..3) {
            let faces = Faces::builtin();
            let how = [Fit::Shrink, Fit::Wrap, Fit::Ellipsis][fit_index];
            let fitted = fit(&faces, &text, style(how, width, height));
            for line in &fitted.lines {
                prop_assert!(typeset::width(&line.glyphs, fitted.size) <= width.max(fitted.size));
                prop_assert!(line.baseline <= 200 + height + fitted.size);
            }
            if !fitted.cut {
                let drawn: usize = fitted.lines.iter().map(|line| line.glyphs.len()).sum();
                let spaces = text.chars().filter(|c| *c == ' ').count();
                prop_assert!(drawn + spaces >= text.chars().count());
            }
        }
    }
}
