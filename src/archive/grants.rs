//! Grants and groups: who may do what, now and at any time before, and the proof of it.

use serde::Serialize;

use super::documents::rfc3339;
use super::kind::{self, Draft, OPERATOR};
use super::people::{next_id, number, place_of, user_id, user_name};
use super::rows::{GrantRow, MembershipRow, decode, each, key, last_part};
use super::{Archive, ArchiveError, Caller, People, Records};
use crate::access::{Grant, Right, Scope, Time};
use crate::catalog::TreePath;
use crate::store::Store;
use crate::voucher::Invalid;

/// What the name of a group begins with, where a user could stand as well.
pub const GROUP_MARK: char = '@';

/// A grant with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRecord {
    /// Such as `g3`.
    pub id: String,
    /// The id of the user, or the name of the group with its `@`.
    pub holder: String,
    /// What is granted.
    pub grant: Grant,
    /// When it was added.
    pub added: Time,
    /// The entry that added it.
    pub entry: u64,
    /// When it was revoked.
    pub revoked: Option<Time>,
    /// The entry that revoked it.
    pub revoked_entry: Option<u64>,
}

/// That a user is, or was, in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Name of the group with its `@`.
    pub group: String,
    /// Id of the user.
    pub user: String,
    /// When they came.
    pub added: Time,
    /// The entry that says so.
    pub entry: u64,
    /// When they left.
    pub removed: Option<Time>,
}

fn stood(time: Time, from: Time, until: Option<Time>) -> bool {
    from <= time && until.is_none_or(|until| time < until)
}

impl GrantRecord {
    /// Whether the grant stood, and held, at `time`.
    pub fn held(&self, time: Time) -> bool {
        stood(time, self.added, self.revoked) && self.grant.holds(time)
    }
}

impl Membership {
    /// Whether the user was in the group at `time`.
    pub fn held(&self, time: Time) -> bool {
        stood(time, self.added, self.removed)
    }
}

pub(super) fn read_grants(store: &dyn Store) -> Result<Vec<GrantRecord>, ArchiveError> {
    let mut grants = Vec::new();
    each(store, &key::grant(""), &[], |key, row| {
        let grant: GrantRow = decode(key, row)?;
        let scope = Scope::parse(&grant.scope)
            .map_err(|error| ArchiveError::Broken(format!("{}: {error}", last_part(key))))?;
        grants.push(GrantRecord {
            id: last_part(key),
            holder: grant.user,
            grant: Grant {
                role: grant.role,
                scope,
                from: grant.from,
                until: grant.until,
            },
            added: grant.added,
            entry: grant.seq,
            revoked: grant.revoked,
            revoked_entry: grant.revoked_seq,
        });
        Ok(())
    })?;
    grants.sort_by_key(|grant| number(&grant.id));
    Ok(grants)
}

pub(super) fn read_memberships(store: &dyn Store) -> Result<Vec<Membership>, ArchiveError> {
    let mut memberships = Vec::new();
    each(store, &key::memberships(), &[], |key, row| {
        let times: Vec<MembershipRow> = decode(key, row)?;
        let group = key::group_of_membership(key);
        memberships.extend(times.into_iter().map(|row| Membership {
            group: group.clone(),
            user: last_part(key),
            added: row.added,
            entry: row.seq,
            removed: row.removed,
        }));
        Ok(())
    })?;
    Ok(memberships)
}

/// A group's name in the form in which it is kept, with its `@`.
fn group_name(name: &str) -> Result<String, ArchiveError> {
    let bare = name.strip_prefix(GROUP_MARK).unwrap_or(name);
    let checked = user_name(bare).map_err(|_| {
        Invalid::new(
            "group",
            "not a name of a group",
            "write it like @accounting",
        )
    })?;
    Ok(format!("{GROUP_MARK}{checked}"))
}

impl Archive {
    /// Grants a role below a scope to a user, or to a group (`@accounting`); gives the grant's id.
    pub fn add_grant(&self, name: &str, grant: Grant) -> Result<String, ArchiveError> {
        let name = match name.starts_with(GROUP_MARK) {
            true => group_name(name)?,
            false => user_name(name)?,
        };
        if let (Some(from), Some(until)) = (grant.from, grant.until)
            && until <= from
        {
            let hint = "give an end that is later than the start";
            return Err(Invalid::new("until", "the grant ends before it begins", hint).into());
        }
        self.commit(move |desk| {
            let user = match name.starts_with(GROUP_MARK) {
                true => name,
                false => user_id(desk, &name)?,
            };
            let id = next_id(desk, "grant", 'g')?;
            let body = kind::GrantAdded {
                grant: id.clone(),
                user: user.clone(),
                role: grant.role,
                scope: grant.scope.to_string(),
                from: grant.from,
                until: grant.until,
            };
            let place = place_of(&user);
            desk.write(Draft::new(OPERATOR, kind::GRANT_ADDED, place, &body)?);
            Ok(id)
        })
    }

