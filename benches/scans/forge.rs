//! The forger: a voucher that differs from another in one thing that matters.

use serde_json::{Value, json};

use super::random::Random;
use super::vouchers::{self, money};

pub const FORGERIES: [&str; 17] = [
    "digit",
    "digits-swapped",
    "point",
    "digit-before",
    "digit-after",
    "day",
    "name",
    "name-alike",
    "account",
    "text-alike",
    "line-removed",
    "line-added",
    "amounts-exchanged",
    "number",
    "summary",
    "other-voucher",
    // Done to the print, not to the data.
    super::added::FORGERY,
];

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

fn side(line: &Value) -> &'static str {
    if line.get("debit").is_some() {
        "debit"
    } else {
        "credit"
    }
}

/// Makes the last line balance the others again.
fn balance(voucher: &mut Value) {
    let lines = voucher["lines"].as_array_mut().unwrap();
    let total: i64 = lines
        .iter()
        .filter_map(|line| line.get("debit"))
        .map(|it| cents(it.as_str().unwrap()))
        .sum();
    for line in lines {
        if line.get("credit").is_some() {
            line["credit"] = json!(money(total));
        }
    }
}

/// For each Han character those that look most like it; see fonts/README.md.
const ALIKE: &[u8] = include_bytes!("../../fonts/alike.bin");
const ALIKE_ROW: usize = 25;

/// A text with one of its Han characters changed for one that looks like it.
fn alike(text: &str, random: &mut Random) -> Option<String> {
    let mut text: Vec<char> = text.chars().collect();
    let place = random.below(text.len());
    let (codes, _) = ALIKE.as_chunks::<2>();
    let code = |it: &[u8; 2]| char::from_u32(u32::from(u16::from_le_bytes(*it)));
    let row = codes
        .chunks_exact(ALIKE_ROW)
        .find(|row| code(&row[0]) == Some(text[place]))?;
    text[place] = code(&row[1 + random.below(8)])?;
    Some(text.into_iter().collect())
}

/// A forged copy; none if this voucher offers no place for it. What the forger changes is what is printed: the
/// amounts of the other lines and the totals stay as they are unless they must follow.
pub fn forge(original: &Value, kind: &str, random: &mut Random) -> Option<Value> {
    let mut forged = original.clone();
    let debits: Vec<usize> = (0..original["lines"].as_array()?.len())
        .filter(|index| side(&original["lines"][*index]) == "debit")
        .collect();
    let at = random.pick(&debits);
    let digits: Vec<char> = original["lines"][at]["debit"]
        .as_str()?
        .replace('.', "")
        .chars()
        .collect();
    let set = |forged: &mut Value, digits: Vec<char>| {
        let text: String = digits.into_iter().collect();
        let value: i64 = text.parse().unwrap();
        forged["lines"][at]["debit"] = json!(money(value.max(1)));
    };
    match kind {
        "digit" => {
            let mut digits = digits;
            let place = random.below(digits.len());
            let old = digits[place];
            // The likely ones first: 1 to 7, 3 to 8, 0 to 6, and any other.
            let likely = match old {
                '1' => '7',
                '3' => '8',
                '0' => '6',
                '5' => '6',
                '6' => '8',
                '9' => '8',
                _ => '9',
            };
            let digit = if random.chance(0.5) {
                likely
            } else {
                random.pick(&['1', '2', '3', '4', '5', '6', '7', '8', '9'])
            };
            digits[place] = digit;
            set(&mut forged, digits);
        }
        "digits-swapped" => {
            let mut digits = digits;
            let place = (0..digits.len() - 1)
                .find(|it| digits[*it] != digits[it + 1] && (*it > 0 || digits[1] != '0'))?;
            digits.swap(place, place + 1);
            set(&mut forged, digits);
        }
        "point" => {
            let mut digits = digits;
            if random.chance(0.5) || digits.len() < 4 {
                digits.push('0')
            } else {
                digits.pop();
            }
            if digits.len() > 11 {
                return None;
            }
            set(&mut forged, digits);
        }
        "digit-before" => {
            let mut digits = digits;
            if digits.len() > 9 {
                return None;
            }
            digits.insert(0, random.pick(&['1', '2', '9']));
            set(&mut forged, digits);
        }
        "digit-after" => {
            let mut digits = digits;
            if digits.len() > 9 {
                return None;
            }
            digits.push(random.pick(&['1', '5', '9']));
            set(&mut forged, digits);
        }
        "day" => {
            let date = original["date"].as_str()?;
            let day: u32 = date[8..].parse().ok()?;
            let day = if day > 1 && random.chance(0.5) {
                day - 1
            } else {
                day + 1
            };
            forged["date"] = json!(format!("{}{day:02}", &date[..8]));
        }
        "name" => {
            let role = random.pick(&["preparer", "bookkeeper", "cashier"]);
            let mut name: Vec<char> = original[role].as_str()?.chars().collect();
            let place = random.below(name.len());
            let other: Vec<char> = vouchers::person(random).chars().collect();
            name[place] = other[place.min(other.len() - 1)];
            forged[role] = json!(name.into_iter().collect::<String>());
        }
        "name-alike" => {
            let role = random.pick(&["preparer", "bookkeeper", "cashier"]);
            let name = alike(original[role].as_str()?, random)?;
            forged[role] = json!(name);
        }
        "text-alike" => {
            let field = random.pick(&["account", "summary"]);
            let text = alike(original["lines"][at][field].as_str()?, random)?;
            forged["lines"][at][field] = json!(text);
        }
        "account" => {
            let mut other = vouchers::voucher(random, "payment");
            let line = other["lines"][0].take();
            forged["lines"][at]["account"] = line["account"].clone();
        }
        "summary" => {
            let mut other = vouchers::voucher(random, "payment");
            let line = other["lines"][0].take();
            forged["lines"][at]["summary"] = line["summary"].clone();
        }
        "line-removed" => {
            if debits.len() < 2 {
                return None;
            }
            forged["lines"].as_array_mut()?.remove(at);
            balance(&mut forged);
        }
        "line-added" => {
            let lines = forged["lines"].as_array_mut()?;
            if lines.len() > 5 {
                return None;
            }
            let mut other = vouchers::voucher(random, "payment");
            let mut line = other["lines"][0].take();
            line["debit"] = json!("1000.00");
            lines.insert(0, line);
            balance(&mut forged);
        }
        "amounts-exchanged" => {
            let other = *debits
                .iter()
                .find(|it| original["lines"][**it]["debit"] != original["lines"][at]["debit"])?;
            forged["lines"][at]["debit"] = original["lines"][other]["debit"].clone();
            forged["lines"][other]["debit"] = original["lines"][at]["debit"].clone();
        }
        "number" => {
            let mut number: Vec<char> = original["number"].as_str()?.chars().collect();
            let place = random.below(number.len());
            number[place] = random.pick(&['0', '1', '2', '3', '5', '8']);
            forged["number"] = json!(number.into_iter().collect::<String>());
        }
        "other-voucher" => {
            let form = original["type"].as_str()?.to_owned();
            forged = vouchers::voucher(random, &form);
        }
        _ => return None,
    }
    balance(&mut forged);
    (forged != *original).then_some(forged)
}
