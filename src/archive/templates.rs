//! Templates: versions of a form, in effect for new vouchers from the moment they are published.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_evidence::digest::Digest;

use super::documents::rfc3339;
use super::kind::{self, Draft};
use super::open::entry;
use super::rows::{TemplateRow, key};
use super::tree::sees_templates;
use super::{
    Archive, ArchiveError, Caller, Child, Condition, File, Filed, Node, OPERATOR, Records,
};
use crate::catalog::{TEMPLATES, TreePath};
use crate::store::get_object;
use crate::voucher::Invalid;
use crate::voucher::template::{TEMPLATE_MAX_BYTES, Template};

/// Templates that were parsed, by type and version.
#[derive(Default)]
pub(super) struct Templates(Mutex<HashMap<(String, u32), Arc<Template>>>);

impl Archive {
    /// Publishes a template that a caller sends.
    pub fn receive_template(
        &self,
        caller: &Caller,
        voucher_type: &str,
        content: &[u8],
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        let path = TreePath::from_segments(vec![TEMPLATES.to_owned(), voucher_type.to_owned()]);
        self.records.may_publish(caller)?;
        self.check_room()?;
        let published = self.publish_template(&caller.id, voucher_type, content, condition);
        self.log_refusal(caller, &path, published)
    }

    /// Publishes a template for an operator of the machine; gives the version that it is.
    pub fn publish_template_as_operator(
        &self,
        voucher_type: &str,
        text: &str,
    ) -> Result<String, ArchiveError> {
        self.check_room()?;
        match self.publish_template(OPERATOR, voucher_type, text.as_bytes(), &Condition::Always)? {
            Filed::New { version, .. } | Filed::Unchanged(version) => Ok(version.to_string()),
        }
    }

    /// The template that new vouchers of a type are drawn by.
    pub(super) fn current_template(
        &self,
        voucher_type: &str,
    ) -> Result<(TemplateRow, Arc<Template>), ArchiveError> {
        let Some(row) = self
            .records
            .row::<TemplateRow>(&key::template(voucher_type, 0))?
        else {
            let hint = "publish one: PUT /dav/_templates/{type}.toml";
            let error = format!("there is no template for vouchers of type {voucher_type}");
            return Err(ArchiveError::conflict(error, hint));
        };
        let cached = (voucher_type.to_owned(), row.version);
        let mut templates = self
            .templates
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = templates.get(&cached) {
            return Ok((row, Arc::clone(template)));
        }
        let name = format!("template {voucher_type} version {}", row.version);
        let broken = |why: &str| ArchiveError::Broken(format!("{name}: {why}"));
        let text = get_object(
            &*self.records.store,
            &row.object.blake3,
            TEMPLATE_MAX_BYTES as u64,
        )?
        .and_then(|content| String::from_utf8(content).ok())
        .ok_or_else(|| broken("its file is missing"))?;
        let template = Template::from_toml(&text).map_err(|error| broken(&error.to_string()))?;
        let template = Arc::new(template);
        // New vouchers need no older one.
        templates.retain(|(known, _), _| known != voucher_type);
        templates.insert(cached, Arc::clone(&template));
        Ok((row, template))
    }

    /// Publishes a new version of a type's template, in effect at once for new vouchers.
    pub(super) fn publish_template(
        &self,
        actor: &str,
        voucher_type: &str,
        content: &[u8],
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        if !self
            .records
            .layout
            .types()
            .iter()
            .any(|known| known.name == voucher_type)
        {
            let error = format!("{voucher_type} is no voucher type of this archive");
            return Err(Invalid::new("type", error, "name a type of archive-layout").into());
        }
        let text = std::str::from_utf8(content)
            .map_err(|_| Invalid::new("", "not UTF-8", "send TOML in UTF-8"))?;
        Template::from_toml(text).map_err(|error| {
            Invalid::new(
                "",
                error.to_string(),
                "templates/README.md describes the grammar",
            )
        })?;
        let file = self.put(&format!("{voucher_type}.toml"), "application/toml", content)?;
        let (actor, voucher_type) = (actor.to_owned(), voucher_type.to_owned());
        let condition = condition.clone();
        self.commit(move |desk| {
            let current: Option<TemplateRow> = desk.rows.get(&key::template(&voucher_type, 0))?;
            condition.check(current.as_ref().map(|row| &row.object))?;
            let version = match current {
                Some(row) if row.object.blake3 == file.blake3 => {
                    return Ok(Filed::Unchanged(row.version));
                }
                Some(row) => row.version + 1,
                None => 1,
            };
            let place = format!("/_templates/{voucher_type}");
            let body = kind::TemplatePublished {
                voucher_type,
                version,
            };
            let draft = Draft::new(&actor, kind::TEMPLATE_PUBLISHED, place, &body)?;
            desk.write(draft.with(vec![file]));
            Ok(Filed::new(version))
        })
    }
}

/// One version of a template, for whoever reads its history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TemplateVersion {
    /// The voucher type.
    #[serde(rename = "type")]
    pub voucher_type: String,
    /// From 1.
    pub version: u32,
    /// When it was published: RFC 3339.
    pub published: String,
    /// Who published it.
    pub by: String,
    /// Its digest.
    pub blake3: Digest,
    /// Number of the entry in the log.
    pub entry: u64,
    /// Where this version is read.
    pub href: String,
}

impl Records {
    /// Every version of every template, by type and version.
    pub fn template_versions(&self) -> Result<Vec<TemplateVersion>, ArchiveError> {
        let mut versions = Vec::new();
        for voucher_type in self.layout.types() {
            for number in 1.. {
                let key = key::template(&voucher_type.name, number);
                let Some(row) = self.row::<TemplateRow>(&key)? else {
                    break;
                };
                versions.push(TemplateVersion {
                    voucher_type: voucher_type.name.clone(),
                    version: row.version,
                    published: rfc3339(row.time),
                    by: self.name_of(&entry(&*self.store, row.seq)?.actor),
                    blake3: row.object.blake3,
                    entry: row.seq,
                    href: format!(
                        "/dav/{TEMPLATES}/{}.toml?version={number}",
                        voucher_type.name
                    ),
                });
            }
        }
        Ok(versions)
    }

    /// The same for a caller: nothing is there for who sees no templates.
    pub fn template_history(&self, caller: &Caller) -> Result<Vec<TemplateVersion>, ArchiveError> {
        if !sees_templates(caller) {
            return Err(ArchiveError::Absent(String::new()));
        }
        self.template_versions()
    }

    pub(super) fn template_file(
        &self,
        voucher_type: &str,
        version: Option<u32>,
    ) -> Result<Option<File>, ArchiveError> {
        let row = |version| self.row::<TemplateRow>(&key::template(voucher_type, version));
        let Some(shown) = row(version.unwrap_or(0))? else {
            return Ok(None);
        };
        let created = row(1)?.map_or(shown.time, |first| first.time);
        Ok(Some(File::stored(&shown.object, created, shown.time)))
    }

    pub(super) fn template_files(&self) -> Result<Vec<Child>, ArchiveError> {
        let mut children = Vec::new();
        for voucher_type in self.layout.types() {
            if let Some(file) = self.template_file(&voucher_type.name, None)? {
                let name = format!("{}.toml", voucher_type.name);
                let node = Node::File(file);
                children.push(Child { name, node });
            }
        }
        Ok(children)
    }
}
