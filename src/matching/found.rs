//! A page of the form as it was found on a page of a scan, and how findings become a report.

use std::sync::Arc;

use super::claim::Claim;
use super::form::Area;
use super::register::Registration;
use super::report::{FieldReport, PageReport, SlotReport, Verdict, bounds, original, thousandths};
use super::verdict::Decision;
use crate::render::PagePixels;

/// What a field's name must not begin with to be a value of the voucher.
const NO_VALUES: [&str; 3] = ["place", "digest", "page."];

/// Whether a field says something of the voucher, and not only of where and how it is printed.
pub(super) fn is_value(name: &str) -> bool {
    !NO_VALUES.iter().any(|prefix| name.starts_with(prefix))
}

/// A field of a page that was found, and what was decided on it.
pub(super) struct FoundField {
    pub name: String,
    /// What should be there.
    pub text: String,
    /// Where, in pixels of the form.
    pub area: Area,
    pub decision: Decision,
}

/// A page of the form as it was found on a page of the scan.
pub(super) struct FoundPage {
    pub form_page: usize,
    pub scan_page: usize,
    /// The scan's file, where there are several.
    pub scan_name: String,
    pub registration: Registration,
    /// The page of the scan.
    pub picture: Arc<PagePixels>,
    pub factor: f64,
    pub own_type: bool,
    pub type_fit: f32,
    pub slots: Vec<SlotReport>,
    pub fields: Vec<FoundField>,
    pub sound: bool,
}

/// The report's first sentence.
pub(super) fn reason(
    fields: &[FieldReport],
    found: &[Option<FoundPage>],
    unread: &[String],
) -> String {
    let Some((first, others)) = unread.split_first() else {
        return reason_of_read(fields, found);
    };
    let others: String = others.iter().map(|it| format!("; {it}")).collect();
    let not_read = format!("not read: {first}{others}");
    match found.iter().all(Option::is_none) {
        true => not_read,
        false => format!("{}; {not_read}", reason_of_read(fields, found)),
    }
}

fn reason_of_read(fields: &[FieldReport], found: &[Option<FoundPage>]) -> String {
    if found.iter().all(Option::is_none) {
        return "the voucher was not found on the scan".to_owned();
    }
    if let Some(missing) = found.iter().position(Option::is_none) {
        return format!(
            "page {} of the voucher was not found on the scan",
            missing + 1
        );
    }
    if let Some(page) = found.iter().flatten().find(|page| !page.sound) {
        return format!(
            "page {} lies on the scan in a way that cannot be relied on",
            page.form_page + 1
        );
    }
    let count = |of: Verdict| fields.iter().filter(|it| it.verdict == of).count();
    match (count(Verdict::Mismatch), count(Verdict::Unsure)) {
        (0, 0) => format!("all {} fields agree", fields.len()),
        (0, open) => format!("{open} of {} fields cannot be told", fields.len()),
        (differing, _) => format!("{differing} of {} fields differ", fields.len()),
    }
}

/// A field of a page that was not found.
pub(super) fn lost(claim: &Claim) -> FieldReport {
    FieldReport {
        name: claim.name.clone(),
        verdict: Verdict::Unsure,
        score: 0.5,
        expected: claim.as_written("").0,
        seen: String::new(),
        area: [0; 4],
        reason: "its page was not found on the scan".to_owned(),
        votes: Default::default(),
    }
}

pub(super) fn unfound() -> Decision {
    Decision {
        verdict: Verdict::Unsure,
        score: 0.5,
        seen: String::new(),
        reason: "the form was not found well enough".to_owned(),
        votes: Default::default(),
        displaced: false,
    }
}

/// Puts a field beside the others, or into the one of the same name: a value on two pages is one value.
pub(super) fn merge(fields: &mut Vec<FieldReport>, next: FieldReport) {
    let Some(known) = fields.iter_mut().find(|known| known.name == next.name) else {
        fields.push(next);
        return;
    };
    if known.takes(&next) {
        (known.area, known.seen, known.expected) = (next.area, next.seen, next.expected);
    }
}

/// The fields with those of a date, which may be printed in three places, as one.
pub(super) fn with_one_date(fields: Vec<FieldReport>) -> Vec<FieldReport> {
    let is_whole = |name: &str| matches!(name, "date" | "date.long");
    let whole = fields.iter().any(|it| is_whole(&it.name));
    let mut all: Vec<FieldReport> = Vec::new();
    for mut next in fields {
        let is_part = next.name.starts_with("date.") && !is_whole(&next.name);
        if !is_part && !is_whole(&next.name) {
            all.push(next);
            continue;
        }
        next.name = "date".to_owned();
        let Some(known) = all.iter_mut().find(|known| known.name == next.name) else {
            all.push(next);
            continue;
        };
        known.takes(&next);
        if !is_part {
            (known.area, known.seen, known.expected) = (next.area, next.seen, next.expected);
        } else if !whole {
            known.expected = format!("{}-{}", known.expected, next.expected);
            known.seen = format!("{}-{}", known.seen, next.seen);
            let right = (known.area[0] + known.area[2]).max(next.area[0] + next.area[2]);
            let bottom = (known.area[1] + known.area[3]).max(next.area[1] + next.area[3]);
            known.area[0] = known.area[0].min(next.area[0]);
            known.area[1] = known.area[1].min(next.area[1]);
            known.area[2] = right - known.area[0];
            known.area[3] = bottom - known.area[1];
        }
    }
    all
}

