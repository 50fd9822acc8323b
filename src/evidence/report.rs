//! What a verification found, in one form for people and programs.

use serde::Serialize;

use crate::digest::Digest;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Number of the entry concerned, if one can be named.
    pub seq: Option<u64>,
    /// The place in the tree, or the file, concerned.
    pub path: String,
    /// What was looked at, such as `entry` or `object voucher.json`.
    pub what: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// A text from outside as a terminal may show it: what is verified must not write over the answer.
fn shown(text: &str) -> String {
    let escaped = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(seq) = self.seq {
            write!(f, "entry {seq}, ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}, ", shown(&self.path))?;
        }
        write!(
            f,
            "{}: expected {}, found {}",
            shown(&self.what),
            shown(&self.expected),
            shown(&self.found)
        )
    }
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// True when nothing is wrong.
    pub ok: bool,
    /// The log's name.
    pub origin: String,
    /// Entries that the checkpoint signs.
    pub size: u64,
    /// The root that it signs.
    pub root: Option<Digest>,
    /// Entries that were read and checked.
    pub entries: u64,
    /// Entries that are not there on purpose, in the export of a part: only their hashes are.
    pub withheld: u64,
    /// Objects that were read and checked.
    pub objects: u64,
    /// Bytes of entries and objects that were read.
    pub bytes: u64,
    /// Checkpoints whose signature and root were checked.
    pub checkpoints: u64,
    /// Entries that a checkpoint covers which enough of the given witnesses cosigned; none were given or
    /// needed if it is absent.
    pub witnessed: Option<u64>,
    /// Time-stamps that were read; who gave them was judged only if certificates were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<u64>,
    /// Files beside a proof that it does not cover.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_covered: Vec<String>,
    /// The first thing that is wrong, in the order of the log.
    pub first: Option<Fault>,
    /// How many things are wrong.
    pub faults: u64,
}

/// A report that has found nothing yet.
impl Default for Report {
    fn default() -> Report {
        Report {
            ok: true,
            origin: String::new(),
            size: 0,
            root: None,
            entries: 0,
            withheld: 0,
            objects: 0,
            bytes: 0,
            checkpoints: 0,
            witnessed: None,
            timestamps: None,
            not_covered: Vec::new(),
            first: None,
            faults: 0,
        }
    }
}

impl Report {
    /// Takes in a fault; the earliest in the log is kept, faults without an entry come last.
    pub fn fault(&mut self, fault: Fault) {
        let rank = |fault: &Fault| fault.seq.unwrap_or(u64::MAX);
        self.ok = false;
        self.faults += 1;
        if self
            .first
            .as_ref()
            .is_none_or(|first| rank(&fault) < rank(first))
        {
            self.first = Some(fault);
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "log          {}", shown(&self.origin))?;
        writeln!(f, "signed size  {} entries", self.size)?;
        if let Some(root) = self.root {
            writeln!(f, "signed root  {root}")?;
        }
        writeln!(
            f,
            "checked      {} entries, {} objects, {} checkpoints, {} bytes",
            self.entries, self.objects, self.checkpoints, self.bytes
        )?;
        if self.withheld > 0 {
            writeln!(f, "a part       {} entries are withheld", self.withheld)?;
        }
        if let Some(witnessed) = self.witnessed {
            writeln!(f, "witnessed    {witnessed} entries")?;
        }
        if let Some(timestamps) = self.timestamps {
            writeln!(f, "time-stamps  {timestamps}")?;
        }
        if !self.not_covered.is_empty() {
            writeln!(f, "not covered  {}", shown(&self.not_covered.join(", ")))?;
        }
        match &self.first {
            None => write!(f, "result       all is well"),
            Some(first) => {
                writeln!(f, "result       NOT WELL: {} fault(s)", self.faults)?;
                write!(f, "first fault  {first}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_verified_cannot_write_over_the_answer() {
        let mut report = Report::default();
        report.fault(Fault {
            seq: None,
            path: "/a\u{1b}[2J\nresult       all is well".to_owned(),
            what: "entry".to_owned(),
            expected: String::new(),
            found: String::new(),
        });
        report.not_covered.push("\u{1b}[8m".to_owned());
        let text = report.to_string();
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(
            !text.lines().any(|line| line == "result       all is well"),
            "{text}"
        );
    }
}
