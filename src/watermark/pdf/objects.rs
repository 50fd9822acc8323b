//! The objects of a PDF with a plain cross-reference table, as far as its pages need them.

use super::{Laid, POINTS_PER_MM};

/// Deepest tree of pages.
const DEPTH_MAX: usize = 16;
/// Most objects.
const OBJECTS_MAX: usize = 1 << 20;

/// An entry of a dictionary: its name, and its value as it is written.
pub(super) type Entry<'a> = (String, &'a [u8]);

/// A PDF's objects.
pub(super) struct Objects<'a> {
    content: &'a [u8],
    /// Where each object is; 0 for none.
    offsets: Vec<usize>,
    trailer: Vec<Entry<'a>>,
    /// Where the cross-reference table is.
    pub start: usize,
    /// The number of the next new object.
    pub count: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

fn skip(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte));
    &bytes[start.unwrap_or(bytes.len())..]
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let bytes = skip(bytes);
    let length = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = std::str::from_utf8(&bytes[..length]).ok()?.parse().ok()?;
    Some((number, &bytes[length..]))
}

/// The number of a reference such as `12 0 R`, and what follows.
fn reference(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (referred, rest) = number(bytes)?;
    let (_, rest) = number(rest)?;
    Some((referred, skip(rest).strip_prefix(b"R")?))
}

/// Length of the object at the beginning.
fn length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'<', b'<', ..] | [b'[', ..] => {
            let closing: &[u8] = if bytes[0] == b'[' { b"]" } else { b">>" };
            let mut rest = &bytes[if bytes[0] == b'[' { 1 } else { 2 }..];
            loop {
                rest = skip(rest);
                if let Some(after) = rest.strip_prefix(closing) {
                    return Some(bytes.len() - after.len());
                }
                rest = rest.get(length(rest)?..)?;
            }
        }
        [b'<', ..] => Some(bytes.iter().position(|byte| *byte == b'>')? + 1),
        [b'(', ..] => {
            let (mut depth, mut escaped) = (0, false);
            for (at, byte) in bytes.iter().enumerate() {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            None
        }
        [b'/', rest @ ..] => Some(1 + rest.iter().take_while(|byte| is_regular(**byte)).count()),
        [first, ..] if is_regular(*first) => match reference(bytes) {
            Some((_, rest)) => Some(bytes.len() - rest.len()),
            None => Some(bytes.iter().take_while(|byte| is_regular(**byte)).count()),
        },
        _ => None,
    }
}

/// The entries of a dictionary.
pub(super) fn dictionary(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut rest = skip(bytes).strip_prefix(b"<<")?;
    let mut entries = Vec::new();
    loop {
        rest = skip(rest);
        if rest.starts_with(b">>") {
            return Some(entries);
        }
        let name = rest.get(..length(rest)?)?;
        rest = skip(&rest[name.len()..]);
        let value = rest.get(..length(rest)?)?;
        rest = &rest[value.len()..];
        entries.push((
            String::from_utf8(name.strip_prefix(b"/")?.to_vec()).ok()?,
            value,
        ));
    }
}

fn entry<'a>(entries: &[Entry<'a>], name: &str) -> Option<&'a [u8]> {
    entries.iter().find(|it| it.0 == name).map(|it| it.1)
}

impl<'a> Objects<'a> {
    pub(super) fn read(content: &'a [u8]) -> Option<Objects<'a>> {
        let tail = content.len().saturating_sub(1_024);
        let marker = b"startxref";
        let at = content[tail..]
            .windows(marker.len())
            .rposition(|it| it == marker)?;
        let (start, _) = number(&content[tail + at + marker.len()..])?;
        let mut rest = content.get(start..)?.strip_prefix(b"xref")?;
        let mut offsets = Vec::new();
        while let Some((first, after)) = number(rest) {
            let (count, mut after) = number(after)?;
            if first != offsets.len() || first + count > OBJECTS_MAX {
                return None;
            }
            for _ in 0..count {
                let (offset, next) = number(after)?;
                let (_, next) = number(next)?;
                let used = skip(next).first() == Some(&b'n');
                offsets.push(if used { offset } else { 0 });
                after = skip(next).get(1..)?;
            }
            rest = after;
        }
        let trailer = dictionary(skip(rest).strip_prefix(b"trailer")?)?;
        // One that was updated already is not one that this program drew.
        let (count, _) = number(entry(&trailer, "Size")?)?;
        let plain = entry(&trailer, "Prev").is_none() && entry(&trailer, "Encrypt").is_none();
        (plain && count == offsets.len()).then_some(Objects {
            content,
            offsets,
            trailer,
            start,
            count,
        })
    }

    /// The object of a number, as it is written.
    fn object(&self, number_of: usize) -> Option<&'a [u8]> {
        let offset = *self.offsets.get(number_of).filter(|offset| **offset > 0)?;
        let (found, rest) = number(self.content.get(offset..)?)?;
        let (_, rest) = number(rest)?;
        let body = skip(skip(rest).strip_prefix(b"obj")?);
        (found == number_of).then_some(body)
    }