impl FieldReport {
    /// Counts another finding of the same value; whether it is the worse one.
    fn takes(&mut self, next: &FieldReport) -> bool {
        let worse = next.score < self.score || next.verdict.and(self.verdict) != self.verdict;
        if worse {
            self.score = self.score.min(next.score);
            self.reason.clone_from(&next.reason);
            self.votes = next.votes;
        }
        self.verdict = self.verdict.and(next.verdict);
        worse
    }
}

impl FoundPage {
    pub fn verdict(&self) -> Verdict {
        let each = self.fields.iter().map(|field| field.decision.verdict);
        each.fold(Verdict::Match, Verdict::and)
    }

    /// Which of two findings in different scans counts.
    pub fn weight(&self) -> u8 {
        match (self.sound, self.verdict()) {
            (true, Verdict::Mismatch) => 3,
            (true, Verdict::Match) => 2,
            (true, Verdict::Unsure) => 1,
            (false, _) => 0,
        }
    }

    /// Whether this counts rather than another finding in the same scan: of two that name the voucher by their marks,
    /// the one that shows something else; of others the better one, because they may be of other vouchers.
    pub fn outweighs(&self, known: &FoundPage) -> bool {
        let named = |it: &FoundPage| it.registration.named && it.sound;
        match (named(self), named(known)) {
            (true, true) => self.weight() > known.weight(),
            (true, false) => true,
            (false, true) => false,
            (false, false) => self.rank() > known.rank(),
        }
    }

    /// Which of two findings of a page is the voucher: the one that agrees in more fields.
    pub fn rank(&self) -> (bool, usize, usize) {
        let each = self.fields.iter();
        let count = |of: Verdict| each.clone().filter(|it| it.decision.verdict == of).count();
        (self.sound, count(Verdict::Match), count(Verdict::Unsure))
    }

    pub fn report(&self) -> PageReport {
        PageReport {
            page: self.form_page + 1,
            scan: self.scan_name.clone(),
            scan_page: Some(self.scan_page + 1),
            homography: Some(original(&self.registration.map, self.factor)),
            found: thousandths(self.registration.found),
            residual: thousandths(self.registration.residual),
            own_type: self.own_type,
            type_fit: thousandths(self.type_fit),
            slots: self.slots.clone(),
        }
    }

    pub fn field(&self, field: &FoundField) -> FieldReport {
        let FoundField {
            name,
            text,
            area,
            decision,
        } = field;
        let corners = [
            (area.left, area.top),
            (area.right, area.top),
            (area.right, area.bottom),
            (area.left, area.bottom),
        ]
        .map(|(x, y)| self.registration.locate(x, y));
        FieldReport {
            name: name.clone(),
            verdict: decision.verdict,
            score: decision.score,
            expected: text.clone(),
            seen: decision.seen.clone(),
            area: bounds(corners, self.factor),
            reason: decision.reason.clone(),
            votes: decision.votes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, text: &str, verdict: Verdict, left: i64) -> FieldReport {
        FieldReport {
            name: name.to_owned(),
            verdict,
            score: if verdict == Verdict::Match { 1.0 } else { 0.3 },
            expected: text.to_owned(),
            seen: text.to_owned(),
            area: [left, 10, 20, 10],
            reason: format!("{verdict:?}"),
            votes: Default::default(),
        }
    }

    #[test]
    fn a_date_in_three_places_on_two_pages_is_one_and_has_all_of_its_parts() {
        let mut fields = Vec::new();
        for _page in 0..2 {
            // The month's figures are in the year's as well.
            for (name, text, left) in [("year", "2024", 0), ("month", "02", 40), ("day", "02", 80)]
            {
                let name = format!("date.{name}");
                merge(&mut fields, field(&name, text, Verdict::Match, left));
            }
            merge(&mut fields, field("number", "0001", Verdict::Match, 0));
        }
        merge(&mut fields, field("date.day", "02", Verdict::Unsure, 80));
        let fields = with_one_date(fields);
        let names: Vec<&str> = fields.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["date", "number"]);
        let date = &fields[0];
        assert_eq!(
            (date.expected.as_str(), date.area),
            ("2024-02-02", [0, 10, 100, 10])
        );
        assert_eq!(
            (date.verdict, date.reason.as_str()),
            (Verdict::Unsure, "Unsure")
        );
    }

    #[test]
    fn a_date_that_is_printed_whole_and_in_parts_is_one_and_reads_as_the_whole() {
        let whole = field("date", "2024-02-13", Verdict::Match, 200);
        let day = field("date.day", "13", Verdict::Unsure, 80);
        for fields in [[whole.clone(), day.clone()], [day, whole]] {
            let fields = with_one_date(fields.to_vec());
            let said = |it: &FieldReport| (it.expected.clone(), it.verdict);
            let said: Vec<_> = fields.iter().map(said).collect();
            assert_eq!(said, [("2024-02-13".to_owned(), Verdict::Unsure)]);
        }
    }
}
