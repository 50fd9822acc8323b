//! Voucher data from outside: `voucher.json` in, [`Voucher`] or [`Invalid`] out, nothing in between.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::invalid::PathError;
use super::name::is_invisible;
use super::{Amount, Date, Invalid, Line, Name, Posting, Voucher, minor_unit_digits};

/// Longest `voucher.json`, in bytes.
pub const VOUCHER_MAX_BYTES: usize = 1 << 20;
/// Most lines in one voucher.
pub const LINES_MAX: usize = 1_000;
/// Longest text value, in characters.
pub const TEXT_MAX_CHARS: usize = 400;
/// Deepest nesting inside `extra`.
pub const EXTRA_MAX_DEPTH: usize = 8;

/// The document as it is written; values are checked afterwards so that errors can name them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    company: String,
    ledger: String,
    period: String,
    #[serde(rename = "type")]
    voucher_type: String,
    number: String,
    date: String,
    currency: String,
    #[serde(default)]
    attachments: u32,
    lines: Vec<Object<DocumentLine>>,
    preparer: String,
    #[serde(default)]
    reviewer: Option<String>,
    #[serde(default)]
    bookkeeper: Option<String>,
    #[serde(default)]
    cashier: Option<String>,
    #[serde(default)]
    extra: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentLine {
    summary: String,
    account: String,
    #[serde(default)]
    subaccount: Option<String>,
    #[serde(default)]
    debit: Option<String>,
    #[serde(default)]
    credit: Option<String>,
}

/// A value that is written as a JSON object: serde would also take an array of its values in order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

impl Voucher {
    /// Reads and checks `voucher.json`. The first thing that is wrong is named by field.
    pub fn from_json(bytes: &[u8]) -> Result<Voucher, Invalid> {
        if bytes.len() > VOUCHER_MAX_BYTES {
            return Err(Invalid::new(
                "",
                format!("voucher data has more than {VOUCHER_MAX_BYTES} bytes"),
                "send large content as a scan or an attachment, not in voucher.json",
            ));
        }
        let deserializer = &mut serde_json::Deserializer::from_slice(bytes);
        let Object(document): Object<Document> =
            serde_path_to_error::deserialize(&mut *deserializer).map_err(not_a_document)?;
        deserializer
            .end()
            .map_err(|error| Invalid::not_json(&error))?;
        check(document)
    }
}

fn not_a_document(error: PathError) -> Invalid {
    let not_json = error.inner().is_syntax() || error.inner().is_eof();
    let mut invalid = Invalid::from_json_error(
        error,
        "compare with the example of voucher.json in README.md",
    );
    if !not_json {
        if invalid.error.starts_with("unknown field") {
            invalid.hint = "remove the key, or put it inside \"extra\"".to_owned();
        } else if invalid.error.contains("expected a string") {
            let hint = "write the value as a JSON string; amounts too, such as \"12000.00\"";
            invalid.hint = hint.to_owned();
        }
    }
    invalid
}

fn check(document: Document) -> Result<Voucher, Invalid> {
    let voucher = Voucher {
        company: name("company", &document.company)?,
        ledger: name("ledger", &document.ledger)?,
        period: name("period", &document.period)?,
        voucher_type: name("type", &document.voucher_type)?,
        number: name("number", &document.number)?,
        date: date(&document.date)?,
        currency: currency(document.currency)?,
        attachments: document.attachments,
        lines: lines(document.lines)?,
        preparer: text("preparer", document.preparer)?,
        reviewer: optional_text("reviewer", document.reviewer)?,
        bookkeeper: optional_text("bookkeeper", document.bookkeeper)?,
        cashier: optional_text("cashier", document.cashier)?,
        extra: document.extra,
    };
    if voucher.attachments > 9_999 {
        return Err(Invalid::new(
            "attachments",
            "more than 9999 attached papers",
            "give the number of papers attached to this voucher",
        ));
    }
    for (key, value) in &voucher.extra {
        if depth(value) > EXTRA_MAX_DEPTH {
            return Err(Invalid::new(
                format!("extra.{key}"),
                format!("nested deeper than {EXTRA_MAX_DEPTH} levels"),
                "flatten the value",
            ));
        }
    }
    check_fractions(&voucher)?;
    balance(&voucher.lines)?;
    Ok(voucher)
}

fn name(field: &str, text: &str) -> Result<Name, Invalid> {
    Name::new(text).map_err(|error| {
        Invalid::new(
            field,
            error.to_string(),
            "choose a name that every drive can show",
        )
    })
}

