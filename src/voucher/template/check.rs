//! What must hold between the keys of a template.

use std::ops::Range;

use toml::Spanned;

use super::form::{Document, Page, Template};
use super::geometry::{Length, Point, Rectangle, UNITS_PER_INCH};
use super::picture::{Picture, PictureText, png_in_base64};
use super::table::{Column, Table};
use super::{COLUMNS_MAX, ITEMS_MAX, PICTURES_MAX, ROWS_MAX};
use crate::voucher::name::is_invisible;

/// The grammar that this program reads.
const FORMAT: u32 = 1;
/// Longest constant text in characters.
const TEXT_MAX_CHARS: usize = 100;
/// Smallest side of a page, in units: 50 mm.
const PAGE_MIN: i32 = 14_173;
/// Digits that a grid may have: from 元角分 with some thousands to what an amount can hold.
const DIGITS: std::ops::RangeInclusive<u32> = 5..=17;

/// A fault, with its place in the text.
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) key: String,
    pub(super) error: String,
}

fn refuse<T>(span: Range<usize>, key: &str, error: impl Into<String>) -> Result<T, Fault> {
    Err(Fault {
        span,
        key: key.to_owned(),
        error: error.into(),
    })
}

/// Every fault that was found, in the order of the text.
#[derive(Default)]
struct Found(Vec<Fault>);

impl Found {
    fn keep<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        outcome.map_err(|fault| self.0.push(fault)).ok()
    }
}

pub(super) fn check(document: Document) -> Result<Template, Vec<Fault>> {
    if *document.format.get_ref() != FORMAT {
        let error = format!("this program reads format {FORMAT}");
        // In another grammar nothing else means what it seems to.
        return refuse(document.format.span(), "format", error).map_err(|fault| vec![fault]);
    }
    let mut found = Found::default();
    found.keep(text(
        &document.title.span(),
        "title",
        document.title.get_ref(),
    ));
    let page = match found.keep(page(&document.page)) {
        Some(page) => page,
        None => *document.page.get_ref(),
    };
    let count = document.labels.len()
        + document.fields.len()
        + document.rules.len()
        + document.frames.len()
        + document.slots.len();
    if count > ITEMS_MAX {
        let error = format!("a template has at most {ITEMS_MAX} items");
        return refuse(document.title.span(), "", error).map_err(|fault| vec![fault]);
    }
    if document.pictures.len() > PICTURES_MAX {
        let error = format!("a template has at most {PICTURES_MAX} pictures");
        return refuse(document.title.span(), "pictures", error).map_err(|fault| vec![fault]);
    }
    table(page, &document.table, &mut found);
    if let Some(mark) = &document.mark {
        let square = mark.get_ref().rectangle;
        found.keep(inside(page, &mark.span(), "mark.box", square));
    }
    let pictures = document.pictures.iter().enumerate();
    let pictures = pictures
        .filter_map(|(index, it)| found.keep(picture(page, &format!("pictures[{index}]"), it)))
        .collect();
    let template = Template {
        labels: each(&mut found, "labels", document.labels, |span, key, label| {
            text(span, &format!("{key}.text"), &label.text)?;
            inside(page, span, &format!("{key}.box"), label.rectangle)
        }),
        fields: each(&mut found, "fields", document.fields, |span, key, field| {
            inside(page, span, &format!("{key}.box"), field.rectangle)
        }),
        rules: each(&mut found, "rules", document.rules, |span, key, rule| {
            if rule.from.x != rule.to.x && rule.from.y != rule.to.y {
                let error = "a rule is horizontal or vertical";
                return refuse(span.clone(), key, error);
            }
            inside(page, span, key, spanned(rule.from, rule.to))
        }),
        frames: each(&mut found, "frames", document.frames, |span, key, frame| {
            let mut drawn = frame.rectangle;
            drawn.width += frame.weight.0;
            drawn.height += frame.weight.0;
            inside(page, span, &format!("{key}.box"), drawn)
        }),
        pictures,
        slots: each(&mut found, "slots", document.slots, |span, key, slot| {
            text(span, &format!("{key}.name"), &slot.name)?;
            inside(page, span, &format!("{key}.box"), slot.rectangle)
        }),
        title: document.title.into_inner(),
        locale: document.locale,
        page,
        inks: document.inks,
        table: document.table.into_inner(),
        mark: document.mark.map(Spanned::into_inner),
    };
    if found.0.is_empty() {
        return Ok(template);
    }
    found.0.sort_by_key(|fault| fault.span.start);
    Err(found.0)
}

/// Checks each item of a list, whose keys are `name[0]`, `name[1]` and so on.
fn each<T>(
    found: &mut Found,
    name: &str,
    items: Vec<Spanned<T>>,
    check: impl Fn(&Range<usize>, &str, &T) -> Result<(), Fault>,
) -> Vec<T> {
    let mut checked = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        found.keep(check(
            &item.span(),
            &format!("{name}[{index}]"),
            item.get_ref(),
        ));
        checked.push(item.into_inner());
    }
    checked
}

