//! Template and voucher in, display list out.

use crate::voucher::Voucher;
use crate::voucher::template::{Fit, Template};

use super::drawing::Drawing;
use super::fit::Style;
use super::mark;
use super::paginate;
use super::paint::Canvas;
use super::table::TablePage;
use super::typeset::Faces;
use super::values::Source;
use super::{Mark, RenderError};

pub(super) fn draw(
    faces: &Faces,
    template: &Template,
    voucher: &Voucher,
    mark: &Mark,
) -> Result<Drawing, RenderError> {
    let table = &template.table;
    let pages = paginate::pages(voucher.lines.len(), table.rows as usize)?;
    let count = pages.len();
    let mut canvas = Canvas::new(faces, template.inks);
    for (index, lines) in pages.into_iter().enumerate() {
        let last = index + 1 == count;
        let table = TablePage {
            table,
            locale: template.locale,
            voucher,
            lines,
            last,
        };
        let source = Source {
            voucher,
            locale: template.locale,
            mark,
            page: index + 1,
            pages: count,
        };
        page(&mut canvas, template, &table, &source);
    }
    Ok(Drawing {
        title: format!("{} {}", template.title, voucher.number),
        place: mark.place.clone(),
        digest: mark.digest.clone(),
        date: voucher.date,
        locale: template.locale,
        page: template.page,
        pages: canvas.pages,
        fields: canvas.fields,
        slots: template.slots.clone(),
        mark: canvas.mark,
        warnings: canvas.warnings,
    })
}

/// One page: what the printer's shop prints first, then the values over it.
fn page(canvas: &mut Canvas, template: &Template, table: &TablePage, source: &Source) {
    canvas.start_page();
    for picture in &template.pictures {
        canvas.picture(picture);
    }
    for rule in &template.rules {
        let colour = canvas.colour(rule.ink);
        canvas.rule(rule.from, rule.to, rule.weight.0, colour);
    }
    for frame in &template.frames {
        let colour = canvas.colour(frame.ink);
        canvas.frame(frame.rectangle, frame.weight.0, colour);
    }
    table.rules(canvas);
    canvas.finish_rules();
    if let Some(place) = &template.mark {
        mark::draw(canvas, place.rectangle, source.mark);
    }
    for label in &template.labels {
        let style = Style {
            rectangle: label.rectangle,
            face: label.face,
            size: label.size,
            align: label.align,
            fit: Fit::Shrink,
            flow: label.flow,
        };
        canvas.label(&label.text, style, canvas.colour(label.ink));
    }
    for field in &template.fields {
        let style = Style {
            rectangle: field.rectangle,
            face: field.face,
            size: field.size,
            align: field.align,
            fit: field.fit,
            flow: field.flow,
        };
        let text = source.text(&field.value);
        canvas.value(&field.value.name(), &text, style, canvas.colour(field.ink));
    }
    table.texts(canvas);
}
