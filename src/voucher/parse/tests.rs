use super::*;
use proptest::prelude::*;
use serde_json::json;

fn sample() -> Value {
    json!({"company":"深圳样例科技有限公司","ledger":"主账套","period":"2024-03","type":"payment",
        "number":"0001","date":"2024-03-05","currency":"CNY","attachments":2,
        "lines":[{"summary":"支付三月房租","account":"管理费用","subaccount":"房租","debit":"12000.00"},
                 {"summary":"支付三月房租","account":"银行存款","credit":"12000.00"}],
        "preparer":"张三","reviewer":null,"bookkeeper":"李四","cashier":"王五",
        "extra":{"erp_id":"FI-2024-000123"}})
}

fn refusal(change: impl FnOnce(&mut Value)) -> Invalid {
    let mut value = sample();
    change(&mut value);
    Voucher::from_json(value.to_string().as_bytes()).unwrap_err()
}

#[test]
fn reads_the_contract_example() {
    let voucher = Voucher::from_json(sample().to_string().as_bytes()).unwrap();
    assert_eq!(voucher.total().to_string(), "12000.00");
    assert_eq!(voucher.lines[1].credit().unwrap().to_string(), "12000.00");
}

#[test]
fn names_the_field_that_is_wrong() {
    for (pointer, value, field) in [
        ("/date", json!("2024-02-31"), "date"),
        ("/date", json!("20240305"), "date"),
        ("/currency", json!("cny"), "currency"),
        ("/number", json!("a/b"), "number"),
        ("/company", json!("x\u{202E}y"), "company"),
        ("/lines/1/credit", json!("11999.99"), "lines"),
        ("/lines/1/credit", json!("1e3"), "lines[1].credit"),
        ("/lines/1/credit", json!(12000.0), "lines[1].credit"),
        ("/lines/1/credit", json!("12000.005"), "lines[1].credit"),
        ("/lines/0/summary", json!("a\nb"), "lines[0].summary"),
        ("/lines", json!([]), "lines"),
        ("/lines/0", json!(["a", "b", null, "1", null]), "lines[0]"),
        ("/preparer", json!(" "), "preparer"),
        ("/attachments", json!(-1), "attachments"),
    ] {
        let invalid = refusal(|v| *v.pointer_mut(pointer).unwrap() = value.clone());
        assert_eq!(invalid.field, field, "{pointer} = {value}: {invalid}");
        assert!(!invalid.hint.is_empty());
    }
}

#[test]
fn unknown_missing_and_duplicate_keys_are_errors() {
    assert_eq!(refusal(|v| v["colour"] = json!(1)).field, "colour");
    assert_eq!(
        refusal(|v| v["lines"][0]["tax"] = json!("1")).field,
        "lines[0].tax"
    );
    assert_eq!(
        refusal(|v| drop(v["lines"][0].as_object_mut().unwrap().remove("account"))).field,
        "lines[0].account"
    );
    let twice = sample()
        .to_string()
        .replacen('{', "{\"number\":\"0002\",", 1);
    assert_eq!(
        Voucher::from_json(twice.as_bytes()).unwrap_err().field,
        "number"
    );
    assert_eq!(
        refusal(|v| v["lines"][0]["credit"] = json!("1")).field,
        "lines[0].credit"
    );
}

#[test]
fn truncated_and_trailing_bytes_are_not_json() {
    let text = sample().to_string();
    for bytes in [
        &text.as_bytes()[..text.len() / 2],
        format!("{text}x").as_bytes(),
    ] {
        assert!(
            Voucher::from_json(bytes)
                .unwrap_err()
                .error
                .starts_with("not JSON")
        );
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Voucher::from_json(&bytes);
    }

    #[test]
    fn one_changed_byte_is_refused_or_still_balances(index in 0usize..400, byte in any::<u8>()) {
        let mut bytes = sample().to_string().into_bytes();
        let index = index % bytes.len();
        bytes[index] = byte;
        if let Ok(voucher) = Voucher::from_json(&bytes) {
            let credit = voucher.lines.iter().filter_map(Line::credit).fold(Amount::ZERO, |a, b| a.checked_add(b).unwrap());
            prop_assert_eq!(voucher.total(), credit);
        }
    }
}
