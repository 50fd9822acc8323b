use std::sync::Arc;

use super::{Grant, Permissions, Right, Scope, Time};
use crate::catalog::TreePath;

/// What one user may see below one folder, laid out so that a listing of many thousands asks each name in a moment, however
/// many grants there are.
#[derive(Debug)]
pub struct Below {
    /// Whether the user sees all of the folder.
    all: bool,
    /// Steps from the root to the folder.
    depth: usize,
    at: Time,
    limit: Option<Arc<Scope>>,
    /// Grants whose names in the folder begin alike, in the order of these beginnings.
    by_beginning: Vec<Arc<Grant>>,
    /// Lengths of the beginnings in bytes, each once.
    lengths: Vec<usize>,
    /// All others that reach below the folder: ranges, and what covers it.
    others: Vec<Arc<Grant>>,
    /// The grant that showed the last name: names come in order, so it shows the next one as well, as a rule.
    last: Option<Arc<Grant>>,
}

/// What somebody sees of a name in a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Sight {
    /// Not that it is there.
    Nothing,
    /// It, and everything below it.
    All,
    /// What these permissions allow below it. Decisions elsewhere need all permissions.
    Part(Permissions),
}

impl Permissions {
    /// What the user may see below `folder`.
    pub fn below(&self, folder: &TreePath) -> Below {
        let depth = folder.segments().len();
        let mut below = Below {
            all: self.allow(Right::Read, folder),
            depth,
            at: self.at,
            limit: self.limit.clone(),
            by_beginning: Vec::new(),
            lengths: Vec::new(),
            others: Vec::new(),
            last: None,
        };
        let limit = self.limit.as_ref();
        if below.all || limit.is_some_and(|limit| !limit.reaches_below(folder)) {
            return below;
        }
        let reaching = self.grants.iter();
        for grant in reaching.filter(|grant| grant.scope.reaches_below(folder)) {
            match grant.scope.beginning(depth) {
                Some(beginning) => {
                    below.lengths.push(beginning.len());
                    below.by_beginning.push(Arc::clone(grant));
                }
                None => below.others.push(Arc::clone(grant)),
            }
        }
        below.lengths.sort_unstable();
        below.lengths.dedup();
        below
            .by_beginning
            .sort_by(|a, b| a.scope.beginning(depth).cmp(&b.scope.beginning(depth)));
        below
    }
}

impl Below {
    /// What the user sees of the place of this name in the folder.
    pub fn child(&mut self, name: &str) -> Sight {
        if self.all || self.is_shown_by_last(name) {
            return Sight::All;
        }
        let limit = self.limit.as_ref();
        if limit.is_some_and(|limit| !limit.has_name(self.depth, name)) {
            return Sight::Nothing;
        }
        let whole = |scope: &Scope| scope.depth() <= self.depth + 1;
        if limit.is_none_or(|limit| whole(limit)) {
            let shows = |grant: &&Arc<Grant>| whole(&grant.scope) && grant.role.has(Right::Read);
            let shown = self.granted(name).find(shows).map(Arc::clone);
            if shown.is_some() {
                self.last = shown;
                return Sight::All;
            }
        }
        let grants: Vec<_> = self.granted(name).map(Arc::clone).collect();
        if grants.is_empty() {
            return Sight::Nothing;
        }
        Sight::Part(Permissions {
            grants: grants.into(),
            at: self.at,
            limit: self.limit.clone(),
        })
    }

    /// Whether the grant that showed the last name shows this one, which is told from how it begins. Not where there is a
    /// limit as well, or among the archive's own folders.
    fn is_shown_by_last(&self, name: &str) -> bool {
        let last = self.last.as_ref().filter(|_| self.limit.is_none());
        let beginning = last.and_then(|grant| grant.scope.all_that_begin(self.depth));
        self.depth > 0 && beginning.is_some_and(|beginning| name.starts_with(beginning))
    }

    /// The grants that have something at the name or below it.
    fn granted<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Grant>> {
        let beginnings = self.lengths.iter().filter_map(|length| name.get(..*length));
        beginnings
            .flat_map(|beginning| {
                let of =
                    |grant: &Arc<Grant>| grant.scope.beginning(self.depth).cmp(&Some(beginning));
                let first = self.by_beginning.partition_point(|grant| of(grant).is_lt());
                let same = self.by_beginning[first..].iter();
                same.take_while(move |grant| of(grant).is_eq())
            })
            .chain(&self.others)
            .filter(|grant| grant.scope.has_name(self.depth, name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Role;
    use super::*;

    proptest! {
        /// What is narrowed to a child decides below it as everything would.
        #[test]
        fn what_is_narrowed_to_a_child_decides_the_same(
            scopes in prop::collection::vec("/([ab*]{1,2}|a\\.\\.b)(/([ab*]{1,2}|a\\.\\.b)){0,3}", 0..8),
            folder in "(/[ab]{1,2}){0,2}",
            rest in "(/[ab]{1,2}){1,2}",
            before in "[ab]{1,2}",
        ) {
            let scopes = scopes.iter().filter_map(|scope| Scope::parse(scope).ok());
            let grants: Vec<_> = scopes
                .map(|scope| Arc::new(Grant { role: Role::Viewer, scope, from: None, until: None }))
                .collect();
            let all = Permissions::at(&grants, 0);
            let folder = TreePath::parse(&format!("/{}", folder.trim_start_matches('/'))).unwrap();
            let path = rest.split('/').skip(1).fold(folder.clone(), |path, step| path.child(step));
            let child = &path.segments()[folder.segments().len()];
            let mut below = all.below(&folder);
            // What was asked for before changes nothing.
            below.child(&before);
            let sight = below.child(child);
            let at_child = folder.child(child);
            prop_assert_eq!(sight == Sight::All, all.allow(Right::Read, &at_child));
            prop_assert_eq!(sight == Sight::Nothing, !all.allow_below(Right::Read, &at_child));
            if let Sight::Part(narrowed) = sight {
                prop_assert_eq!(narrowed.allow(Right::Read, &path), all.allow(Right::Read, &path));
                prop_assert_eq!(narrowed.allow_below(Right::Read, &path), all.allow_below(Right::Read, &path));
            }
        }
    }
}
