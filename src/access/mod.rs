//! The access room: who may do what below which path, and when. Pure decisions; denial is the default.
//!
//! It does not know how people prove who they are, where grants are kept, or what time it is.

mod below;
mod role;
mod scope;

pub use below::{Below, Sight};
pub use role::{Right, Role};
pub use scope::{Scope, ScopeError};

use std::sync::Arc;

use crate::catalog::TreePath;

/// Milliseconds since 1970-01-01 UTC.
pub type Time = u64;

/// One permission: a role, below a scope, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What the user may do there.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// From this moment on; `None` since ever.
    pub from: Option<Time>,
    /// Before this moment; `None` for ever.
    pub until: Option<Time>,
}

impl Grant {
    /// Whether the grant holds at `now`.
    pub fn holds(&self, now: Time) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// What one user may do at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    grants: Arc<[Arc<Grant>]>,
    at: Time,
    /// The only part of the tree that they are for: a token's.
    limit: Option<Arc<Scope>>,
}

impl Permissions {
    /// The grants of a user that hold at `now`.
    pub fn at(grants: &[Arc<Grant>], now: Time) -> Permissions {
        let held = grants.iter().filter(|grant| grant.holds(now));
        Permissions {
            grants: held.cloned().collect(),
            at: now,
            limit: None,
        }
    }

    /// The same for a part of the tree only.
    pub fn within(self, limit: Arc<Scope>) -> Permissions {
        Permissions {
            limit: Some(limit),
            ..self
        }
    }

    /// Whether they are for a part of the tree only.
    pub fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// These, for the same part of the tree as `others`.
    pub fn limited_as(self, others: &Permissions) -> Permissions {
        Permissions {
            limit: others.limit.clone(),
            ..self
        }
    }

    /// Whether everything that these allow is allowed by the later ones of the same user, too. Grants keep their order.
    pub fn still_held(&self, later: &Permissions) -> bool {
        let mut held = later.grants.iter();
        self.grants.iter().all(|grant| held.any(|it| it == grant))
    }

    /// The moment for which they were looked up.
    pub fn moment(&self) -> Time {
        self.at
    }

    fn with(&self, right: Right) -> impl Iterator<Item = &Grant> {
        self.grants
            .iter()
            .map(Arc::as_ref)
            .filter(move |grant| grant.role.has(right))
    }

    /// The grants that hold.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().map(Arc::as_ref)
    }

    /// Whether the user has `right` at `path` and everything below it.
    pub fn allow(&self, right: Right, path: &TreePath) -> bool {
        self.limit.as_ref().is_none_or(|limit| limit.covers(path))
            && self.with(right).any(|grant| grant.scope.covers(path))
    }

    /// Whether the user may have `right` at some place below `path`. True does not say that there is one.
    pub fn allow_below(&self, right: Right, path: &TreePath) -> bool {
        let limit = self.limit.as_ref();
        limit.is_none_or(|limit| limit.reaches_below(path))
            && self
                .with(right)
                .any(|grant| grant.scope.reaches_below(path))
    }

    /// Whether the user has `right` anywhere. Administering is not of one part of the tree.
    pub fn allow_somewhere(&self, right: Right) -> bool {
        let limited = self.limit.is_some() && right == Right::Administer;
        !limited && self.with(right).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role, scope: &str) -> Grant {
        Grant {
            role,
            scope: Scope::parse(scope).unwrap(),
            from: None,
            until: None,
        }
    }

    #[test]
    fn a_limit_takes_away_and_gives_nothing() {
        let path = |text: &str| TreePath::parse(text).unwrap();
        let grants = [grant(Role::Uploader, "/acme/")].map(Arc::new);
        let limit = Arc::new(Scope::parse("/*/gl/").unwrap());
        let limited = Permissions::at(&grants, 0).within(limit);
        assert!(limited.allow(Right::Upload, &path("/acme/gl/2024-03")));
        assert!(
            !limited.allow(Right::Upload, &path("/acme"))
                && limited.allow_below(Right::Upload, &path("/acme"))
        );
        assert!(!limited.allow_below(Right::Upload, &path("/acme/other")));
        assert!(!limited.allow(Right::Upload, &path("/other/gl")));
        let mut below = limited.below(&path("/acme"));
        assert_eq!(below.child("other"), Sight::Nothing);
        let fresh = Permissions::at(&grants, 1).limited_as(&limited);
        assert!(!fresh.allow(Right::Read, &path("/acme/other")));
    }

    #[test]
    fn a_grant_holds_from_its_start_until_its_end() {
        let mut grant = grant(Role::Viewer, "/");
        grant.from = Some(10);
        grant.until = Some(20);
        let held: Vec<Time> = [9, 10, 19, 20]
            .into_iter()
            .filter(|now| grant.holds(*now))
            .collect();
        assert_eq!(held, [10, 19]);
    }

    #[test]
    fn nothing_is_allowed_by_default_and_roles_do_not_add_up_across_scopes() {
        let path = TreePath::parse("/acme/gl/2024-03").unwrap();
        assert!(!Permissions::default().allow(Right::Read, &path));
        let grants = [
            grant(Role::Viewer, "/acme/"),
            grant(Role::Uploader, "/other/"),
        ];
        let permissions = Permissions::at(&grants.map(Arc::new), 0);
        assert!(permissions.allow(Right::Read, &path));
        assert!(!permissions.allow(Right::Upload, &path));
        assert!(permissions.allow_somewhere(Right::Upload));
    }
}