/// The page, its sides rounded to whole hundredths of an inch.
fn page(page: &Spanned<Page>) -> Result<Page, Fault> {
    let hundredth = UNITS_PER_INCH / 100;
    let round = |side: Length| Length((side.0 + hundredth / 2) / hundredth * hundredth);
    let rounded = Page {
        width: round(page.get_ref().width),
        height: round(page.get_ref().height),
    };
    if rounded.width.0 < PAGE_MIN || rounded.height.0 < PAGE_MIN {
        return refuse(page.span(), "page", "a page is at least 50 by 50 mm");
    }
    Ok(rounded)
}

fn table(page: Page, table: &Spanned<Table>, found: &mut Found) {
    let (span, table) = (table.span(), table.get_ref());
    let mut refuse = |key: &str, error: String| {
        found.keep(refuse::<()>(span.clone(), key, error));
    };
    // Two rows at least: on a following page the first one brings the total forward.
    if !(2..=ROWS_MAX).contains(&table.rows) {
        refuse(
            "table.rows",
            format!("a page has between 2 and {ROWS_MAX} rows"),
        );
    }
    if table.columns.is_empty() || table.columns.len() > COLUMNS_MAX {
        let error = format!("a table has between 1 and {COLUMNS_MAX} columns");
        refuse("table.columns", error);
    }
    let first = table.columns.first();
    if first.is_some_and(|column| column.get_ref().value.is_amount()) {
        let error = "the label of the totals stands before the amounts: begin with another column";
        refuse("table.columns[0].value", error.to_owned());
    }
    if table.row_height.0 <= 0 {
        refuse("table.row_height", "a row has a height".to_owned());
    }
    for (key, label) in [
        ("table.total_label", &table.total_label),
        ("table.carried_forward", &table.carried_forward),
        ("table.brought_forward", &table.brought_forward),
    ] {
        found.keep(text(&span, key, label));
    }
    for (index, column) in table.columns.iter().enumerate() {
        let key = format!("table.columns[{index}]");
        found.keep(self::column(&column.span(), &key, column.get_ref()));
    }
    let rectangle = Rectangle {
        x: table.at.x,
        y: table.at.y,
        width: table.width(),
        height: table.height(),
    };
    found.keep(inside(page, &span, "table", rectangle));
}

fn picture(page: Page, key: &str, picture: &Spanned<PictureText>) -> Result<Picture, Fault> {
    let (span, text) = (picture.span(), picture.get_ref());
    let rectangle = text.rectangle;
    if rectangle.width == 0 || rectangle.height == 0 {
        return refuse(span, &format!("{key}.box"), "a picture has a size");
    }
    inside(page, &span, &format!("{key}.box"), rectangle)?;
    match png_in_base64(text.png.get_ref()) {
        Ok(pixels) => Ok(Picture { rectangle, pixels }),
        Err(error) => refuse(text.png.span(), &format!("{key}.png"), error),
    }
}

fn column(span: &Range<usize>, key: &str, column: &Column) -> Result<(), Fault> {
    text(span, &format!("{key}.title"), &column.title)?;
    if let Some(group) = &column.group {
        text(span, &format!("{key}.group"), group)?;
    }
    match column.digits {
        Some(_) if !column.value.is_amount() => {
            let error = "only debit and credit columns have digits";
            refuse(span.clone(), &format!("{key}.digits"), error)
        }
        Some(digits) if !DIGITS.contains(&digits) => {
            let (least, most) = (DIGITS.start(), DIGITS.end());
            let error = format!("a grid has between {least} and {most} digits");
            refuse(span.clone(), &format!("{key}.digits"), error)
        }
        _ => Ok(()),
    }
}

fn text(span: &Range<usize>, key: &str, text: &str) -> Result<(), Fault> {
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        let error = "a text has no line breaks, control or invisible characters";
        return refuse(span.clone(), key, error);
    }
    if text.chars().count() > TEXT_MAX_CHARS {
        let error = format!("a text has at most {TEXT_MAX_CHARS} characters");
        return refuse(span.clone(), key, error);
    }
    Ok(())
}

/// The smallest rectangle that holds both points.
fn spanned(from: Point, to: Point) -> Rectangle {
    Rectangle {
        x: from.x.min(to.x),
        y: from.y.min(to.y),
        width: (from.x - to.x).abs(),
        height: (from.y - to.y).abs(),
    }
}

fn inside(page: Page, span: &Range<usize>, key: &str, shape: Rectangle) -> Result<(), Fault> {
    if shape.right() > page.width.0 || shape.bottom() > page.height.0 {
        return refuse(span.clone(), key, "reaches beyond the page");
    }
    Ok(())
}
