//! The voucher room: what an accounting voucher is, exactly, and when one is well-formed.
//!
//! It does not know that vouchers are drawn, filed, logged or sent over a network.

mod amount;
mod currency;
mod invalid;
mod name;
mod parse;
mod period;
pub mod template;

pub use amount::{Amount, AmountError};
pub use currency::minor_unit_digits;
pub use invalid::Invalid;
pub use jiff::civil::Date;
pub use name::{NAME_MAX_BYTES, Name, NameError};
pub use parse::{EXTRA_MAX_DEPTH, LINES_MAX, TEXT_MAX_CHARS, VOUCHER_MAX_BYTES};
pub use period::{Period, PeriodGrammar};

/// A voucher whose values are internally consistent: every text within its limits, debits equal to
/// credits, one side on every line. Whether its type and period exist is the catalog's question.
///
/// Obtained from [`Voucher::from_json`]; the JSON form is described in `docs/format.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Voucher {
    /// The company (公司), first step of the path.
    pub company: Name,
    /// The ledger (账套).
    pub ledger: Name,
    /// The accounting period (期间), such as `2024-03`; its grammar belongs to the layout.
    pub period: Name,
    /// The voucher type (凭证类别), such as `payment`.
    pub voucher_type: Name,
    /// The voucher number (凭证号), unique within company, ledger, period and type.
    pub number: Name,
    /// The accounting date, a civil date without a time zone.
    pub date: Date,
    /// ISO 4217 code of every amount in the voucher.
    pub currency: String,
    /// How many papers are attached to the paper voucher (附单据).
    pub attachments: u32,
    /// The lines in their order, at least one.
    pub lines: Vec<Line>,
    /// Who prepared the voucher (制单).
    pub preparer: String,
    /// Who reviewed it (审核), when the ERP already knows.
    pub reviewer: Option<String>,
    /// Who entered it in the books (记账).
    pub bookkeeper: Option<String>,
    /// The cashier (出纳).
    pub cashier: Option<String>,
    /// Whatever else the ERP wants kept with the voucher; bounded in size and depth, never interpreted.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// One line of a voucher: an account debited or credited, never both.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What happened (摘要).
    pub summary: String,
    /// The ledger account (总账科目).
    pub account: String,
    /// The subsidiary account (明细科目).
    pub subaccount: Option<String>,
    /// Which side, and how much.
    pub posting: Posting,
}

/// The side and amount of a [`Line`]. A negative amount is a red-letter correction (红字).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posting {
    /// 借方
    Debit(Amount),
    /// 贷方
    Credit(Amount),
}

impl Line {
    /// The debit amount, if the line debits.
    pub fn debit(&self) -> Option<Amount> {
        match self.posting {
            Posting::Debit(amount) => Some(amount),
            Posting::Credit(_) => None,
        }
    }

    /// The credit amount, if the line credits.
    pub fn credit(&self) -> Option<Amount> {
        match self.posting {
            Posting::Credit(amount) => Some(amount),
            Posting::Debit(_) => None,
        }
    }
}

impl Voucher {
    /// Sum of the debits, which equals the sum of the credits.
    pub fn total(&self) -> Amount {
        // Parsing refused any voucher whose sums overflow, so adding again cannot.
        self.lines
            .iter()
            .filter_map(Line::debit)
            .fold(Amount::ZERO, |sum, amount| {
                sum.checked_add(amount).unwrap_or(sum)
            })
    }
}
