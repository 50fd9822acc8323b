//! What a reviewer or a preparer signs: a statement of everything that was decided on, one fact a line.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// First line of every statement: what it is, and the version of its form.
const HEADING: &str = "vouchsafe/review/v1";
/// Most files that a statement names.
const FILES_MAX: usize = 2_000;

/// What somebody decides on a voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is in order.
    Approve,
    /// It goes back to whoever prepared it; its next version starts anew.
    Reject,
    /// Whoever prepared it stands by it; it is for others to decide.
    Submit,
}

impl Decision {
    /// The word that files, entries and statements have.
    pub fn word(self) -> &'static str {
        match self {
            Decision::Approve => "approve",
            Decision::Reject => "reject",
            Decision::Submit => "submit",
        }
    }

    /// What the person who decides so is.
    fn person(self) -> &'static str {
        match self {
            Decision::Approve | Decision::Reject => "reviewer",
            Decision::Submit => "preparer",
        }
    }

    /// The decision of this word.
    pub fn parse(word: &str) -> Option<Decision> {
        [Decision::Approve, Decision::Reject, Decision::Submit]
            .into_iter()
            .find(|decision| decision.word() == word)
    }
}

/// Why a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a review statement: line {0}")]
pub struct StatementError(pub usize);

/// What a reviewer or a preparer signs, as text of one fact a line: everything that was decided on, by its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Origin of the archive's log.
    pub archive: String,
    /// The voucher's path.
    pub path: String,
    /// Which version of the voucher.
    pub version: u32,
    /// The id in the log of the reviewer, or of the preparer who submits it.
    pub person: String,
    /// What was decided.
    pub decision: Decision,
    /// SHA-256 of the comment in UTF-8; that of nothing where there is none.
    pub comment: Digest,
    /// How far the voucher's pictures were complete.
    pub image_set: String,
    /// When, by RFC 3339.
    pub time: String,
    /// Names and SHA-256 of the files that were decided on: data, renditions, scans, the match.
    pub files: Vec<(String, Digest)>,
}

impl Statement {
    /// The text that is signed; it ends with a newline.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{HEADING}\narchive {}\npath {}\nversion {}\n{} {}\ndecision {}\ncomment sha256:{}\nimage-set {}\ntime {}\n",
            self.archive,
            self.path,
            self.version,
            self.decision.person(),
            self.person,
            self.decision.word(),
            self.comment,
            self.image_set,
            self.time,
        );
        for (name, digest) in &self.files {
            text.push_str(&format!("file sha256:{digest} {name}\n"));
        }
        text
    }

    /// Reads the text of a statement. What it reads, [`Statement::text`] writes again to the byte.
    pub fn parse(text: &str) -> Result<Statement, StatementError> {
        let whole = text.strip_suffix('\n').ok_or(StatementError(0))?;
        let mut lines = (1..).zip(whole.split('\n'));
        // A line that begins with one of these words.
        let mut line = |words: &[&str]| {
            let (number, line) = lines.next().ok_or(StatementError(0))?;
            let rest = words.iter().find_map(|word| line.strip_prefix(word));
            rest.map(|rest| (number, rest))
                .ok_or(StatementError(number))
        };
        let (at, rest) = line(&[HEADING])?;
        if !rest.is_empty() {
            return Err(StatementError(at));
        }
        let mut either = |words: &[&str]| {
            let (number, rest) = line(words)?;
            rest.strip_prefix(' ')
                .filter(|rest| !rest.is_empty())
                .map(|rest| (number, rest))
                .ok_or(StatementError(number))
        };
        let people = [Decision::Approve.person(), Decision::Submit.person()];
        let digest = |(number, text): (usize, &str)| {
            let digits = text.strip_prefix("sha256:").ok_or(StatementError(number))?;
            digits.parse().map_err(|_| StatementError(number))
        };
        let archive = either(&["archive"])?.1.to_owned();
        let path = either(&["path"])?.1.to_owned();
        let (at, version) = either(&["version"])?;
        let version: u32 = version.parse().map_err(|_| StatementError(at))?;
        let person = either(&people)?.1.to_owned();
        let (at, decision) = either(&["decision"])?;
        let decision = Decision::parse(decision).ok_or(StatementError(at))?;
        let comment = digest(either(&["comment"])?)?;
        let image_set = either(&["image-set"])?.1.to_owned();
        let time = either(&["time"])?.1.to_owned();
        let mut files = Vec::new();
        for (number, line) in lines {
            let wrong = StatementError(number);
            let rest = line.strip_prefix("file ").ok_or(wrong.clone())?;
            let (sum, name) = rest.split_once(' ').ok_or(wrong.clone())?;
            if name.is_empty() || files.len() == FILES_MAX {
                return Err(wrong);
            }
            files.push((name.to_owned(), digest((number, sum))?));
        }
        let statement = Statement {
            archive,
            path,
            version,
            person,
            decision,
            comment,
            image_set,
            time,
            files,
        };
        // One text for each statement: no second spelling of a number or a digest.
        if statement.text() == text {
            Ok(statement)
        } else {
            Err(StatementError(0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn statement() -> Statement {
        Statement {
            archive: "vouchsafe/b1542402cf8f".to_owned(),
            path: "/样例 公司/主账套/2024-03/payment/0001".to_owned(),
            version: 2,
            person: "u3".to_owned(),
            decision: Decision::Approve,
            comment: Digest::sha256("附件不全, 已补".as_bytes()),
            image_set: "complete".to_owned(),
            time: "2026-11-25T08:00:00.000Z".to_owned(),
            files: vec![("voucher.json".to_owned(), Digest::sha256(b"data"))],
        }
    }

    #[test]
    fn a_statement_reads_back_and_is_one_fact_a_line() {
        let text = statement().text();
        assert_eq!(text.lines().count(), 10);
        assert!(
            text.starts_with(
                "vouchsafe/review/v1\narchive vouchsafe/b1542402cf8f\npath /样例 公司/"
            )
        );
        assert_eq!(Statement::parse(&text), Ok(statement()));
    }

    #[test]
    fn a_preparer_submits_and_a_reviewer_decides() {
        let submitted = Statement {
            decision: Decision::Submit,
            ..statement()
        };
        let text = submitted.text();
        assert!(text.contains("\npreparer u3\ndecision submit\n"));
        assert_eq!(Statement::parse(&text), Ok(submitted));
        let crossed = text.replace("preparer u3", "reviewer u3");
        assert_eq!(Statement::parse(&crossed), Err(StatementError(0)));
    }

    #[test]
    fn what_is_no_statement_names_its_line() {
        let text = statement().text();
        for (from, to, line) in [
            ("review/v1", "review/v2", 1),
            ("version 2", "version two", 4),
            ("version 2", "version 02", 0),
            ("approve", "perhaps", 6),
            ("comment sha256:", "comment md5:", 7),
            ("file sha256:", "file:", 10),
        ] {
            let altered = text.replacen(from, to, 1);
            assert_eq!(
                Statement::parse(&altered),
                Err(StatementError(line)),
                "{to}"
            );
        }
        assert_eq!(Statement::parse(text.trim_end()), Err(StatementError(0)));
    }

    proptest! {
        #[test]
        fn hostile_texts_never_panic_and_round_trip(text in "(\\PC|\n){0,80}", cut in 0usize..400) {
            prop_assert!(Statement::parse(&text).is_err());
            let own = statement().text();
            let cut: String = own.chars().take(cut).collect();
            if let Ok(read) = Statement::parse(&cut) {
                prop_assert_eq!(read.text(), cut);
            }
        }
    }
}
