//! Filing: voucher data comes in, is checked, drawn and put in its place.

use vouchsafe_evidence::digest::{Digest, content_digests};
use vouchsafe_evidence::entry::Object;

use super::kind::{self, Draft};
use super::node::etag;
use super::renditions::Renditions;
use super::rows::{TemplateRow, VoucherRow, key};
use super::{Archive, ArchiveError, Caller};
use crate::catalog::TreePath;
use crate::render::{RenderError, Warning};
use crate::store::put_object;
use crate::voucher::{Invalid, Voucher};

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filed {
    /// Filed.
    New {
        /// Which version it is of what is at the place.
        version: u32,
        /// What could not be drawn as it should be, in words.
        warnings: Vec<String>,
    },
    /// The same bytes were there already, as this version; nothing was written.
    Unchanged(u32),
}

impl Filed {
    /// Filed as this version, with nothing to say about it.
    pub(super) fn new(version: u32) -> Filed {
        Filed::New {
            version,
            warnings: Vec::new(),
        }
    }
}

/// What the sender makes a condition of filing (RFC 9110, section 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// None.
    Always,
    /// Nothing may be there yet (`If-None-Match: *`).
    Absent,
    /// What is there must have one of these entity tags (`If-Match`).
    Current(Vec<String>),
    /// What is there must have none of these entity tags (`If-None-Match`).
    Other(Vec<String>),
    /// Something must be there (`If-Match: *`).
    Present,
}

impl Condition {
    /// Checks the condition against what is there.
    pub(super) fn check(&self, current: Option<&Object>) -> Result<(), ArchiveError> {
        let tag = current.map(|object| etag(&object.blake3));
        let holds = match (self, &tag) {
            (Condition::Always, _) | (Condition::Absent, None) | (Condition::Present, Some(_)) => {
                true
            }
            (Condition::Current(tags), Some(tag)) => tags.contains(tag),
            (Condition::Other(tags), Some(tag)) => !tags.contains(tag),
            (Condition::Other(_), None) => true,
            _ => false,
        };
        if holds {
            return Ok(());
        }
        Err(ArchiveError::Precondition(match tag {
            Some(_) => "something else is filed there".to_owned(),
            None => "nothing is filed there".to_owned(),
        }))
    }
}

impl From<RenderError> for ArchiveError {
    fn from(error: RenderError) -> ArchiveError {
        match error {
            RenderError::TooManyPages { .. } | RenderError::PictureTooLarge { .. } => {
                Invalid::new("lines", error.to_string(), "split the voucher").into()
            }
            RenderError::Resolution(_) | RenderError::Pdf(_) | RenderError::Picture(_) => {
                ArchiveError::Fault(error.to_string())
            }
        }
    }
}

impl Archive {
    /// Files voucher data at `place`, the folder that it was sent to, after it was checked and drawn.
    /// Durable when it returns.
    pub fn file_voucher(
        &self,
        caller: &Caller,
        place: &TreePath,
        data: &[u8],
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        self.records.may_file(caller, place)?;
        self.check_room()?;
        let filed = self.check_and_file(caller, Some(place), data, condition);
        self.log_refusal(caller, place, filed)
    }

    /// Files voucher data in the place that its content names.
    pub(super) fn file_by_content(
        &self,
        caller: &Caller,
        data: &[u8],
    ) -> Result<Filed, ArchiveError> {
        self.check_and_file(caller, None, data, &Condition::Always)
    }

    fn check_and_file(
        &self,
        caller: &Caller,
        sent_to: Option<&TreePath>,
        data: &[u8],
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        let voucher = Voucher::from_json(data)?;
        let place = self.records.layout.place(&voucher)?;
        match sent_to {
            Some(sent_to) => self.records.layout.agrees(&place, sent_to)?,
            None => self.records.may_file(caller, &place)?,
        }
        let digest = content_digests(data).blake3;
        let filed: VoucherRow = self
            .records
            .row(&key::voucher(&place.to_string()))?
            .unwrap_or_default();
        if let Some(unchanged) = same(&filed, &digest, condition)? {
            return Ok(unchanged);
        }
        let drawn = self.draw(&voucher, &place, data)?;
        self.file_drawn(caller, place, digest, drawn, condition.clone())
    }

    fn file_drawn(
        &self,
        caller: &Caller,
        place: TreePath,
        digest: Digest,
        drawn: Drawn,
        condition: Condition,
    ) -> Result<Filed, ArchiveError> {
        let actor = caller.id.clone();
        self.commit(move |desk| {
            let place = place.to_string();
            let before: VoucherRow = desk.rows.get(&key::voucher(&place))?.unwrap_or_default();
            if let Some(unchanged) = same(&before, &digest, &condition)? {
                return Ok(unchanged);
            }
            let version = before.versions.len() as u32 + 1;
            let body = kind::VoucherFiled {
                version,
                template: drawn.template.version,
                template_blake3: drawn.template.object.blake3,
                warnings: drawn.warnings.len() as u64,
                warned: kind::warned(&drawn.warnings),
            };
            let draft = Draft::new(&actor, kind::VOUCHER_FILED, place, &body)?;
            desk.write(draft.with(drawn.objects));
            Ok(Filed::New {
                version,
                warnings: told(&drawn.warnings),
            })
        })
    }

