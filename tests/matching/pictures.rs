//! `match.png`: what a person sees of a comparison.

use serde_json::json;
use vouchsafe::matching::{Matcher, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::scans::{Printed, own_mark};

/// Height of the band and of the strip above a scan, in pixels.
const ABOVE_SCAN: u32 = 96 + 44;

#[test]
fn what_is_said_beside_frames_hides_nothing_of_the_scan() {
    let renderer = Renderer::new();
    let matcher = Matcher::new(None, Thresholds::default());
    // Two amounts one above the other.
    let voucher = |[first, second, both]: [&str; 3]| {
        json!({"company":"acme","ledger":"gl","period":"2024-03","type":"payment","number":"0001",
            "date":"2024-03-05","currency":"CNY","attachments":1,"lines":[
                {"summary":"支付三月房租","account":"管理费用","subaccount":"房租","debit":first},
                {"summary":"支付三月房租","account":"管理费用","debit":second},
                {"summary":"支付三月房租","account":"银行存款","credit":both}],
            "preparer":"张三","reviewer":null,"bookkeeper":"李四","cashier":"王五"})
    };
    let own = voucher(["5000.00", "7000.00", "12000.00"]);
    let forged = voucher(["5800.00", "7100.00", "12900.00"]);
    let filed = Printed::new(&renderer, &own, None);
    let paper = Printed::new(&renderer, &forged, Some(&own_mark(&own))).page(&renderer, 200);
    let mut scan = std::io::Cursor::new(Vec::new());
    paper.write_to(&mut scan, image::ImageFormat::Png).unwrap();
    let form = filed.form(&renderer);
    let comparison = matcher.compare(&form, &scan.into_inner()).unwrap();
    assert_eq!(comparison.report.verdict, Verdict::Mismatch);
    let picture = comparison.overlay(&renderer, &form).unwrap();
    let picture = image::load_from_memory(&picture).unwrap().to_rgb8();
    // Values are black, the form is blue; frames and the ground of what is said are red.
    let is_black = |pixel: &image::Rgb<u8>| pixel[0] < 150 && pixel[2].abs_diff(pixel[0]) < 20;
    let is_red = |pixel: &image::Rgb<u8>| pixel[0] > 150 && pixel[1] < 90 && pixel[2] < 90;
    let (mut black, mut hidden, mut red) = (0, 0, 0);
    for (x, y, pixel) in paper.enumerate_pixels() {
        let seen = picture.get_pixel(x, y + ABOVE_SCAN);
        red += usize::from(is_red(seen) && !is_red(pixel));
        if is_black(pixel) {
            black += 1;
            hidden += usize::from(is_red(seen));
        }
    }
    assert!(red > 40_000, "something is said: {red} pixels");
    // A frame may touch what is in it; a text right above the second amount would hide the feet of the first.
    assert!(hidden <= 20, "{hidden} of {black} pixels are hidden");
}
