//! A drawing as the peers want to see it: the same texts in the same places, the same rules. The QR mark is left
//! out, which none of them can draw by itself.

use std::fs;
use std::path::Path;

use vouchsafe::render::{Drawing, GlyphRun, Item, Typeface};
use vouchsafe::voucher::template::{Colour, Rectangle};

const UNITS_PER_POINT: f64 = 100.0;
/// More rectangles of one colour than this are a QR mark.
const RULES_MAX: usize = 200;

fn points(units: i32) -> f64 {
    f64::from(units) / UNITS_PER_POINT
}

fn family(typeface: Typeface) -> (&'static str, u32) {
    match typeface {
        Typeface::Sans => ("Noto Sans SC", 400),
        Typeface::Bold => ("Noto Serif SC", 700),
        _ => ("Noto Serif SC", 400),
    }
}

/// A text with its place on the baseline; spaced runs become one text for each character.
struct Text {
    x: f64,
    baseline: f64,
    text: String,
}

fn texts(run: &GlyphRun) -> Vec<Text> {
    let whole: String = run.glyphs.iter().map(|glyph| glyph.character).collect();
    let text = |x: i32, text: String| Text {
        x: points(x),
        baseline: points(run.baseline),
        text,
    };
    let (Some(first), Some(last)) = (run.glyphs.first(), run.glyphs.last()) else {
        return Vec::new();
    };
    if last.x - first.x <= run.size * (run.glyphs.len() as i32 - 1) {
        return vec![text(first.x, whole)];
    }
    let single =
        |glyph: &vouchsafe::render::PlacedGlyph| text(glyph.x, glyph.character.to_string());
    run.glyphs.iter().map(single).collect()
}

fn hex(colour: Colour) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue)
}

/// Writes `form.typ` and `form.html` with the fonts beside them. The voucher's number is `NUMBER`.
pub fn write(drawing: &Drawing, folder: &Path) {
    let fonts = folder.join("fonts");
    fs::create_dir_all(&fonts).unwrap();
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/fonts");
    for file in [
        "NotoSerifSC-Regular",
        "NotoSansSC-Regular",
        "NotoSerifSC-Bold",
    ] {
        fs::copy(
            format!("{ours}/{file}.ttf"),
            fonts.join(format!("{file}.ttf")),
        )
        .unwrap();
    }
    let (width, height) = (points(drawing.width().0), points(drawing.height().0));
    let mut typst = format!("#set page(width: {width}pt, height: {height}pt, margin: 0pt)\n");
    typst += "#set text(top-edge: \"baseline\", bottom-edge: \"baseline\")\n";
    let mut html = format!(
        "<!doctype html><meta charset=utf-8><!-- inches {} {} -->\n<style>\n\
         @font-face {{ font-family: 'Noto Serif SC'; src: url(fonts/NotoSerifSC-Regular.ttf); font-weight: 400 }}\n\
         @font-face {{ font-family: 'Noto Serif SC'; src: url(fonts/NotoSerifSC-Bold.ttf); font-weight: 700 }}\n\
         @font-face {{ font-family: 'Noto Sans SC'; src: url(fonts/NotoSansSC-Regular.ttf); font-weight: 400 }}\n\
         @page {{ size: {width}pt {height}pt; margin: 0 }} body {{ margin: 0 }}\n\
         span, i {{ position: absolute; white-space: pre; line-height: 1 }}\n</style>\n",
        width / 72.0,
        height / 72.0
    );
    for item in drawing.pages().iter().flatten() {
        match item {
            Item::Glyphs(run) => {
                let (family, weight) = family(run.typeface);
                let (size, colour) = (points(run.size), hex(run.colour));
                for Text { x, baseline, text } in texts(run) {
                    let (mut text, mut id) = (text.replace('"', ""), "");
                    if text == "0001" {
                        (text, id) = ("NUMBER".to_owned(), " id=number");
                    }
                    typst += &format!(
                        "#place(dx: {x}pt, dy: {baseline}pt, text(font: \"{family}\", weight: {weight}, \
                         size: {size}pt, fill: rgb(\"{colour}\"), \"{text}\"))\n"
                    );
                    let top = baseline - size * 0.88;
                    html += &format!(
                        "<span{id} style=\"left:{x}pt;top:{top:.2}pt;font:{weight} {size}pt/1 '{family}';\
                         color:{colour}\">{text}</span>\n"
                    );
                }
            }
            Item::Fill { rectangles, colour } if rectangles.len() <= RULES_MAX => {
                for Rectangle {
                    x,
                    y,
                    width,
                    height,
                } in rectangles
                {
                    let [x, y, width, height] = [x, y, width, height].map(|units| points(*units));
                    let colour = hex(*colour);
                    typst += &format!(
                        "#place(dx: {x}pt, dy: {y}pt, rect(width: {width}pt, height: {height}pt, \
                         fill: rgb(\"{colour}\")))\n"
                    );
                    html += &format!(
                        "<i style=\"left:{x}pt;top:{y}pt;width:{width}pt;height:{height}pt;\
                         background:{colour}\"></i>\n"
                    );
                }
            }
            _ => {}
        }
    }
    fs::write(folder.join("form.typ"), typst).unwrap();
    fs::write(folder.join("form.html"), html).unwrap();
}