    /// Draws the voucher and puts the data and every rendition into the store.
    fn draw(
        &self,
        voucher: &Voucher,
        place: &TreePath,
        data: &[u8],
    ) -> Result<Drawn, ArchiveError> {
        let (row, template) = self.current_template(&voucher.voucher_type)?;
        let wanted = self.records.layout.renditions().iter().copied();
        let drawn = Renditions::draw(&self.renderer, &template, voucher, place, data, wanted)?;
        let mut objects = vec![self.put("voucher.json", "application/json", data)?];
        for (rendition, content) in &drawn.files {
            objects.push(self.put(rendition.name(), rendition.media_type(), content)?);
        }
        Ok(Drawn {
            template: row,
            warnings: drawn.warnings,
            objects,
        })
    }

    pub(super) fn put(
        &self,
        name: &str,
        media_type: &str,
        content: &[u8],
    ) -> Result<Object, ArchiveError> {
        Ok(kind::object(
            name,
            media_type,
            &put_object(&*self.records.store, content)?,
        ))
    }

    /// Logs that an upload was refused for what it contained: the field, never the value.
    pub(super) fn log_refusal<T>(
        &self,
        caller: &Caller,
        place: &TreePath,
        outcome: Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        let field = match &outcome {
            Err(ArchiveError::Invalid(invalid)) => invalid.field.clone(),
            Err(ArchiveError::WrongKind { .. }) => String::new(),
            _ => return outcome,
        };
        let body = kind::UploadRejected {
            field: known_field(&field),
        };
        let draft = Draft::new(&caller.id, kind::UPLOAD_REJECTED, place, &body)?;
        self.commit(move |desk| {
            desk.write(draft);
            Ok(())
        })?;
        outcome
    }
}

/// The field, if it is one of a voucher or a template: an unknown key is the sender's own text, which
/// the log does not keep.
fn known_field(field: &str) -> String {
    const KNOWN: [&str; 20] = [
        "company",
        "ledger",
        "period",
        "type",
        "number",
        "date",
        "currency",
        "attachments",
        "lines",
        "summary",
        "account",
        "subaccount",
        "debit",
        "credit",
        "preparer",
        "reviewer",
        "bookkeeper",
        "cashier",
        "path",
        "",
    ];
    let steps = field.split(['.', '[', ']']);
    let index = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
    match steps
        .clone()
        .all(|step| KNOWN.contains(&step) || index(step))
    {
        true => field.to_owned(),
        false => "an unknown key".to_owned(),
    }
}

/// A voucher as it was drawn, in the store but not yet in the log.
struct Drawn {
    template: TemplateRow,
    warnings: Vec<Warning>,
    objects: Vec<Object>,
}

/// Most warnings that an answer has.
const TOLD_MAX: usize = 100;

/// What the sender is told of the warnings of a drawing.
fn told(warnings: &[Warning]) -> Vec<String> {
    let mut told: Vec<String> = warnings
        .iter()
        .take(TOLD_MAX)
        .map(Warning::to_string)
        .collect();
    let more = warnings.len() - told.len();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

/// The version that has this very data, if it is the current one; refuses if the condition does not hold.
fn same(
    filed: &VoucherRow,
    digest: &Digest,
    condition: &Condition,
) -> Result<Option<Filed>, ArchiveError> {
    let current = filed
        .versions
        .last()
        .and_then(|version| version.objects.first());
    condition.check(current)?;
    let unchanged = current.is_some_and(|data| data.blake3 == *digest);
    Ok(unchanged.then_some(Filed::Unchanged(filed.versions.len() as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Shortfall;

    #[test]
    fn an_answer_has_a_hundred_warnings_and_counts_the_rest() {
        let warning = |index| Warning {
            field: format!("lines[{index}].summary"),
            shortfall: Shortfall::Shortened,
        };
        let warnings: Vec<Warning> = (0..5_000).map(warning).collect();
        let told = told(&warnings);
        assert_eq!(told.len(), 101);
        assert_eq!(told[100], "and 4900 more");
        assert_eq!(super::told(&warnings[..100]).len(), 100);
    }

    #[test]
    fn the_log_keeps_fields_and_not_what_a_sender_called_them() {
        for field in ["lines[12].credit", "date", "", "lines[0]"] {
            assert_eq!(known_field(field), field);
        }
        for field in ["password", "extra.my-secret", "lines[0].secret"] {
            assert_eq!(known_field(field), "an unknown key");
        }
    }
}
