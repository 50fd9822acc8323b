//! The access room: who may do what below which path, and when. Pure decisions; denial is the default.
//!
//! It does not know how people prove who they are, where grants are kept, or what time it is.

mod role;
mod scope;

pub use role::{Right, Role};
pub use scope::{Scope, ScopeError};

use std::collections::{BTreeSet, HashMap};
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
    grants: Vec<Arc<Grant>>,
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

/// What one user may do below one folder, laid out so that a listing of many thousands asks each name in a moment, however
/// many grants there are.
#[derive(Debug)]
pub struct Below {
    folder: TreePath,
    at: Time,
    limit: Option<Arc<Scope>>,
    /// Grants by what the names begin with that they have in the folder.
    beginnings: HashMap<String, Vec<Arc<Grant>>>,
    /// Lengths of the beginnings in bytes, each once.
    lengths: BTreeSet<usize>,
    /// All others that reach below the folder: ranges, and what covers it.
    others: Vec<Arc<Grant>>,
}

impl Permissions {
    /// What the user may do below `folder`.
    pub fn below(&self, folder: &TreePath) -> Below {
        let depth = folder.segments().len();
        let mut below = Below {
            folder: folder.clone(),
            at: self.at,
            limit: self.limit.clone(),
            beginnings: HashMap::new(),
            lengths: BTreeSet::new(),
            others: Vec::new(),
        };
        let reaching = self.grants.iter();
        for grant in reaching.filter(|grant| grant.scope.reaches_below(folder)) {
            match grant.scope.beginning(depth) {
                Some(beginning) => {
                    below.lengths.insert(beginning.len());
                    let grants = below.beginnings.entry(beginning.to_owned()).or_default();
                    grants.push(Arc::clone(grant));
                }
                None => below.others.push(Arc::clone(grant)),
            }
        }
        below
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }
}

impl Below {
    /// What the user may do at the place of this name in the folder, and below it. Decisions elsewhere need all permissions.
    pub fn child(&self, name: &str) -> Permissions {
        let path = self.folder.child(name);
        let beginnings = self.lengths.iter().filter_map(|length| name.get(..*length));
        let candidates = beginnings
            .filter_map(|beginning| self.beginnings.get(beginning))
            .flatten()
            .chain(&self.others);
        Permissions {
            at: self.at,
            limit: self.limit.clone(),
            grants: candidates
                .filter(|grant| grant.scope.reaches_below(&path))
                .map(Arc::clone)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(role: Role, scope: &str) -> Grant {
        Grant {
            role,
            scope: Scope::parse(scope).unwrap(),
            from: None,
            until: None,
        }
    }

    proptest! {
        /// What is narrowed to a child decides below it as everything would.
        #[test]
        fn what_is_narrowed_to_a_child_decides_the_same(
            scopes in prop::collection::vec("/([ab*]{1,2}|a\\.\\.b)(/([ab*]{1,2}|a\\.\\.b)){0,3}", 0..8),
            folder in "(/[ab]{1,2}){0,2}",
            rest in "(/[ab]{1,2}){1,2}",
        ) {
            let scopes = scopes.iter().filter_map(|scope| Scope::parse(scope).ok());
            let grants: Vec<_> = scopes
                .map(|scope| Arc::new(Grant { role: Role::Viewer, scope, from: None, until: None }))
                .collect();
            let all = Permissions::at(&grants, 0);
            let folder = TreePath::parse(&format!("/{}", folder.trim_start_matches('/'))).unwrap();
            let path = rest.split('/').skip(1).fold(folder.clone(), |path, step| path.child(step));
            let child = &path.segments()[folder.segments().len()];
            let narrowed = all.below(&folder).child(child);
            prop_assert_eq!(narrowed.allow(Right::Read, &path), all.allow(Right::Read, &path));
            prop_assert_eq!(narrowed.allow_below(Right::Read, &path), all.allow_below(Right::Read, &path));
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
        let child = limited.below(&path("/acme")).child("other");
        assert!(!child.allow(Right::Read, &path("/acme/other")));
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
