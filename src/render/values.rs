//! What a field of the form says for a given voucher.

use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

use crate::voucher::template::{Locale, Value};
use crate::voucher::{Line, Voucher};

use super::Mark;
use super::fit::TEXT_MAX_CHARS;

/// Digits of the digest that are printed; the QR mark has all of them.
const DIGEST_DIGITS: usize = 16;

/// Everything that a field can be filled from.
pub(super) struct Source<'a> {
    pub(super) voucher: &'a Voucher,
    pub(super) locale: Locale,
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
            Value::DateLong => self.locale.date(date),
            Value::DateWords => self.locale.date_in_words(date),
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
            Value::TotalWords => total_words(voucher, self.locale),
            Value::DebitAccounts => self.accounts(|line| line.debit().is_some()),
            Value::CreditAccounts => self.accounts(|line| line.credit().is_some()),
            Value::PageNumber => self.page.to_string(),
            Value::PageCount => self.pages.to_string(),
            Value::Place => self.mark.place.clone(),
            Value::Digest => self.mark.digest.chars().take(DIGEST_DIGITS).collect(),
            Value::Extra(key) => match voucher.extra.get(key) {
                // The only text that is not in NFC already.
                Some(Json::String(text)) => text.nfc().take(TEXT_MAX_CHARS + 1).collect(),
                Some(Json::Number(number)) => number.to_string(),
                Some(Json::Bool(truth)) => self.locale.truth(*truth).to_owned(),
                _ => String::new(),
            },
        }
    }

    /// The accounts of the lines on one side, each once, in the order of the lines.
    fn accounts(&self, on_side: impl Fn(&Line) -> bool) -> String {
        let mut names: Vec<&str> = Vec::new();
        let mut length = 0;
        for line in self.voucher.lines.iter().filter(|line| on_side(line)) {
            if length <= TEXT_MAX_CHARS && !names.contains(&line.account.as_str()) {
                length += line.account.chars().count();
                names.push(&line.account);
            }
        }
        names.join(self.locale.separator())
    }
}

/// The total in words, or in figures where words cannot say it.
pub(super) fn total_words(voucher: &Voucher, locale: Locale) -> String {
    let total = voucher.total();
    let words = locale.amount(total, &voucher.currency);
    words.unwrap_or_else(|| total.grouped())
}
