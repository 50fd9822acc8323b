//! The catalog room: the grammar of the tree, that is which paths exist and what each one is.
//!
//! It does not know what is filed, who may see it, or how a path travels over a network.

mod layout;
mod path;
mod place;

pub use layout::{Layout, LayoutError, Rendition, VoucherType};
pub use path::{PATH_MAX_SEGMENTS, PathError, SEGMENT_MAX_BYTES, TreePath};
pub use place::{AUDIT, INBOX, Place, TEMPLATES, VoucherFile, is_litter};
