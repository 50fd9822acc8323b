//! The properties of RFC 4918, section 15, and of RFC 3744, section 5.5, and how a listing's rows are written with them.

use std::fmt::Write as _;

use crate::access::Time;
use crate::archive::{Node, Rights};
use crate::http::precondition::system_time;

/// The namespace of the properties that are known.
pub const DAV: &str = "DAV:";

/// A property that the share has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    ResourceType,
    ContentLength,
    ContentType,
    EntityTag,
    LastModified,
    CreationDate,
    DisplayName,
    SupportedLock,
    LockDiscovery,
    /// What the caller may do (RFC 3744, section 5.5): only for those who name it.
    Privileges,
}

impl Property {
    /// What a request for all properties gets. RFC 3744, section 5, leaves its own out.
    pub const ALL: [Property; 9] = [
        Property::ResourceType,
        Property::ContentLength,
        Property::ContentType,
        Property::EntityTag,
        Property::LastModified,
        Property::CreationDate,
        Property::DisplayName,
        Property::SupportedLock,
        Property::LockDiscovery,
    ];

    /// The name, and the tags around a value.
    const fn tags(self) -> [&'static str; 3] {
        macro_rules! tags {
            ($name:literal) => {
                [
                    $name,
                    concat!("<D:", $name, ">"),
                    concat!("</D:", $name, ">"),
                ]
            };
        }
        match self {
            Property::ResourceType => tags!("resourcetype"),
            Property::ContentLength => tags!("getcontentlength"),
            Property::ContentType => tags!("getcontenttype"),
            Property::EntityTag => tags!("getetag"),
            Property::LastModified => tags!("getlastmodified"),
            Property::CreationDate => tags!("creationdate"),
            Property::DisplayName => tags!("displayname"),
            Property::SupportedLock => tags!("supportedlock"),
            Property::LockDiscovery => tags!("lockdiscovery"),
            Property::Privileges => tags!("current-user-privilege-set"),
        }
    }

    pub fn name(self) -> &'static str {
        self.tags()[0]
    }

    pub fn parse(name: &str) -> Option<Property> {
        Property::ALL
            .into_iter()
            .chain([Property::Privileges])
            .find(|property| property.name() == name)
    }

    fn is_of(self, folder: bool) -> bool {
        let of_files = [
            Property::ContentLength,
            Property::ContentType,
            Property::EntityTag,
        ];
        !folder || !of_files.contains(&self)
    }
}

/// What a PROPFIND asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The values of all properties (`allprop`).
    All,
    /// Their names (`propname`).
    Names,
    /// These, and the names of others that nobody here has, with their namespaces.
    These(Vec<Property>, Vec<(String, String)>),
}

impl Selection {
    pub fn wants(&self, property: Property) -> bool {
        match self {
            Selection::All => true,
            Selection::Names => false,
            Selection::These(wanted, _) => wanted.contains(&property),
        }
    }
}

/// Writes text as XML content.
pub fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Writes the rows of a listing. What is the same in every row is put together once.
pub struct RowWriter {
    wanted: Vec<Property>,
    names_only: bool,
    /// The `propstat` of what a folder, or a file, does not have.
    missing: [String; 2],
    /// The last times that were formatted, and their forms: rows beside each other often share them.
    modified: (Time, String),
    created: (Time, String),
}

impl RowWriter {
    pub fn new(selection: &Selection) -> RowWriter {
        let (wanted, unknown) = match selection {
            Selection::All | Selection::Names => (Property::ALL.to_vec(), Vec::new()),
            Selection::These(wanted, unknown) => (wanted.clone(), unknown.clone()),
        };
        let asked_for = matches!(selection, Selection::These(..));
        let missing = [true, false].map(|folder| {
            let absent = wanted
                .iter()
                .filter(|property| asked_for && !property.is_of(folder));
            missing(absent.copied(), &unknown)
        });
        RowWriter {
            wanted,
            names_only: *selection == Selection::Names,
            missing,
            modified: (Time::MAX, String::new()),
            created: (Time::MAX, String::new()),
        }
    }

    /// Whether rows have this property.
    pub fn has(&self, property: Property) -> bool {
        self.wanted.contains(&property)
    }

    /// Writes one `response`. `href` is percent-encoded, `locks` the content of `lockdiscovery`, `rights` what the
    /// caller may do there.
    pub fn row(
        &mut self,
        out: &mut String,
        href: &str,
        name: &str,
        node: &Node,
        (locks, rights): (&str, Rights),
    ) {
        let folder = matches!(node, Node::Folder { .. });
        out.push_str("<D:response><D:href>");
        out.push_str(href);
        out.push_str("</D:href>");
        let start = out.len();
        out.push_str("<D:propstat><D:prop>");
        let empty = out.len();
        for at in 0..self.wanted.len() {
            let property = self.wanted[at];
            if !property.is_of(folder) {
                continue;
            }
            if self.names_only {
                // Writing to a string cannot fail.
                let _ = write!(out, "<D:{}/>", property.name());
            } else {
                self.value(out, property, name, node, (locks, rights));
            }
        }
        if out.len() == empty {
            out.truncate(start);
        } else {
            out.push_str("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>");
        }
        out.push_str(&self.missing[usize::from(!folder)]);
        if out.len() == start {
            out.push_str("<D:status>HTTP/1.1 200 OK</D:status>");
        }
        out.push_str("</D:response>\n");
    }

