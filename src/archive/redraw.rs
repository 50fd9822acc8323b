//! Drawing every voucher again from its data and its template, to see that the renditions in the archive are
//! what the forms really show.

use std::collections::BTreeSet;
use std::sync::Mutex;

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::{Entry, Object};
use vouchsafe_evidence::report::{Fault, Report};

use super::ArchiveError;
use super::kind::{self, body};
use super::renditions::{Renditions, Source};
use super::rows::named;
use crate::catalog::{Rendition, TreePath};
use crate::render::Renderer;
use crate::store::Truth;

/// What vouchers were to be drawn by, and as what.
pub(super) struct Forms {
    /// Type, version and digest of every template that was published.
    pub published: BTreeSet<(String, u32, Digest)>,
    /// What a voucher's folder shows.
    pub renditions: Vec<Rendition>,
}

impl Forms {
    /// Takes note of a template, if the entry published one.
    pub fn take(&mut self, entry: &Entry) {
        let published = (entry.kind == kind::TEMPLATE_PUBLISHED)
            .then(|| body::<kind::TemplatePublished>(entry).ok())
            .flatten();
        if let (Some(published), Some(object)) = (published, entry.objects.first()) {
            let form = (published.voucher_type, published.version, object.blake3);
            self.published.insert(form);
        }
    }
}

/// A voucher as it was filed.
pub(super) struct ToRedraw {
    seq: u64,
    version: u32,
    path: String,
    template: Digest,
    objects: Vec<Object>,
}

impl ToRedraw {
    /// What is to be drawn again, if the entry filed a voucher.
    pub fn of(entry: &Entry) -> Option<ToRedraw> {
        let filed: kind::VoucherFiled = (entry.kind == kind::VOUCHER_FILED)
            .then(|| body(entry).ok())
            .flatten()?;
        Some(ToRedraw {
            seq: entry.seq,
            version: filed.template,
            path: entry.path.clone(),
            template: filed.template_blake3,
            objects: entry.objects.clone(),
        })
    }

    fn redraw(&self, store: &impl Truth, renderer: &Renderer, forms: &Forms) -> Result<(), Fault> {
        let fault = |what: &str, expected: String, found: String| Fault {
            seq: Some(self.seq),
            path: self.path.clone(),
            what: what.to_owned(),
            expected,
            found,
        };
        let drawn = self.draw(store, renderer, forms).map_err(|error| {
            let expected = "data and a template that can be drawn again".to_owned();
            fault("rendition", expected, error.to_string())
        })?;
        for (rendition, content) in drawn.files {
            let digest = Digest::blake3(&content);
            let filed = self.objects.iter().find(|it| it.name == rendition.name());
            if filed.is_none_or(|filed| filed.blake3 != digest) {
                let expected = format!("BLAKE3 {digest}, as drawn from data and template");
                let found = filed.map_or("none".to_owned(), |it| format!("BLAKE3 {}", it.blake3));
                return Err(fault(
                    &format!("rendition {}", rendition.name()),
                    expected,
                    found,
                ));
            }
        }
        Ok(())
    }

    fn draw(
        &self,
        store: &impl Truth,
        renderer: &Renderer,
        forms: &Forms,
    ) -> Result<Renditions, ArchiveError> {
        let broken = |error: String| ArchiveError::Broken(format!("the template: {error}"));
        let data = named(&self.objects, "voucher.json");
        let Source {
            template,
            voucher,
            data,
        } = Source::read(store, data.map(|it| &it.blake3), &self.template)?;
        let place =
            TreePath::parse(&self.path).map_err(|error| ArchiveError::Broken(error.to_string()))?;
        let voucher_type = voucher.voucher_type.to_string();
        let form = (voucher_type, self.version, self.template);
        if !forms.published.contains(&form) {
            let version = self.version;
            return Err(broken(format!(
                "nobody published it as version {version} of this type"
            )));
        }
        let shown = forms.renditions.iter().copied();
        Renditions::draw(renderer, &template, &voucher, &place, &data, shown)
    }
}

/// Draws all of `vouchers` again, on `threads` threads; differences go into the report.
pub(super) fn redraw_all(
    store: &impl Truth,
    vouchers: Vec<ToRedraw>,
    forms: &Forms,
    threads: usize,
    progress: &dyn Fn(u64, u64),
    report: &mut Report,
) {
    let total = vouchers.len() as u64;
    let (todo, faults) = (Mutex::new(vouchers.into_iter()), Mutex::new(Vec::new()));
    let (done, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (done, todo, faults) = (done.clone(), &todo, &faults);
            scope.spawn(move || {
                let renderer = Renderer::new();
                loop {
                    let next = todo.lock().unwrap_or_else(|lock| lock.into_inner()).next();
                    let Some(voucher) = next else { return };
                    if let Err(fault) = voucher.redraw(store, &renderer, forms) {
                        faults
                            .lock()
                            .unwrap_or_else(|lock| lock.into_inner())
                            .push(fault);
                    }
                    // The receiver lives until every worker has ended.
                    let _ = done.send(());
                }
            });
        }
        drop(done);
        for number in 1..=told.iter().count() as u64 {
            progress(number, total);
        }
    });
    for fault in faults.into_inner().unwrap_or_else(|lock| lock.into_inner()) {
        report.fault(fault);
    }
}
