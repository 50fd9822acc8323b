use serde::{Deserialize, Serialize};

/// What a user is to a part of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An ERP: files vouchers and scans, and reads back what is filed.
    Uploader,
    /// Prepares vouchers.
    Preparer,
    /// Decides on vouchers.
    Reviewer,
    /// Looks at vouchers.
    Viewer,
    /// Looks at vouchers from outside.
    Auditor,
    /// Verifies the log, and sees all of it.
    Compliance,
    /// Closes periods.
    Archivist,
    /// Keeps users, grants and templates; sees no voucher.
    Admin,
}

/// What somebody may do at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See that a voucher exists, and its content.
    Read,
    /// See pictures as they are archived, without a mark of who is shown them.
    SeeOriginal,
    /// File vouchers and scans.
    Upload,
    /// Decide on vouchers, and settle whether their scans show them.
    Review,
    /// Verify: with the whole tree in its scope, see every entry of the log and every object.
    Verify,
    /// Keep users, grants and templates.
    Administer,
}

impl Role {
    /// Every role, in the order of the documentation.
    pub const ALL: [Role; 8] = [
        Role::Uploader,
        Role::Preparer,
        Role::Reviewer,
        Role::Viewer,
        Role::Auditor,
        Role::Compliance,
        Role::Archivist,
        Role::Admin,
    ];

    /// The table of who may do what.
    pub fn has(self, right: Right) -> bool {
        match right {
            Right::Read => self != Role::Admin,
            Right::SeeOriginal => !matches!(self, Role::Viewer | Role::Auditor | Role::Admin),
            Right::Upload => matches!(self, Role::Uploader | Role::Preparer),
            Right::Review => self == Role::Reviewer,
            Right::Verify => matches!(self, Role::Auditor | Role::Compliance),
            Right::Administer => self == Role::Admin,
        }
    }

    /// The role's name in commands and entries.
    pub fn name(self) -> &'static str {
        match self {
            Role::Uploader => "uploader",
            Role::Preparer => "preparer",
            Role::Reviewer => "reviewer",
            Role::Viewer => "viewer",
            Role::Auditor => "auditor",
            Role::Compliance => "compliance",
            Role::Archivist => "archivist",
            Role::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_agree_with_entries() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert_eq!(Role::parse("owner"), None);
    }

    #[test]
    fn an_admin_sees_no_voucher() {
        assert!(!Role::Admin.has(Right::Read) && !Role::Admin.has(Right::Upload));
    }
}