    /// A value, or what it refers to.
    fn resolved(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        match reference(value) {
            Some((number, _)) => self.object(number),
            None => Some(value),
        }
    }

    /// Number and dictionary of every page.
    pub(super) fn pages(&self) -> Option<Vec<(usize, &'a [u8])>> {
        let root = dictionary(self.resolved(entry(&self.trailer, "Root")?)?)?;
        let mut pages = Vec::new();
        self.collect(reference(entry(&root, "Pages")?)?.0, DEPTH_MAX, &mut pages)?;
        (!pages.is_empty()).then_some(pages)
    }

    fn collect(&self, node: usize, depth: usize, pages: &mut Vec<(usize, &'a [u8])>) -> Option<()> {
        let body = self.object(node)?;
        let entries = dictionary(body)?;
        let Some(kids) = entry(&entries, "Kids") else {
            pages.push((node, body));
            return Some(());
        };
        let depth = depth.checked_sub(1)?;
        let mut rest = self.resolved(kids)?.strip_prefix(b"[")?;
        while let Some((kid, after)) = reference(rest) {
            self.collect(kid, depth, pages)?;
            rest = after;
        }
        Some(())
    }

    /// A page's width and height in millimetres.
    pub(super) fn size(&self, page: &[Entry<'a>]) -> Option<(f64, f64)> {
        let media = self.resolved(entry(page, "MediaBox")?)?;
        let text = std::str::from_utf8(media.get(..length(media)?)?).ok()?;
        let sides: Vec<f64> = text
            .trim_matches(['[', ']'])
            .split_ascii_whitespace()
            .map_while(|it| it.parse().ok())
            .collect();
        match sides[..] {
            [0.0, 0.0, width, height] if entry(page, "Rotate").is_none() => {
                Some((width / POINTS_PER_MM, height / POINTS_PER_MM))
            }
            _ => None,
        }
    }

    /// What a page's content consists of, as references.
    pub(super) fn contents(&self, page: &[Entry<'a>]) -> Option<String> {
        let value = entry(page, "Contents")?;
        let text = std::str::from_utf8(value).ok()?;
        Some(text.trim_matches(['[', ']']).to_owned())
    }

    /// A page's resources with those of the mark.
    pub(super) fn resources(&self, page: &[Entry<'a>], laid: &Laid) -> Option<String> {
        let own = dictionary(self.resolved(entry(page, "Resources")?)?)?;
        let Laid {
            cells,
            wave,
            line,
            light,
            ..
        } = laid;
        let mut added = vec![
            (
                "XObject",
                format!("/VsCells {cells} 0 R/VsWave {wave} 0 R/VsLine {line} 0 R"),
            ),
            ("ExtGState", format!("/VsLight {light} 0 R")),
        ];
        let mut out = String::from("<<");
        for (name, value) in own {
            let text = match added.iter().position(|it| it.0 == name) {
                None => String::from_utf8(value.to_vec()).ok()?,
                Some(at) => {
                    let (_, more) = added.swap_remove(at);
                    let mut inside = String::from("<<");
                    for (name, value) in dictionary(self.resolved(value)?)? {
                        inside += &format!("/{name} {}", std::str::from_utf8(value).ok()?);
                    }
                    inside + &more + ">>"
                }
            };
            out += &format!("/{name} {text}");
        }
        for (name, text) in added {
            out += &format!("/{name}<<{text}>>");
        }
        Some(out + ">>")
    }

    /// What a new trailer has of the old one.
    pub(super) fn trailer_entries(&self) -> String {
        let kept = self
            .trailer
            .iter()
            .filter(|it| ["Root", "Info", "ID"].contains(&it.0.as_str()));
        // An identifier is written in hexadecimal digits, or it may be no text.
        let kept = kept.filter_map(|(name, value)| {
            Some(format!("/{name} {}", std::str::from_utf8(value).ok()?))
        });
        kept.collect()
    }
}
