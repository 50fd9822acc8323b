//! What a field of the form says for a given voucher.

use serde_json::Value as Json;

use crate::voucher::template::Value;
use crate::voucher::{Line, Voucher};

use super::Mark;
use super::words::in_words;

/// Digits of the digest that are printed; the QR mark has all of them.
const DIGEST_DIGITS: usize = 16;

/// Everything that a field can be filled from.
pub(super) struct Source<'a> {
    pub(super) voucher: &'a Voucher,
    pub(super) mark: &'a Mark,
    /// From 1.
    pub(super) page: usize,
    pub(super) pages: usize,
}

impl Source<'_> {
    /// The value as printed; empty if the voucher has none.
    pub(super) fn text(&self, value: &Value) -> String {
        let voucher = self.voucher;
        let date = voucher.date;
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        match value {
            Value::Company => voucher.company.to_string(),
            Value::Ledger => voucher.ledger.to_string(),
            Value::Period => voucher.period.to_string(),
            Value::VoucherType => voucher.voucher_type.to_string(),
            Value::Number => voucher.number.to_string(),
            Value::Date => date.to_string(),
            Value::DateYear => format!("{:04}", date.year()),
            Value::DateMonth => format!("{:02}", date.month()),
            Value::DateDay => format!("{:02}", date.day()),
            Value::Currency => voucher.currency.clone(),
            Value::Attachments => voucher.attachments.to_string(),
            Value::Preparer => voucher.preparer.clone(),
            Value::Reviewer => optional(&voucher.reviewer),
            Value::Bookkeeper => optional(&voucher.bookkeeper),
            Value::Cashier => optional(&voucher.cashier),
            Value::Total => voucher.total().grouped(),
            Value::TotalWords => total_words(voucher),
            Value::DebitAccounts => accounts(voucher, |line| line.debit().is_some()),
            Value::CreditAccounts => accounts(voucher, |line| line.credit().is_some()),
            Value::PageNumber => self.page.to_string(),
            Value::PageCount => self.pages.to_string(),
            Value::Place => self.mark.place.clone(),
            Value::Digest => self.mark.digest.chars().take(DIGEST_DIGITS).collect(),
            Value::Extra(key) => match voucher.extra.get(key) {
                Some(Json::String(text)) => text.clone(),
                Some(Json::Number(number)) => number.to_string(),
                Some(Json::Bool(truth)) => if *truth { "是" } else { "否" }.to_owned(),
                _ => String::new(),
            },
        }
    }
}

/// The total in words, or in figures where words cannot say it.
pub(super) fn total_words(voucher: &Voucher) -> String {
    let total = voucher.total();
    in_words(total, &voucher.currency).unwrap_or_else(|| total.grouped())
}

/// The accounts of the lines on one side, each once, in the order of the lines.
fn accounts(voucher: &Voucher, on_side: impl Fn(&Line) -> bool) -> String {
    let mut names: Vec<&str> = Vec::new();
    for line in voucher.lines.iter().filter(|line| on_side(line)) {
        if !names.contains(&line.account.as_str()) {
            names.push(&line.account);
        }
    }
    names.join("、")
}
