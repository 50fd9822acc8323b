use serde::{Deserialize, Deserializer, de};

/// The product's unit of length is 1/7200 inch, a hundredth of a printer's point: whole numbers of
/// it are exact in a PDF, and 72, 36 and 24 of it are a pixel at 100, 200 and 300 dots per inch.
pub const UNITS_PER_INCH: i32 = 7_200;
/// The largest length in millimetres that a template may name: the long side of A3.
const MILLIMETRES_MAX: f64 = 420.0;
const MILLIMETRES_PER_INCH: f64 = 25.4;

/// A length in units of 1/7200 inch; in a template a number of millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Length(pub i32);

impl Length {
    /// The nearest whole unit.
    pub fn from_millimetres(millimetres: f64) -> Length {
        Length((millimetres * f64::from(UNITS_PER_INCH) / MILLIMETRES_PER_INCH).round() as i32)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
        let millimetres = Number::deserialize(deserializer)?.0;
        if !(0.0..=MILLIMETRES_MAX).contains(&millimetres) {
            return Err(de::Error::custom(format!(
                "a length is between 0 and {MILLIMETRES_MAX} millimetres"
            )));
        }
        Ok(Length::from_millimetres(millimetres))
    }
}

/// A TOML integer or float.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A size of type in units; in a template a number of points from 4 to 72.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Points(i32);

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Points, D::Error> {
        let points = Number::deserialize(deserializer)?.0;
        if !(4.0..=72.0).contains(&points) {
            return Err(de::Error::custom("type has between 4 and 72 points"));
        }
        Ok(Points((points * 100.0).round() as i32))
    }
}

/// For serde: a size of type.
pub(super) fn points<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    Points::deserialize(deserializer).map(|points| points.0)
}

/// A place on a page, measured from its upper left corner; in a template `[x, y]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "[Length; 2]")]
pub struct Point {
    /// Units to the right of the page's left edge.
    pub x: i32,
    /// Units below the page's upper edge.
    pub y: i32,
}

impl From<[Length; 2]> for Point {
    fn from([x, y]: [Length; 2]) -> Point {
        Point { x: x.0, y: y.0 }
    }
}

/// A rectangle on a page; in a template `[x, y, width, height]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "[Length; 4]")]
pub struct Rectangle {
    /// Left edge, in units from the page's left edge.
    pub x: i32,
    /// Upper edge, in units from the page's upper edge.
    pub y: i32,
    /// Units to the right edge.
    pub width: i32,
    /// Units to the lower edge.
    pub height: i32,
}

impl From<[Length; 4]> for Rectangle {
    fn from([x, y, width, height]: [Length; 4]) -> Rectangle {
        Rectangle {
            x: x.0,
            y: y.0,
            width: width.0,
            height: height.0,
        }
    }
}

impl Rectangle {
    /// The coordinate of the right edge.
    pub fn right(&self) -> i32 {
        self.x.saturating_add(self.width)
    }

    /// The coordinate of the lower edge.
    pub fn bottom(&self) -> i32 {
        self.y.saturating_add(self.height)
    }

    /// The rectangle without a margin of `horizontal` units left and right and `vertical` above and below.
    pub fn inset(&self, horizontal: i32, vertical: i32) -> Rectangle {
        Rectangle {
            x: self.x + horizontal,
            y: self.y + vertical,
            width: (self.width - 2 * horizontal).max(0),
            height: (self.height - 2 * vertical).max(0),
        }
    }
}

/// A colour in sRGB; in a template `"#abc"`, one hexadecimal digit each of red, green and blue.
///
/// Sixteen steps a channel are what the archive's palette pictures keep, so the drawn colour is
/// exactly the written one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Colour {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

impl Colour {
    /// Black.
    pub const BLACK: Colour = Colour {
        red: 0,
        green: 0,
        blue: 0,
    };
    /// The red of negative amounts (红字) and of the rule before the hundredths.
    pub const RED: Colour = Colour {
        red: 0xCC,
        green: 0,
        blue: 0,
    };
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Colour, D::Error> {
        let text = String::deserialize(deserializer)?;
        let channels: Option<Vec<u8>> = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 3)
            .and_then(|digits| {
                let channel = |digit: char| digit.to_digit(16).map(|value| value as u8 * 0x11);
                digits.chars().map(channel).collect()
            });
        match channels.as_deref() {
            Some(&[red, green, blue]) => Ok(Colour { red, green, blue }),
            _ => Err(de::Error::custom(
                "a colour is \"#\" and three hexadecimal digits, such as \"#125\"",
            )),
        }
    }
}
