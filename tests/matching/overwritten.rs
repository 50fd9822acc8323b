//! Characters that others are written over, so that little sticks out.

use vouchsafe::matching::Verdict;
use vouchsafe::render::Renderer;

use crate::ink::{DOTS_PER_INCH, place, print, verdict};
use crate::scans::Printed;
use crate::scans::vouchers::voucher;

/// What makes another figure, another date, another name, another text of one.
const MADE: [(&str, &str, &str); 10] = [
    ("lines[0].debit", "9", "8"),
    ("lines[0].debit", "1", "4"),
    ("total.debit", "1", "7"),
    ("number", "3", "8"),
    ("number", "0", "6"),
    ("date.year", "0", "8"),
    ("lines[0].summary", "王", "玉"),
    ("lines[0].summary", "一", "二"),
    ("preparer", "三", "王"),
    // What is over it is mostly beside it, and wider.
    ("cashier", "一", "二"),
];
/// Black, two blues, and two pale greys.
const INKS: [[u8; 3]; 5] = [
    [0, 0, 0],
    [20, 30, 140],
    [30, 60, 230],
    [80, 80, 80],
    [110, 110, 110],
];

#[test]
fn a_character_that_another_was_written_over_is_seen_in_any_ink() {
    let renderer = Renderer::new();
    let mut claim = voucher(&mut crate::scans::random::Random::new(7), "payment");
    claim["number"] = serde_json::json!("0365");
    claim["preparer"] = serde_json::json!("张三");
    claim["cashier"] = serde_json::json!("陈十一");
    claim["lines"] = serde_json::json!([
        {"summary": "王工一批款", "account": "管理费用", "subaccount": "办公费", "debit": "1905.00"},
        {"summary": "支付手续费", "account": "银行存款", "subaccount": "工商银行", "credit": "1905.00"},
    ]);
    let printed = Printed::new(&renderer, &claim, None);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
    assert_eq!(verdict(&form, &page), Verdict::Match);
    for (field, old, new) in MADE {
        let (old, new) = (old.chars().next().unwrap(), new.chars().next().unwrap());
        let (origin, size) = place(&printed, field, |it| it == old)
            .unwrap_or_else(|| panic!("{field} has no {old}"));
        for ink in INKS {
            let mut forged = page.clone();
            print(&renderer, &mut forged, new, origin, (size, ink));
            let said = verdict(&form, &forged);
            assert_ne!(
                said,
                Verdict::Match,
                "{new} over {old} of {field} in {ink:?}"
            );
        }
    }
}
