//! The QR mark (ISO/IEC 18004) that leads from a scan back to its voucher.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use crate::voucher::template::{Colour, Rectangle};

use super::Mark;
use super::drawing::Item;
use super::paint::Canvas;
use super::warning::Shortfall;

/// The smallest module that a scan at 200 dots per inch still shows, in units: 0.25 mm.
const MODULE_MIN: i32 = 72;
/// Modules are whole pixels at 200 dots per inch.
const MODULE_STEP: i32 = 36;

/// The mark as large as whole modules allow, in the middle of `square`.
pub(super) fn draw(canvas: &mut Canvas, square: Rectangle, mark: &Mark) {
    let side = square.width.min(square.height);
    let Some(code) = encode(mark, side / MODULE_MIN, canvas) else {
        canvas.warn("mark", Shortfall::NoMark);
        return;
    };
    canvas.mark = Some(modules(canvas, &code, square, Colour::BLACK));
}

/// Paints a code as large as whole modules allow, in the middle of `square`; gives where its modules are.
pub(super) fn modules(
    canvas: &mut Canvas,
    code: &QrCode,
    square: Rectangle,
    colour: Colour,
) -> Rectangle {
    let side = square.width.min(square.height);
    let module = (side / code.size() / MODULE_STEP * MODULE_STEP).max(MODULE_STEP);
    let snap = |units: i32| units / MODULE_STEP * MODULE_STEP;
    let left = snap(square.x + (square.width - module * code.size()) / 2);
    let top = snap(square.y + (square.height - module * code.size()) / 2);
    let mut rectangles = Vec::new();
    for row in 0..code.size() {
        let mut column = 0;
        while column < code.size() {
            let start = column;
            while code.get_module(column, row) {
                column += 1;
            }
            if column > start {
                rectangles.push(Rectangle {
                    x: left + start * module,
                    y: top + row * module,
                    width: (column - start) * module,
                    height: module,
                });
            }
            column += 1;
        }
    }
    canvas.push(Item::Fill { rectangles, colour });
    Rectangle {
        x: left,
        y: top,
        width: module * code.size(),
        height: module * code.size(),
    }
}

/// Path and digest; only the digest where the path makes the modules too small to read.
fn encode(mark: &Mark, modules_max: i32, canvas: &mut Canvas) -> Option<QrCode> {
    let version = ((modules_max - 17) / 4).clamp(0, 40) as u8;
    let largest = (version > 0).then(|| Version::new(version))?;
    // Capital letters and digits take 5.5 bits each, so the digest is a segment of its own.
    let digest: String = format!(" B3:{}", mark.digest.to_ascii_uppercase())
        .chars()
        .filter(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || " :".contains(*c))
        .collect();
    let digest = QrSegment::make_alphanumeric(&digest);
    let place = QrSegment::make_bytes(mark.place.as_bytes());
    let whole = [place, digest];
    let attempt = |segments: &[QrSegment], level: QrCodeEcc| {
        QrCode::encode_segments_advanced(segments, level, Version::MIN, largest, None, true).ok()
    };
    let code = attempt(&whole, QrCodeEcc::Medium).or_else(|| attempt(&whole, QrCodeEcc::Low));
    if code.is_none() {
        canvas.warn("mark", Shortfall::MarkWithoutPath);
    }
    code.or_else(|| attempt(&whole[1..], QrCodeEcc::Medium))
}
