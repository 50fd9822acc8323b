//! People's verdicts on scans: they settle what could not be told and overrule what was decided, and what they said is
//! not decided again without them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use vouchsafe_evidence::entry::Object;

use super::documents::json as document;
use super::kind::{self, Draft};
use super::open::entry;
use super::rows::{VoucherRow, key, named};
use super::{Archive, ArchiveError, Caller, Condition, Filed, ImageSet, Records};
use crate::catalog::TreePath;
use crate::matching::{MATCH_MAX_BYTES, Verdict, settled_picture};
use crate::store::get_object;
use crate::voucher::Invalid;

/// Longest reason of a person, in bytes.
const REASON_MAX_BYTES: usize = 2_000;
/// Longest body that settles a match, in bytes.
pub const SETTLEMENT_MAX_BYTES: usize = 16 << 10;

/// What a person sends to settle a match.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settlement {
    verdict: String,
    reason: String,
}

/// What a person decided on a version of a voucher.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settled {
    pub verdict: Verdict,
    /// Which decision on the voucher it was, from 1.
    pub number: usize,
    /// The scans that they saw.
    pub scans: BTreeMap<String, u32>,
}

impl Settled {
    /// The scans that came since; none if one of those that the person saw is another now.
    pub fn added(&self, now: &BTreeMap<String, u32>) -> Option<Vec<String>> {
        let same = |(name, version): (&String, &u32)| now.get(name) == Some(version);
        let names = now.keys().filter(|name| !self.scans.contains_key(*name));
        self.scans
            .iter()
            .all(same)
            .then(|| names.cloned().collect())
    }

    /// What holds when more has come, in which the archive sees something: what the person decided, if that agrees or
    /// is not about the voucher at all, and else nothing, until a person looks again.
    pub fn weigh(&self, seen: Verdict, about_this: bool) -> (Verdict, String) {
        let decided = format!(
            "a person decided {} (match.json?version={})",
            self.verdict.word(),
            self.number
        );
        if seen == self.verdict {
            return (seen, format!("{decided}; what is there now agrees"));
        }
        if !about_this {
            let why = format!("{decided}; what came since does not show this voucher");
            return (self.verdict, why);
        }
        let why = format!("{decided}; what came since has to be looked at by a person");
        (Verdict::Unsure, why)
    }
}

impl Records {
    /// What a person last decided on the version that the voucher has now.
    pub(super) fn settled(&self, row: &VoucherRow) -> Result<Option<Settled>, ArchiveError> {
        let current = row.versions.len() as u32;
        let decisions = row.decisions.iter().enumerate().rev();
        for (index, decision) in decisions.take_while(|it| it.1.version == current) {
            let decided: kind::MatchDecided = kind::body(&entry(&*self.store, decision.seq)?)?;
            if decided.by_person {
                return Ok(Some(Settled {
                    verdict: decided.verdict,
                    number: index + 1,
                    scans: decided.scans,
                }));
            }
        }
        Ok(None)
    }

    /// The picture of the archive's own last comparison of all that a voucher has now, if it made one.
    fn compared_picture(&self, row: &VoucherRow) -> Result<Option<Object>, ArchiveError> {
        let (version, scans) = (row.versions.len() as u32, row.scan_versions());
        let decisions = row.decisions.iter().rev();
        for decision in decisions.take_while(|it| it.version == version && it.scans == scans) {
            let decided: kind::MatchDecided = kind::body(&entry(&*self.store, decision.seq)?)?;
            if !decided.by_person {
                return Ok(named(&decision.objects, "match.png").cloned());
            }
        }
        Ok(None)
    }
}

impl Archive {
    /// Lets a person settle what could not be told, or overrule what was decided, with a reason.
    pub fn settle_match(
        &self,
        caller: &Caller,
        place: &TreePath,
        content: &[u8],
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        self.records.may_review(caller, place)?;
        self.check_room()?;
        let settled = self.settle(caller, place, content, condition.clone());
        self.log_refusal(caller, place, settled)
    }

