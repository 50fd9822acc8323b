//! Amounts in words (大写金额), as the rules for filling in bills want them
//! (中国人民银行《正确填写票据和结算凭证的基本规定》).

use crate::voucher::{Amount, Date};

const DIGITS: [char; 10] = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];
/// Units inside a group of four digits, from thousands down.
const PLACES: [(u64, &str); 4] = [(1_000, "仟"), (100, "佰"), (10, "拾"), (1, "")];
/// Powers of ten that begin a group, from above.
const GROUPS: [(u64, &str); 2] = [(100_000_000, "亿"), (10_000, "万")];

/// The amount in words, such as 人民币壹万贰仟元整, or `None` for an amount with parts below a hundredth.
pub(super) fn amount(amount: Amount, currency: &str) -> Option<String> {
    let hundredths = amount.hundredths()?;
    let magnitude = u64::try_from(hundredths.unsigned_abs()).ok()?;
    let (whole, tenths, rest) = (magnitude / 100, magnitude / 10 % 10, magnitude % 10);
    let mut words = currency_name(currency).to_owned();
    if hundredths < 0 {
        words.push('负');
    }
    if whole > 0 || magnitude == 0 {
        write_whole(&mut words, whole);
        words.push('元');
    }
    if tenths > 0 {
        words.push(DIGITS[tenths as usize]);
        words.push('角');
    } else if whole > 0 && rest > 0 {
        words.push('零');
    }
    if rest > 0 {
        words.push(DIGITS[rest as usize]);
        words.push('分');
    } else {
        words.push('整');
    }
    Some(words)
}

/// The date as on bills, where nothing can be added before a number: 贰零贰肆年零叁月零伍日. Months 1, 2 and
/// 10 and days below 10, 10, 20 and 30 begin with 零.
pub(super) fn date(date: Date) -> String {
    let mut words: String = format!("{:04}", date.year())
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .map(|digit| DIGITS[digit as usize])
        .collect();
    words.push('年');
    let month = date.month().unsigned_abs();
    if matches!(month, 1 | 2 | 10) {
        words.push('零');
    }
    write_group(&mut words, u64::from(month), false);
    words.push('月');
    let day = date.day().unsigned_abs();
    if day < 10 || day.is_multiple_of(10) {
        words.push('零');
    }
    write_group(&mut words, u64::from(day), false);
    words.push('日');
    words
}

fn write_whole(words: &mut String, number: u64) {
    if number == 0 {
        words.push('零');
        return;
    }
    let mut rest = number;
    let mut begun = false;
    for (power, name) in GROUPS {
        let (head, tail) = (rest / power, rest % power);
        if head > 0 {
            write_whole(words, head);
            words.push_str(name);
            // A digit that is left out between two groups is read as one 零.
            if tail > 0 && tail < power / 10 {
                words.push('零');
            }
            begun = true;
        }
        rest = tail;
    }
    write_group(words, rest, begun);
}

/// Four digits, one 零 for each gap between two of them.
fn write_group(words: &mut String, group: u64, begun: bool) {
    let mut gap = false;
    let mut written = begun;
    for (power, name) in PLACES {
        let digit = group / power % 10;
        if digit == 0 {
            gap = true;
            continue;
        }
        if gap && written && !words.ends_with('零') {
            words.push('零');
        }
        words.push(DIGITS[digit as usize]);
        words.push_str(name);
        (gap, written) = (false, true);
    }
}

fn currency_name(code: &str) -> &str {
    match code {
        "CNY" => "人民币",
        "HKD" => "港币",
        "USD" => "美元",
        "EUR" => "欧元",
        "JPY" => "日元",
        "GBP" => "英镑",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> String {
        amount(text.parse().unwrap(), "CNY").unwrap()
    }

    #[test]
    fn the_amounts_of_the_rule_book_and_more() {
        for (figures, expected) in [
            ("0", "人民币零元整"),
            ("0.00", "人民币零元整"),
            ("0.05", "人民币伍分"),
            ("0.50", "人民币伍角整"),
            ("0.53", "人民币伍角叁分"),
            ("1.00", "人民币壹元整"),
            ("10", "人民币壹拾元整"),
            ("12000.00", "人民币壹万贰仟元整"),
            ("1409.50", "人民币壹仟肆佰零玖元伍角整"),
            ("6007.14", "人民币陆仟零柒元壹角肆分"),
            ("1680.32", "人民币壹仟陆佰捌拾元叁角贰分"),
            ("107000.53", "人民币壹拾万柒仟元伍角叁分"),
            ("16409.02", "人民币壹万陆仟肆佰零玖元零贰分"),
            ("325.04", "人民币叁佰贰拾伍元零肆分"),
            ("10000001", "人民币壹仟万零壹元整"),
            ("100000000", "人民币壹亿元整"),
            ("100010000", "人民币壹亿零壹万元整"),
            ("100000001", "人民币壹亿零壹元整"),
            ("1000000000000", "人民币壹万亿元整"),
            ("1000000010000.10", "人民币壹万亿零壹万元壹角整"),
            (
                "999999999999999.99",
                "人民币玖佰玖拾玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
            ),
            ("-20.30", "人民币负贰拾元叁角整"),
        ] {
            assert_eq!(words(figures), expected, "{figures}");
        }
    }

    #[test]
    fn names_the_currency_and_declines_finer_parts() {
        assert_eq!(amount("7".parse().unwrap(), "USD").unwrap(), "美元柒元整");
        assert_eq!(amount("0.001".parse().unwrap(), "CNY"), None);
    }

    #[test]
    fn dates_as_on_bills() {
        for (text, expected) in [
            ("2024-03-05", "贰零贰肆年叁月零伍日"),
            ("2025-01-10", "贰零贰伍年零壹月零壹拾日"),
            ("2025-02-20", "贰零贰伍年零贰月零贰拾日"),
            ("2025-10-31", "贰零贰伍年零壹拾月叁拾壹日"),
            ("2025-12-11", "贰零贰伍年壹拾贰月壹拾壹日"),
        ] {
            assert_eq!(date(text.parse().unwrap()), expected);
        }
    }

    /// Reads words back, so that every amount is checked against an independent reading.
    fn read(words: &str) -> u64 {
        let (mut total, mut section, mut digit) = (0u64, 0u64, 0u64);
        for character in words.trim_start_matches("人民币").chars() {
            match character {
                '仟' => section += std::mem::take(&mut digit) * 1_000,
                '佰' => section += std::mem::take(&mut digit) * 100,
                '拾' => section += std::mem::take(&mut digit) * 10,
                '万' => section = (section + std::mem::take(&mut digit)) * 10_000,
                '亿' => total = (total + section + std::mem::take(&mut digit)) * 100_000_000,
                '元' => total = (total + section + std::mem::take(&mut digit)) * 100,
                '角' => total += std::mem::take(&mut digit) * 10,
                '分' => total += std::mem::take(&mut digit),
                '整' => {}
                other => digit = DIGITS.iter().position(|d| *d == other).unwrap() as u64,
            }
            if matches!(character, '亿' | '元') {
                section = 0;
            }
        }
        total
    }

    proptest! {
        #[test]
        fn words_say_the_amount(hundredths in prop_oneof![0u64..10u64.pow(17), 0u64..10u64.pow(9)], zeroes in 0u32..9) {
            let hundredths = hundredths / 10u64.pow(zeroes) * 10u64.pow(zeroes);
            let figures = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let words = words(&figures);
            prop_assert_eq!(read(&words), hundredths, "{} {}", figures, words);
            prop_assert!(!words.contains("零零"));
        }
    }
}