    fn value(
        &mut self,
        out: &mut String,
        property: Property,
        name: &str,
        node: &Node,
        (locks, rights): (&str, Rights),
    ) {
        const LOCKS: &str = "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope>\
            <D:locktype><D:write/></D:locktype></D:lockentry><D:lockentry><D:lockscope>\
            <D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>";
        let [_, open, close] = property.tags();
        out.push_str(open);
        match (property, node) {
            (Property::ResourceType, Node::Folder { .. }) => out.push_str("<D:collection/>"),
            (Property::ContentLength, Node::File(file)) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "{}", file.size);
            }
            (Property::ContentType, Node::File(file)) => escape(out, &file.media_type),
            (Property::EntityTag, Node::File(file)) => {
                out.push('"');
                out.push_str(&file.etag);
                out.push('"');
            }
            (Property::LastModified, _) => {
                out.push_str(remembered(&mut self.modified, node.modified(), http_date));
            }
            (Property::CreationDate, _) => {
                out.push_str(remembered(&mut self.created, node.created(), rfc3339));
            }
            (Property::DisplayName, _) => escape(out, name),
            (Property::SupportedLock, _) => out.push_str(LOCKS),
            (Property::LockDiscovery, _) => out.push_str(locks),
            (Property::Privileges, _) => privileges(out, rights),
            _ => {}
        }
        out.push_str(close);
    }
}

/// The privileges of RFC 3744, section 3, and two of our own, that rights are.
fn privileges(out: &mut String, rights: Rights) {
    let all = [
        // Everybody who sees a place may ask this.
        ("<D:read-current-user-privilege-set/>", rights.read),
        ("<D:read/>", rights.read),
        ("<D:write-content/>", rights.write_content),
        ("<D:bind/>", rights.bind),
        ("<D:unbind/>", rights.unbind),
        ("<V:review xmlns:V=\"urn:vouchsafe\"/>", rights.review),
        ("<V:submit xmlns:V=\"urn:vouchsafe\"/>", rights.submit),
        ("<V:verify xmlns:V=\"urn:vouchsafe\"/>", rights.verify),
    ];
    for (privilege, _) in all.into_iter().filter(|(_, held)| *held) {
        // Writing to a string cannot fail.
        let _ = write!(out, "<D:privilege>{privilege}</D:privilege>");
    }
}

/// The form of a time, made anew only in another second.
fn remembered(last: &mut (Time, String), time: Time, form: fn(Time) -> String) -> &str {
    let second = time / 1_000;
    if last.0 != second {
        *last = (second, form(time));
    }
    &last.1
}

/// RFC 9110, section 5.6.7.
fn http_date(time: Time) -> String {
    httpdate::fmt_http_date(system_time(time))
}

/// RFC 3339, to the second.
fn rfc3339(time: Time) -> String {
    let second = i64::try_from(time / 1_000).ok();
    let time = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    time.map_or_else(String::new, |time| time.to_string())
}

fn missing(known: impl Iterator<Item = Property>, unknown: &[(String, String)]) -> String {
    let mut names = String::new();
    for property in known {
        let _ = write!(names, "<D:{}/>", property.name());
    }
    for (namespace, name) in unknown {
        if namespace == DAV {
            let _ = write!(names, "<D:{name}/>");
            continue;
        }
        let _ = write!(names, "<{name} xmlns=\"");
        escape(&mut names, namespace);
        names.push_str("\"/>");
    }
    if names.is_empty() {
        return names;
    }
    format!(
        "<D:propstat><D:prop>{names}</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(selection: &Selection) -> String {
        let node = Node::Folder {
            created: 0,
            modified: 784_111_777_000,
        };
        let rights = Rights {
            read: true,
            bind: true,
            ..Rights::default()
        };
        let mut out = String::new();
        RowWriter::new(selection).row(&mut out, "/dav/a/", "a&b", &node, ("", rights));
        out
    }

    #[test]
    fn a_row_for_explorer_is_short() {
        let wanted = vec![
            Property::ResourceType,
            Property::LastModified,
            Property::CreationDate,
        ];
        let row = row(&Selection::These(wanted, Vec::new()));
        assert!(row.contains("<D:collection/>"), "{row}");
        assert!(row.contains("Sun, 06 Nov 1994 08:49:37 GMT"), "{row}");
        assert!(row.contains("1970-01-01T00:00:00Z"), "{row}");
        assert!(row.len() < 320, "{} bytes", row.len());
    }

    #[test]
    fn what_nobody_has_is_answered_with_404() {
        let unknown = vec![("urn:x\"".to_owned(), "color".to_owned())];
        let row = row(&Selection::These(vec![Property::ContentLength], unknown));
        assert!(!row.contains("200 OK"), "{row}");
        assert!(
            row.contains("<D:getcontentlength/><color xmlns=\"urn:x&quot;\"/>"),
            "{row}"
        );
        assert!(row.contains("404 Not Found"), "{row}");
    }

    #[test]
    fn rights_are_told_to_those_who_ask_for_them() {
        let row = row(&Selection::These(vec![Property::Privileges], Vec::new()));
        assert!(
            row.contains("<D:privilege><D:bind/></D:privilege>"),
            "{row}"
        );
        assert!(!row.contains("unbind") && !row.contains("review"), "{row}");
        assert!(!super::tests::row(&Selection::All).contains("privilege"));
    }

    #[test]
    fn names_and_values_are_told_apart() {
        assert!(row(&Selection::Names).contains("<D:displayname/>"));
        let all = row(&Selection::All);
        assert!(
            all.contains("<D:displayname>a&amp;b</D:displayname>"),
            "{all}"
        );
        assert!(!all.contains("getcontentlength"), "{all}");
    }
}