fn date(text: &str) -> Result<Date, Invalid> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        Invalid::new(
            "date",
            "not a day of the calendar",
            "write the date as YYYY-MM-DD",
        )
    })
}

fn currency(code: String) -> Result<String, Invalid> {
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(code);
    }
    Err(Invalid::new(
        "currency",
        "not an ISO 4217 currency code",
        "write three capital letters, such as CNY",
    ))
}

/// A printable text of one line, in NFC.
fn text(field: &str, value: String) -> Result<String, Invalid> {
    let refuse = |error: &str, hint: &str| Err(Invalid::new(field, error, hint));
    if value.trim().is_empty() {
        return refuse(
            "must not be empty",
            "give a text, or leave an optional field out",
        );
    }
    if value.chars().count() > TEXT_MAX_CHARS {
        return refuse("longer than 400 characters", "shorten the text");
    }
    if let Some(bad) = value.chars().find(|c| c.is_control() || is_invisible(*c)) {
        return refuse(
            &format!("contains the invisible character U+{:04X}", u32::from(bad)),
            "remove line breaks, control and formatting characters",
        );
    }
    Ok(value.nfc().collect())
}

fn optional_text(field: &str, value: Option<String>) -> Result<Option<String>, Invalid> {
    value.map(|value| text(field, value)).transpose()
}

fn lines(lines: Vec<Object<DocumentLine>>) -> Result<Vec<Line>, Invalid> {
    if lines.is_empty() {
        return Err(Invalid::new(
            "lines",
            "a voucher has at least one line",
            "add the lines",
        ));
    }
    if lines.len() > LINES_MAX {
        return Err(Invalid::new(
            "lines",
            format!("more than {LINES_MAX} lines"),
            "split the voucher",
        ));
    }
    lines.into_iter().enumerate().map(line).collect()
}

fn line((index, Object(line)): (usize, Object<DocumentLine>)) -> Result<Line, Invalid> {
    let field = |key: &str| format!("lines[{index}].{key}");
    let posting = match (&line.debit, &line.credit) {
        (Some(text), None) => Posting::Debit(amount(&field("debit"), text)?),
        (None, Some(text)) => Posting::Credit(amount(&field("credit"), text)?),
        (Some(_), Some(_)) => {
            return Err(Invalid::new(
                field("credit"),
                "a line has a debit or a credit, not both",
                "split it into two lines",
            ));
        }
        (None, None) => {
            return Err(Invalid::new(
                field("debit"),
                "a line needs a debit or a credit",
                "add the amount as a decimal string",
            ));
        }
    };
    Ok(Line {
        summary: text(&field("summary"), line.summary)?,
        account: text(&field("account"), line.account)?,
        subaccount: optional_text(&field("subaccount"), line.subaccount)?,
        posting,
    })
}

fn amount(field: &str, text: &str) -> Result<Amount, Invalid> {
    text.parse().map_err(|error: super::AmountError| {
        Invalid::new(
            field,
            error.to_string(),
            "write the amount as a plain decimal string, such as \"12000.00\"",
        )
    })
}

/// No amount is finer than the smallest coin of its currency.
fn check_fractions(voucher: &Voucher) -> Result<(), Invalid> {
    let digits = minor_unit_digits(&voucher.currency);
    for (index, line) in voucher.lines.iter().enumerate() {
        let (side, amount) = match line.posting {
            Posting::Debit(amount) => ("debit", amount),
            Posting::Credit(amount) => ("credit", amount),
        };
        if amount.fraction_digits() > digits {
            return Err(Invalid::new(
                format!("lines[{index}].{side}"),
                format!(
                    "more than {digits} decimals, which {} does not have",
                    voucher.currency
                ),
                "round the amount to what can be paid",
            ));
        }
    }
    Ok(())
}

fn balance(lines: &[Line]) -> Result<(), Invalid> {
    let sum = |side: fn(&Line) -> Option<Amount>| {
        lines
            .iter()
            .filter_map(side)
            .try_fold(Amount::ZERO, Amount::checked_add)
    };
    match (sum(Line::debit), sum(Line::credit)) {
        (Some(debit), Some(credit)) if debit == credit => Ok(()),
        (Some(debit), Some(credit)) => Err(Invalid::new(
            "lines",
            format!("debits {debit} do not equal credits {credit}"),
            "correct the amounts so that both sides have the same sum",
        )),
        _ => Err(Invalid::new(
            "lines",
            "the sum is too large",
            "split the voucher",
        )),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(items) => 1 + items.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
