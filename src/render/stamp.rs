//! Seals (电子签章) on a drawing: who signed, as what, when, with which key, in the places that the form has for it.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use crate::voucher::template::{Align, Colour, Face, Fit, Flow, Inks, Rectangle};

use super::drawing::Drawing;
use super::fit::Style;
use super::mark;
use super::paint::Canvas;
use super::typeset::Faces;

/// The red of seals.
const RED: Colour = Colour {
    red: 0xCC,
    green: 0x11,
    blue: 0x11,
};
/// Largest width of a seal with a code and of one without, in units: 28 and 19 mm.
const WIDTH_MAX: [i32; 2] = [7_937, 5_386];
/// Thickness of the frame, and space inside it, in units.
const FRAME: i32 = 72;
const INSIDE: i32 = 110;
/// Lines of a seal: from its upper edge and height, in hundredths of the seal's height, and size of type in units.
const LINES: [(i32, i32, i32); 3] = [(6, 46, 1_000), (50, 24, 560), (73, 22, 520)];

/// A seal for one of the form's places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Name of the place, such as `signature.reviewer`. A form without it has no such seal.
    pub slot: String,
    /// Name, then what they did and when, then what leads to the proof.
    pub lines: [String; 3],
    /// What a QR code beside the lines says: at most 32 bytes, or there is none.
    pub code: Option<String>,
}

pub(super) fn stamped(faces: &Faces, drawing: &Drawing, stamps: &[Stamp]) -> Drawing {
    let mut stamped = drawing.clone();
    let red = Inks {
        form: RED,
        value: RED,
        accent: RED,
        negative: RED,
    };
    let mut canvas = Canvas::new(faces, red);
    for _ in &drawing.pages {
        canvas.start_page();
        for stamp in stamps {
            let slots = drawing.slots.iter().filter(|slot| slot.name == stamp.slot);
            slots.for_each(|slot| draw(&mut canvas, slot.rectangle, stamp));
        }
        canvas.finish_rules();
    }
    for (page, items) in stamped.pages.iter_mut().zip(canvas.pages) {
        page.extend(items);
    }
    stamped
}

/// One seal, at the right end of its place: a printed name stands at the left.
fn draw(canvas: &mut Canvas, slot: Rectangle, stamp: &Stamp) {
    let code = stamp.code.as_deref().and_then(encode);
    let width = slot.width.min(WIDTH_MAX[usize::from(code.is_none())]);
    let seal = Rectangle {
        x: slot.right() - width,
        width: width - FRAME,
        height: slot.height - FRAME,
        ..slot
    };
    canvas.frame(seal, FRAME, RED);
    let mut left = seal.x + INSIDE;
    if let Some(code) = &code {
        let square = Rectangle {
            x: left,
            y: seal.y + INSIDE,
            width: seal.height - 2 * INSIDE,
            height: seal.height - 2 * INSIDE,
        };
        mark::modules(canvas, code, square, RED);
        left = square.right() + INSIDE;
    }
    for (text, (top, height, size)) in stamp.lines.iter().zip(LINES) {
        let style = Style {
            rectangle: Rectangle {
                x: left,
                y: seal.y + seal.height * top / 100,
                width: seal.right() - INSIDE - left,
                height: seal.height * height / 100,
            },
            face: Face::Sans,
            size,
            align: Align::Centre,
            fit: Fit::Shrink,
            flow: Flow::Across,
        };
        canvas.label(text, style, RED);
    }
}

/// The smallest code that holds the text; at most of version 2, 25 modules a side, so that a scan still shows it.
fn encode(text: &str) -> Option<QrCode> {
    let segments = [QrSegment::make_bytes(text.as_bytes())];
    let largest = Version::new(2);
    QrCode::encode_segments_advanced(&segments, QrCodeEcc::Low, Version::MIN, largest, None, true)
        .ok()
}