    /// Takes a grant back.
    pub fn revoke_grant(&self, id: &str) -> Result<(), ArchiveError> {
        let grant = id.to_owned();
        self.commit(move |desk| {
            let hint = "`vouchsafe grant list` shows the grants";
            let row: GrantRow = desk
                .rows
                .get(&key::grant(&grant))?
                .ok_or_else(|| Invalid::new("grant", format!("there is no grant {grant}"), hint))?;
            if row.revoked.is_some() {
                let error = format!("the grant {grant} is revoked already");
                return Err(ArchiveError::conflict(error, hint));
            }
            let body = kind::GrantRevoked { grant };
            let place = place_of(&row.user);
            desk.write(Draft::new(OPERATOR, kind::GRANT_REVOKED, place, &body)?);
            Ok(())
        })
    }

    /// Puts a user into a group, or takes them out of it. A group is there as soon as somebody is in it or something
    /// is granted to it.
    pub fn change_group(&self, group: &str, user: &str, member: bool) -> Result<(), ArchiveError> {
        let (group, user) = (group_name(group)?, user_name(user)?);
        self.commit(move |desk| {
            let id = user_id(desk, &user)?;
            let times: Option<Vec<MembershipRow>> = desk.rows.get(&key::membership(&group, &id))?;
            let last = times.as_ref().and_then(|times| times.last());
            if last.is_some_and(|last| last.removed.is_none()) == member {
                let word = if member { "already" } else { "not" };
                let hint = "`vouchsafe group list` shows who is in which";
                return Err(ArchiveError::conflict(
                    format!("{user} is {word} in {group}"),
                    hint,
                ));
            }
            let kind = match member {
                true => kind::GROUP_MEMBER_ADDED,
                false => kind::GROUP_MEMBER_REMOVED,
            };
            let body = kind::GroupMember { group };
            desk.write(Draft::new(OPERATOR, kind, place_of(&id), &body)?);
            Ok(())
        })
    }
}

/// Why somebody could see something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Because {
    /// Id of the grant.
    pub grant: String,
    /// Its role.
    pub role: &'static str,
    /// Its scope.
    pub scope: String,
    /// The group that it was given to, where it was not given to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The entries that say so: of the grant, and of the membership.
    pub entries: Vec<u64>,
}

/// Somebody who could see a place, or something below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CouldSee {
    /// Their id.
    pub user: String,
    /// Their name.
    pub name: String,
    /// Whether they could see the place and everything below it.
    pub whole: bool,
    /// The grants by which.
    pub because: Vec<Because>,
}

/// Who could see a place at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The place.
    pub path: String,
    /// RFC 3339.
    pub at: String,
    /// In the order in which they were added.
    pub people: Vec<CouldSee>,
    /// For every entry that is named above, its C2SP tlog-proof, in the order of the log. That nothing was revoked in
    /// between is proven by the whole log, which `vouchsafe verify` reads.
    pub proofs: Vec<Proof>,
}

/// An entry with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Its number.
    pub entry: u64,
    /// C2SP tlog-proof; its extra data is the entry.
    pub proof: String,
}

impl People {
    /// Who could see `path`, or something below it, at `time`.
    pub fn could_see(&self, path: &TreePath, time: Time) -> Vec<CouldSee> {
        let there = |user: &&super::User| stood(time, user.added, user.disabled);
        let people = self.users().iter().filter(there).filter_map(|user| {
            let mut seen = CouldSee {
                user: user.id.clone(),
                name: user.name.clone(),
                whole: false,
                because: Vec::new(),
            };
            let held = self.grants().iter().filter(|record| record.held(time));
            for record in held.filter(|it| it.grant.role.has(Right::Read)) {
                let own = record.holder == user.id;
                let mut memberships = self.memberships().iter();
                let membership = memberships
                    .find(|it| it.user == user.id && it.group == record.holder && it.held(time));
                let scope = &record.grant.scope;
                if !(own || membership.is_some()) || !scope.reaches_below(path) {
                    continue;
                }
                seen.whole |= scope.covers(path);
                seen.because.push(Because {
                    grant: record.id.clone(),
                    role: record.grant.role.name(),
                    scope: scope.to_string(),
                    group: membership.map(|it| it.group.clone()),
                    entries: membership
                        .map(|it| it.entry)
                        .into_iter()
                        .chain([record.entry])
                        .collect(),
                });
            }
            (!seen.because.is_empty()).then_some(seen)
        });
        people.collect()
    }
}

impl Records {
    /// Who could see what is at `path` at `time`, with the proof of each grant: for admins, and for those who verify
    /// that part of the tree.
    pub fn access_at(
        &self,
        caller: &Caller,
        path: &TreePath,
        time: Time,
    ) -> Result<Access, ArchiveError> {
        let permissions = &caller.permissions;
        if !permissions.allow_somewhere(Right::Administer)
            && !permissions.allow(Right::Verify, path)
        {
            return Err(ArchiveError::denied(
                "who could see what is told to admins, and to those who verify that part of the tree",
                "ask a compliance team",
            ));
        }
        let people = self.people().could_see(path, time);
        let entries = people.iter().flat_map(|it| &it.because);
        let mut entries: Vec<u64> = entries.flat_map(|it| &it.entries).copied().collect();
        entries.sort_unstable();
        entries.dedup();
        let proofs = entries.into_iter().map(|entry| {
            let proof = self.prove_entry(entry)?.to_text();
            Ok(Proof { entry, proof })
        });
        Ok(Access {
            path: path.to_string(),
            at: rfc3339(time),
            proofs: proofs.collect::<Result<_, ArchiveError>>()?,
            people,
        })
    }
}
