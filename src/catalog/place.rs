use super::{Layout, TreePath};

/// The folder that takes in what finds its own place.
pub const INBOX: &str = "_inbox";
/// The folder of the log's own files.
pub const AUDIT: &str = "_audit";
/// The folder of the templates.
pub const TEMPLATES: &str = "_templates";

/// What a path of the tree is, by its form alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The root, a company, a ledger, a period or a type.
    Folder(TreePath),
    /// A voucher's folder.
    Voucher(TreePath),
    /// A file in a voucher's folder.
    File(TreePath, VoucherFile),
    /// `_inbox/` and what is below; the path within it.
    Inbox(TreePath),
    /// `_audit/` and what is below; the path within it.
    Audit(TreePath),
    /// `_templates/`
    Templates,
    /// `_templates/{type}.toml`; the type.
    Template(String),
    /// A path that the layout does not produce: nothing is ever there.
    Nothing,
}

/// The files of a voucher's folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum VoucherFile {
    /// `voucher.json`
    Data,
    /// `voucher.png`, `voucher.pdf`
    Rendition(String),
    /// `scan-1.jpg`
    Scan(String),
    /// `match.json`
    Match,
    /// `match.png`
    MatchPicture,
    /// `review.json`
    Review,
    /// `review.note`
    ReviewNote,
    /// `submitted.note`
    SubmissionNote,
    /// `reviewed.png`
    ReviewedPicture,
    /// `reviewed.pdf`
    ReviewedPdf,
    /// `history.json`
    History,
    /// `proof.json`
    Proof,
    /// `voucher.tlog-proof`
    TlogProof,
}

impl VoucherFile {
    /// The file of this name, if a voucher's folder can have it.
    pub fn parse(name: &str, layout: &Layout) -> Option<VoucherFile> {
        match name {
            "voucher.json" => Some(VoucherFile::Data),
            "match.json" => Some(VoucherFile::Match),
            "match.png" => Some(VoucherFile::MatchPicture),
            "review.json" => Some(VoucherFile::Review),
            "review.note" => Some(VoucherFile::ReviewNote),
            "submitted.note" => Some(VoucherFile::SubmissionNote),
            "reviewed.png" => Some(VoucherFile::ReviewedPicture),
            "reviewed.pdf" => Some(VoucherFile::ReviewedPdf),
            "history.json" => Some(VoucherFile::History),
            "proof.json" => Some(VoucherFile::Proof),
            "voucher.tlog-proof" => Some(VoucherFile::TlogProof),
            _ if layout.shows(name) => Some(VoucherFile::Rendition(name.to_owned())),
            _ => is_scan(name).then(|| VoucherFile::Scan(name.to_owned())),
        }
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        match self {
            VoucherFile::Data => "voucher.json",
            VoucherFile::Match => "match.json",
            VoucherFile::MatchPicture => "match.png",
            VoucherFile::Review => "review.json",
            VoucherFile::ReviewNote => "review.note",
            VoucherFile::SubmissionNote => "submitted.note",
            VoucherFile::ReviewedPicture => "reviewed.png",
            VoucherFile::ReviewedPdf => "reviewed.pdf",
            VoucherFile::History => "history.json",
            VoucherFile::Proof => "proof.json",
            VoucherFile::TlogProof => "voucher.tlog-proof",
            VoucherFile::Rendition(name) | VoucherFile::Scan(name) => name,
        }
    }
}

/// `scan-` with a number from 1 to 999 and one of the endings that scans have.
fn is_scan(name: &str) -> bool {
    let Some((number, ending)) = name
        .strip_prefix("scan-")
        .and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    let counted = (1..=3).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0');
    counted && ["jpg", "png", "tif", "pdf"].contains(&ending)
}

impl Place {
    /// What `path` is under `layout`.
    pub fn of(path: &TreePath, layout: &Layout) -> Place {
        let segments = path.segments();
        let levels = layout.levels();
        match segments.first().map(String::as_str) {
            Some(INBOX) => {
                return Place::Inbox(TreePath::from_segments(segments[1..].to_vec()));
            }
            Some(AUDIT) => {
                return Place::Audit(TreePath::from_segments(segments[1..].to_vec()));
            }
            Some(TEMPLATES) => {
                return match &segments[1..] {
                    [] => Place::Templates,
                    [file] => match file.strip_suffix(".toml") {
                        Some(voucher_type) => Place::Template(voucher_type.to_owned()),
                        None => Place::Nothing,
                    },
                    _ => Place::Nothing,
                };
            }
            Some(name) if name.starts_with('_') => return Place::Nothing,
            _ => {}
        }
        match segments.len().checked_sub(levels) {
            None => Place::Folder(path.clone()),
            Some(0) => Place::Voucher(path.clone()),
            Some(1) => match VoucherFile::parse(path.name(), layout) {
                Some(file) => Place::File(path.parent(), file),
                None => Place::Nothing,
            },
            Some(_) => Place::Nothing,
        }
    }
}

/// Whether drive clients litter folders with files of this name; they are accepted and forgotten.
pub fn is_litter(name: &str) -> bool {
    name.starts_with("._")
        || name.starts_with("~$")
        || name.starts_with(".~lock.")
        || [
            ".DS_Store",
            "Thumbs.db",
            "desktop.ini",
            ".metadata_never_index",
            ".localized",
        ]
        .iter()
        .any(|litter| name.eq_ignore_ascii_case(litter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::of(&TreePath::parse(text).unwrap(), &Layout::builtin())
    }

    #[test]
    fn every_form_of_path_is_one_thing() {
        assert!(matches!(place("/"), Place::Folder(_)));
        assert!(matches!(
            place("/acme/gl/2024-03/payment"),
            Place::Folder(_)
        ));
        assert!(matches!(
            place("/acme/gl/2024-03/payment/0001"),
            Place::Voucher(_)
        ));
        let file = place("/acme/gl/2024-03/payment/0001/scan-12.pdf");
        assert!(matches!(file, Place::File(_, VoucherFile::Scan(_))));
        assert_eq!(
            place("/acme/gl/2024-03/payment/0001/other.txt"),
            Place::Nothing
        );
        assert_eq!(place("/a/b/c/d/e/voucher.json/f"), Place::Nothing);
        assert_eq!(
            place("/_templates/payment.toml"),
            Place::Template("payment".into())
        );
        assert!(matches!(place("/_inbox/a/b"), Place::Inbox(_)));
        assert!(matches!(place("/_audit/tile/0/000"), Place::Audit(_)));
        assert_eq!(place("/_other"), Place::Nothing);
    }

    #[test]
    fn scans_are_numbered_and_of_known_kinds() {
        for name in ["scan-1.jpg", "scan-999.tif"] {
            assert!(is_scan(name), "{name}");
        }
        for name in [
            "scan-0.jpg",
            "scan-01.jpg",
            "scan-1000.jpg",
            "scan-1.gif",
            "scan-.jpg",
            "scan-+1.jpg",
            "scan1.jpg",
        ] {
            assert!(!is_scan(name), "{name}");
        }
    }

    #[test]
    fn litter_is_known() {
        for name in [
            "._voucher.json",
            ".DS_Store",
            "thumbs.DB",
            "desktop.ini",
            "~$book.xlsx",
        ] {
            assert!(is_litter(name), "{name}");
        }
        assert!(!is_litter("voucher.json"));
    }
}