    fn settle(
        &self,
        caller: &Caller,
        place: &TreePath,
        content: &[u8],
        condition: Condition,
    ) -> Result<Filed, ArchiveError> {
        let hint =
            r#"send {"verdict":"match","reason":"…"} or {"verdict":"mismatch","reason":"…"}"#;
        let invalid = |field: &str, why: String| ArchiveError::from(Invalid::new(field, why, hint));
        let sent: Settlement = Invalid::read(content, hint)?;
        let verdict = match sent.verdict.as_str() {
            "match" => Verdict::Match,
            "mismatch" => Verdict::Mismatch,
            _ => return Err(invalid("verdict", "neither match nor mismatch".to_owned())),
        };
        let reason = sent.reason.trim();
        if reason.is_empty() || reason.len() > REASON_MAX_BYTES {
            let why = format!("a reason has 1 to {REASON_MAX_BYTES} bytes");
            return Err(invalid("reason", why));
        }
        let row: Option<VoucherRow> = self.records.row(&key::voucher(&place.to_string()))?;
        let row = row.ok_or_else(|| ArchiveError::Absent(place.to_string()))?;
        if self.records.prepared(caller, &row)? {
            return Err(ArchiveError::denied(
                format!(
                    "{} prepared {place}, and nobody decides on what they prepared",
                    caller.name
                ),
                "ask another reviewer",
            ));
        }
        if row.scans.is_empty() {
            let error = format!("no scan of {place} has come");
            return Err(ArchiveError::conflict(error, "upload scan-1.jpg first"));
        }
        let (version, scans) = (row.versions.len() as u32, row.scan_versions());
        let before = row
            .decision()
            .and_then(|it| it.objects.first())
            .map(|it| it.blake3);
        let report = json!({
            "image_set": ImageSet::from(verdict), "voucher_version": version, "scans": scans,
            "decided_by": caller.name, "reason": reason, "overrules": before,
        });
        let mut objects = vec![self.put("match.json", "application/json", &document(&report)?)?];
        if let Some(object) = self.records.compared_picture(&row)? {
            let compared = get_object(&*self.records.store, &object.blake3, MATCH_MAX_BYTES)?;
            let why = format!("{}: {reason}", caller.name);
            let settled = |it: Vec<u8>| settled_picture(&self.renderer, &it, verdict, &why);
            // What is too large to be drawn on stays as it was.
            objects.push(match compared.and_then(settled) {
                Some(picture) => self.put("match.png", "image/png", &picture)?,
                None => object,
            });
        }
        let body = kind::MatchDecided {
            verdict,
            version,
            scans: scans.clone(),
            by_person: true,
        };
        let draft = Draft::new(&caller.id, kind::MATCH_DECIDED, place, &body)?;
        let path = place.to_string();
        self.commit(move |desk| {
            let row: VoucherRow = desk.rows.get(&key::voucher(&path))?.unwrap_or_default();
            // What `match.json` shows is the last decision, even if something newer came.
            let shown = row.decisions.last();
            condition.check(shown.and_then(|it| named(&it.objects, "match.json")))?;
            if row.versions.len() as u32 != version || row.scan_versions() != scans {
                let error = format!("something newer came to {path}");
                return Err(ArchiveError::conflict(error, "look at it again first"));
            }
            desk.write(draft.with(objects));
            Ok(Filed::new(row.decisions.len() as u32 + 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_verdict_stays_or_waits_for_a_person() {
        let settled = |verdict| Settled {
            verdict,
            number: 2,
            scans: BTreeMap::from([("scan-1.jpg".to_owned(), 1)]),
        };
        use Verdict::{Match, Mismatch, Unsure};
        for (decided, seen, about_this, holds) in [
            (Match, Match, true, Match),
            (Mismatch, Mismatch, true, Mismatch),
            (Match, Mismatch, true, Unsure),
            (Match, Unsure, true, Unsure),
            (Mismatch, Match, true, Unsure),
            (Mismatch, Unsure, false, Mismatch),
            (Match, Unsure, false, Match),
        ] {
            let (verdict, why) = settled(decided).weigh(seen, about_this);
            assert_eq!(verdict, holds, "{decided:?}, then {seen:?}: {why}");
            assert!(why.contains("match.json?version=2"), "{why}");
        }
        let scans = |list: &[(&str, u32)]| {
            let each = list
                .iter()
                .map(|(name, version)| ((*name).to_owned(), *version));
            each.collect::<BTreeMap<_, _>>()
        };
        let added = |now: &[(&str, u32)]| settled(Match).added(&scans(now));
        assert_eq!(
            added(&[("scan-1.jpg", 1), ("scan-2.jpg", 1)]),
            Some(vec!["scan-2.jpg".to_owned()])
        );
        assert_eq!(added(&[("scan-1.jpg", 2)]), None);
    }
}
