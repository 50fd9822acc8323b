use serde::{Deserialize, Deserializer, de};

/// What a field of the form shows: a value of the voucher, or one derived from it for print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `company`
    Company,
    /// `ledger`
    Ledger,
    /// `period`
    Period,
    /// `type`
    VoucherType,
    /// `number`
    Number,
    /// `date`, as 2024-03-05
    Date,
    /// `date.long`, as the locale writes it: 2024年3月5日
    DateLong,
    /// `date.words`, as on Chinese bills: 贰零贰肆年叁月零伍日
    DateWords,
    /// `date.year`, four digits
    DateYear,
    /// `date.month`, two digits
    DateMonth,
    /// `date.day`, two digits
    DateDay,
    /// `currency`, the ISO 4217 code
    Currency,
    /// `attachments`
    Attachments,
    /// `preparer`
    Preparer,
    /// `reviewer`
    Reviewer,
    /// `bookkeeper`
    Bookkeeper,
    /// `cashier`
    Cashier,
    /// `total`, grouped figures
    Total,
    /// `total.words` (大写金额)
    TotalWords,
    /// `accounts.debit`: the accounts debited, each once
    DebitAccounts,
    /// `accounts.credit`: the accounts credited, each once
    CreditAccounts,
    /// `page.number`
    PageNumber,
    /// `page.count`
    PageCount,
    /// `place`: the voucher's path in the archive
    Place,
    /// `digest` of the voucher's data, shortened to 16 hexadecimal digits
    Digest,
    /// `extra.KEY`: a text, number or truth value that the ERP sent along
    Extra(String),
}

/// The values that have one fixed name.
const NAMED: [(&str, Value); 25] = [
    ("company", Value::Company),
    ("ledger", Value::Ledger),
    ("period", Value::Period),
    ("type", Value::VoucherType),
    ("number", Value::Number),
    ("date", Value::Date),
    ("date.long", Value::DateLong),
    ("date.words", Value::DateWords),
    ("date.year", Value::DateYear),
    ("date.month", Value::DateMonth),
    ("date.day", Value::DateDay),
    ("currency", Value::Currency),
    ("attachments", Value::Attachments),
    ("preparer", Value::Preparer),
    ("reviewer", Value::Reviewer),
    ("bookkeeper", Value::Bookkeeper),
    ("cashier", Value::Cashier),
    ("total", Value::Total),
    ("total.words", Value::TotalWords),
    ("accounts.debit", Value::DebitAccounts),
    ("accounts.credit", Value::CreditAccounts),
    ("page.number", Value::PageNumber),
    ("page.count", Value::PageCount),
    ("place", Value::Place),
    ("digest", Value::Digest),
];

impl Value {
    /// The value's name in templates and of the box it fills.
    pub fn name(&self) -> String {
        if let Value::Extra(key) = self {
            return format!("extra.{key}");
        }
        NAMED
            .iter()
            .find(|(_, value)| value == self)
            .map_or_else(String::new, |(name, _)| (*name).to_owned())
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(key) = text.strip_prefix("extra.").filter(|key| !key.is_empty()) {
            return Ok(Value::Extra(key.to_owned()));
        }
        NAMED
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| value.clone())
            .ok_or_else(|| {
                let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
                let known = names.join(", ");
                de::Error::custom(format!(
                    "no value is called \"{text}\"; there are {known} and extra.KEY"
                ))
            })
    }
}

/// What a column of the table shows of each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnValue {
    /// The line's position, from 1.
    Position,
    /// 摘要
    Summary,
    /// 总账科目
    Account,
    /// 明细科目
    Subaccount,
    /// 借方金额
    Debit,
    /// 贷方金额
    Credit,
    /// Nothing: for marks made by hand, such as 记账 √.
    Blank,
}

impl ColumnValue {
    /// Whether the column holds amounts and so has a total.
    pub fn is_amount(self) -> bool {
        matches!(self, ColumnValue::Debit | ColumnValue::Credit)
    }

    /// The last step of the field's name, as in `lines[0].summary`.
    pub fn name(self) -> &'static str {
        match self {
            ColumnValue::Position => "position",
            ColumnValue::Summary => "summary",
            ColumnValue::Account => "account",
            ColumnValue::Subaccount => "subaccount",
            ColumnValue::Debit => "debit",
            ColumnValue::Credit => "credit",
            ColumnValue::Blank => "blank",
        }
    }
}
