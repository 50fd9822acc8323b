//! The reviewed renditions: the voucher as it was drawn, with the seals of those who prepared and reviewed it.

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Object;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::statement::Decision;

use super::documents::rfc3339;
use super::kind;
use super::open::entry;
use super::renditions::{DOTS_PER_INCH, Source, draw};
use super::rows::{VoucherRow, named};
use super::{Archive, ArchiveError};
use crate::catalog::TreePath;
use crate::render::Stamp;
use crate::voucher::template::Locale;

/// Hex digits of the signed note's SHA-256 in the code of a seal: 88 bits.
const CODE_DIGITS: usize = 22;

/// A review as its seal shows it.
pub(super) struct Seal<'a> {
    pub decision: Decision,
    /// Name of the reviewer.
    pub reviewer: &'a str,
    /// When, by RFC 3339.
    pub time: &'a str,
    /// Id of the key (C2SP signed-note).
    pub key: [u8; 4],
    /// The signed note.
    pub note: &'a str,
}

/// What a seal says was done, in the form's language.
fn words(locale: Locale, decision: Option<Decision>) -> &'static str {
    let chinese = locale == Locale::Chinese;
    match (decision, chinese) {
        (None | Some(Decision::Submit), true) => "制单",
        (None | Some(Decision::Submit), false) => "prepared",
        (Some(Decision::Approve), true) => "审核",
        (Some(Decision::Approve), false) => "approved",
        (Some(Decision::Reject), true) => "退回",
        (Some(Decision::Reject), false) => "rejected",
    }
}

impl Archive {
    /// Draws the current version of a voucher again, by the template of that day, with the seals of its preparer and of
    /// this review.
    pub(super) fn reviewed_renditions(
        &self,
        place: &TreePath,
        row: &VoucherRow,
        seal: &Seal<'_>,
    ) -> Result<Vec<Object>, ArchiveError> {
        let missing = || ArchiveError::Broken(format!("{place} has no version"));
        let version = row.versions.last().ok_or_else(missing)?;
        let store = &*self.records.store;
        let by = entry(store, version.seq)?;
        let filed: kind::VoucherFiled = kind::body(&by)?;
        let data = named(&version.objects, "voucher.json");
        let source = Source::read(store, data.map(|it| &it.blake3), &filed.template_blake3)?;
        let locale = source.template.locale;
        let date = |time: &str| time.get(..10).unwrap_or(time).to_owned();
        // A preparer who signed has a key and a code; one who only filed it has the entry that says so.
        let submission = row.submission();
        let submitted = self.submitted_note(row)?;
        let signer = submitted.as_ref().and_then(|note| {
            let note = Note::parse(note.as_bytes()).ok()?;
            note.key_ids().next()
        });
        let key = |id: &[u8; 4]| format!("key {}", vouchsafe_evidence::digest::to_hex(id));
        let prepared = submission.map_or(version.time, |it| it.time);
        let stamps = [
            Stamp {
                slot: "signature.preparer".to_owned(),
                lines: [
                    submission.map_or_else(
                        || source.voucher.preparer.clone(),
                        |it| self.records.name_of(&it.person),
                    ),
                    format!("{} {}", words(locale, None), date(&rfc3339(prepared))),
                    signer.map_or_else(|| format!("entry {}", version.seq), |id| key(&id)),
                ],
                code: submitted.as_deref().map(proof_code),
            },
            Stamp {
                slot: "signature.reviewer".to_owned(),
                lines: [
                    seal.reviewer.to_owned(),
                    format!("{} {}", words(locale, Some(seal.decision)), date(seal.time)),
                    key(&seal.key),
                ],
                code: Some(proof_code(seal.note)),
            },
        ];
        let Source {
            template,
            voucher,
            data,
        } = &source;
        let drawing = draw(&self.renderer, template, voucher, place, data)?;
        let stamped = self.renderer.stamped(&drawing, &stamps);
        let pdf = self.renderer.pdf(&stamped, data)?;
        let png = self
            .renderer
            .png(&pdf, stamped.png_resolution(DOTS_PER_INCH))?;
        Ok(vec![
            self.put("reviewed.png", "image/png", &png)?,
            self.put("reviewed.pdf", "application/pdf", &pdf)?,
        ])
    }
}

/// What the code of a seal says: it leads to the signed note, `review.note`, whose digest begins so.
fn proof_code(note: &str) -> String {
    let digest = Digest::sha256(note.as_bytes()).to_string();
    format!("vouchsafe:{}", &digest[..CODE_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_seal_is_short_enough_to_be_drawn() {
        let code = proof_code("a note");
        assert_eq!(
            code,
            format!("vouchsafe:{}", &Digest::sha256(b"a note").to_string()[..22])
        );
        assert!(code.len() <= 32);
    }

    #[test]
    fn seals_speak_the_language_of_the_form() {
        assert_eq!(words(Locale::Chinese, Some(Decision::Reject)), "退回");
        assert_ne!(
            words(Locale::British, Some(Decision::Approve)),
            words(Locale::British, None)
        );
    }
}
