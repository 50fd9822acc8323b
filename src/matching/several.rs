//! Several scans of one voucher become one comparison: attachments, pages one by one, the same page again.

use super::compare::{Comparison, Form, Matcher};
use super::decode::DecodeError;
use super::found::FoundPage;

/// The scans of one voucher, added one after the other, so that one at a time has to be in memory.
pub struct SeveralScans<'a> {
    matcher: &'a Matcher,
    form: &'a Form,
    found: Vec<Option<FoundPage>>,
    unread: Vec<String>,
}

impl Matcher {
    /// A comparison of several scans with `form`.
    pub fn several<'a>(&'a self, form: &'a Form) -> SeveralScans<'a> {
        SeveralScans {
            matcher: self,
            form,
            found: form.pages.iter().map(|_| None).collect(),
            unread: Vec::new(),
        }
    }
}

impl SeveralScans<'_> {
    /// Compares one more. A page of the form that some scan shows otherwise is not shown, whatever the others show. One
    /// that cannot be read hides nothing of the others; only [`DecodeError::Busy`], which says nothing of the file, is
    /// an error.
    pub fn add(&mut self, name: &str, scan: &[u8]) -> Result<(), DecodeError> {
        let comparison = match self.matcher.compare(self.form, scan) {
            Ok(comparison) => comparison,
            Err(busy @ DecodeError::Busy(_)) => return Err(busy),
            Err(error) => {
                self.add_unread(name, &error.to_string());
                return Ok(());
            }
        };
        for (known, found) in self.found.iter_mut().zip(comparison.found) {
            let Some(found) = found else {
                continue;
            };
            let weighs_more = |known: &FoundPage| found.weight() > known.weight();
            if known.as_ref().is_none_or(weighs_more) {
                let scan_name = name.to_owned();
                *known = Some(FoundPage { scan_name, ..found });
            }
        }
        Ok(())
    }

    /// Notes one that could not be compared, and why: it may show anything.
    pub fn add_unread(&mut self, name: &str, why: &str) {
        self.unread.push(format!("{name}: {why}"));
    }

    /// What all of them show together: with one that was not read, never a match.
    pub fn finish(self) -> Comparison {
        let report = self.matcher.report(self.form, &self.found, self.unread);
        Comparison {
            report,
            found: self.found,
        }
    }
}
