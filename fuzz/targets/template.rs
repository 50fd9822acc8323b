//! Any text is a template or an error with its place; what is a template draws a voucher.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe::render::{Mark, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;

static RENDERER: LazyLock<Renderer> = LazyLock::new(Renderer::new);
const VOUCHER: &str = r#"{"company":"样例 Ltd","ledger":"gl","period":"2024-03","type":"payment","number":"0001",
    "date":"2024-03-05","currency":"CNY","attachments":2,"lines":[
    {"summary":"支付三月房租 rent","account":"管理费用","subaccount":"房租","debit":"12345678901234.50"},
    {"summary":"x","account":"银行存款","credit":"12345678901234.50"}],
    "preparer":"张三","reviewer":null,"bookkeeper":"Łukasz","cashier":"𠀀","extra":{"a":true,"b":"e\u0301"}}"#;

fuzz_target!(|text: &str| match Template::read(text) {
    Err(errors) => {
        let lines = 1 + text.matches('\n').count();
        assert!(!errors.is_empty());
        assert!(
            errors
                .iter()
                .all(|error| error.line >= 1 && error.line <= lines && error.column >= 1)
        );
    }
    Ok(template) => {
        let voucher = Voucher::from_json(VOUCHER.as_bytes()).expect("a voucher");
        let mark = Mark {
            place: "/样例/gl/2024-03/payment/0001".to_owned(),
            digest: "0".repeat(64),
        };
        let drawing = RENDERER
            .draw(&template, &voucher, &mark)
            .expect("two lines are drawn");
        let pdf = RENDERER
            .pdf(&drawing, VOUCHER.as_bytes())
            .expect("a drawing is a PDF");
        let picture = RENDERER.png(&pdf, drawing.png_resolution(50));
        assert!(picture.is_ok(), "{picture:?}");
    }
});
