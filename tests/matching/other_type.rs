//! What another system printed in its own typeface: the networks have the only vote.

use serde_json::{Value, json};
use vouchsafe::matching::{FieldReport, Matcher, Verdict};
use vouchsafe::render::Renderer;

use crate::scans::condition::Condition;
use crate::scans::foreign::Setting;
use crate::scans::random::Random;
use crate::scans::{self, Printed, foreign, paper};
use crate::verdicts::matcher;

/// A payment for something.
fn payment(summary: &str) -> Value {
    let mut voucher = scans::vouchers::voucher(&mut Random::new(7), "payment");
    voucher["lines"][0]["summary"] = json!(summary);
    voucher
}

/// What is said of a summary, where a paper shows another in some other typeface.
fn summary(matcher: &Matcher, claimed: &str, shown: &str, font: usize) -> FieldReport {
    summary_placed(11, matcher, (claimed, shown), font)
}

/// The same with every text placed as a seed has it.
fn summary_placed(
    seed: u64,
    matcher: &Matcher,
    (claimed, shown): (&str, &str),
    font: usize,
) -> FieldReport {
    let (renderer, mut random) = (Renderer::new(), Random::new(seed));
    let claim = payment(claimed);
    // The mark says nothing: the forger has the claim's.
    let printed = Printed::new(&renderer, &payment(shown), Some(&scans::own_mark(&claim)));
    let font = &foreign::fonts()[font];
    let setting = Setting {
        shift: 0.4,
        wider: None,
    };
    let page = foreign::print(&printed.drawing, 0, font, 300, setting, &mut random);
    let scan = paper::scan(page, &Condition::clean(), &[], &mut random);
    let form = Printed::new(&renderer, &claim, None).form(&renderer);
    let report = matcher.compare(&form, &scan).unwrap().report;
    let name = |it: &FieldReport| it.name == "lines[0].summary";
    report.fields.into_iter().find(name).unwrap()
}

#[test]
fn what_the_networks_misread_is_never_a_match_and_what_they_know_is() {
    let matcher = matcher();
    for font in 0..foreign::FONTS.len() {
        for (claimed, shown) in [
            ("付业绩奖金", "付业缋奖金"),
            ("付第一笔款", "付笫一笔款"),
            ("付预算外款", "付预箅外款"),
            ("购入采矿权", "购入采矿杈"),
            ("付电子设备", "付电孑设备"),
            ("购买茶叶款", "购买荼叶款"),
            ("天津分公司", "夭津分公司"),
            ("毛巾一百条", "乇巾一百条"),
            ("电器预付款", "电嚣预付款"),
            ("支付库存款", "支付厍存款"),
        ] {
            let found = summary(&matcher, claimed, shown, font);
            assert_ne!(
                found.verdict,
                Verdict::Match,
                "{shown} in {font}: {found:?}"
            );
        }
        for claimed in ["付预算外款", "支付广告费"] {
            let found = summary(&matcher, claimed, claimed, font);
            assert_eq!(
                found.verdict,
                Verdict::Match,
                "{claimed} in {font}: {found:?}"
            );
        }
    }
    // What the networks are surer of than they ever were on good prints, the shape tells in a type of the form's kind.
    for font in [0, 2] {
        let found = summary_placed(2, &matcher, ("收到廉款", "收到臁款"), font);
        assert_ne!(found.verdict, Verdict::Match, "in {font}: {found:?}");
        let found = summary_placed(2, &matcher, ("收到廉款", "收到廉款"), font);
        assert_eq!(found.verdict, Verdict::Match, "in {font}: {found:?}");
    }
    // A person is told what to look at.
    let found = summary(&matcher, "付电子设备", "付电孑设备", 0);
    assert_eq!(found.reason, "the network may read 孑 as 子 as well");
}

#[test]
fn a_form_in_a_wider_type_is_found_and_read() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    for (seed, form, wider) in [
        (5, "journal", 1.12),
        (9, "receivable", 1.12),
        (3, "receipt", 1.06),
    ] {
        for font in foreign::fonts() {
            let mut random = Random::new(seed);
            let voucher = scans::vouchers::voucher(&mut random, form);
            let printed = Printed::new(&renderer, &voucher, None);
            let setting = Setting {
                shift: 0.4,
                wider: Some(wider),
            };
            let page = foreign::print(&printed.drawing, 0, &font, 200, setting, &mut random);
            let scan = paper::scan(page, &Condition::clean(), &[], &mut random);
            let form = printed.form(&renderer);
            let report = matcher.compare(&form, &scan).unwrap().report;
            let others = report.fields.iter();
            let others: Vec<_> = others.filter(|it| it.verdict != Verdict::Match).collect();
            assert_eq!(report.verdict, Verdict::Match, "seed {seed}: {others:?}");
        }
    }
}

#[test]
fn what_a_network_doubts_is_told_by_its_shape_in_a_type_of_the_same_kind() {
    let matcher = matcher();
    // Song and Hei; in Kai nothing can be told by shapes of the form's.
    for font in [0, 2] {
        for claimed in ["毛巾一百条", "赵子龙报销", "购买茶叶款"] {
            let found = summary(&matcher, claimed, claimed, font);
            assert_eq!(
                found.verdict,
                Verdict::Match,
                "{claimed} in {font}: {found:?}"
            );
        }
    }
}

#[test]
fn words_of_the_form_that_lie_elsewhere_are_nothing_beside_a_number() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    let mut told = 0;
    for (seed, form) in (40..48).zip(
        ["transfer", "payment", "receipt", "general"]
            .into_iter()
            .cycle(),
    ) {
        let mut random = Random::new(seed);
        let voucher = scans::vouchers::voucher(&mut random, form);
        let printed = Printed::new(&renderer, &voucher, None);
        let setting = Setting {
            shift: 1.6,
            wider: Some(1.0),
        };
        let fonts = foreign::fonts();
        let font = &fonts[seed as usize % fonts.len()];
        let page = foreign::print(&printed.drawing, 0, font, 200, setting, &mut random);
        let scan = paper::scan(page, &Condition::clean(), &[], &mut random);
        let report = matcher
            .compare(&printed.form(&renderer), &scan)
            .unwrap()
            .report;
        let fields = report.fields.iter();
        let counted = fields.filter(|it| matches!(&it.name[..], "number" | "attachments"));
        for field in counted {
            assert_ne!(field.verdict, Verdict::Mismatch, "{seed}: {field:?}");
            told += usize::from(field.verdict == Verdict::Match);
        }
    }
    assert!(told >= 8, "{told}");
}
