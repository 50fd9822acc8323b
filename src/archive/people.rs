//! People and what they are granted: adding, changing, and the picture of all of them in memory.

use std::collections::HashMap;

use super::fold::object;
use super::kind::{self, Draft, OPERATOR};
use super::rows::{GrantRow, UserRow, decode, key, last_part};
use super::writer::Desk;
use super::{Archive, ArchiveError, random};
use crate::access::{Grant, Permissions, Role, Scope, Time};
use crate::store::{Store, put_object};
use crate::voucher::{Invalid, Name};

/// Rows read at once when the picture is built.
const PAGE: usize = 1_000;

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id by which the log knows them, such as `u2`.
    pub id: String,
    /// The name with which they sign in.
    pub name: String,
    /// When they were added.
    pub added: Time,
    /// Since when they cannot sign in any more.
    pub disabled: Option<Time>,
    /// Public keys that they sign with, as the log has them (C2SP signed-note), the current one last.
    pub keys: Vec<String>,
}

/// A grant with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRecord {
    /// Such as `g3`.
    pub id: String,
    /// The id of the user.
    pub user: String,
    /// What is granted.
    pub grant: Grant,
    /// When it was added.
    pub added: Time,
    /// When it was revoked.
    pub revoked: Option<Time>,
}

impl GrantRecord {
    /// Whether the grant stood, and held, at `time`.
    pub fn held(&self, time: Time) -> bool {
        self.added <= time
            && self.revoked.is_none_or(|revoked| time < revoked)
            && self.grant.holds(time)
    }
}

/// All users and grants as they are now.
#[derive(Debug, Default)]
pub struct People {
    users: Vec<User>,
    grants: Vec<GrantRecord>,
    ids: HashMap<String, usize>,
    names: HashMap<String, usize>,
    granted: HashMap<String, Vec<Grant>>,
}

impl People {
    pub(super) fn read(store: &dyn Store) -> Result<People, ArchiveError> {
        let mut people = People::default();
        each(store, &key::user(""), |key, row| {
            let user: UserRow = decode(key, row)?;
            people.users.push(User {
                id: last_part(key),
                name: user.name,
                added: user.added,
                disabled: user.disabled,
                keys: user.keys.into_iter().map(|key| key.vkey).collect(),
            });
            Ok(())
        })?;
        each(store, &key::grant(""), |key, row| {
            let grant: GrantRow = decode(key, row)?;
            let scope = Scope::parse(&grant.scope)
                .map_err(|error| ArchiveError::Broken(format!("{}: {error}", last_part(key))))?;
            people.grants.push(GrantRecord {
                id: last_part(key),
                user: grant.user,
                grant: Grant {
                    role: grant.role,
                    scope,
                    from: grant.from,
                    until: grant.until,
                },
                added: grant.added,
                revoked: grant.revoked,
            });
            Ok(())
        })?;
        people.users.sort_by_key(|user| number(&user.id));
        people.grants.sort_by_key(|grant| number(&grant.id));
        for (at, user) in people.users.iter().enumerate() {
            people.ids.insert(user.id.clone(), at);
            people.names.insert(user.name.clone(), at);
        }
        for record in people
            .grants
            .iter()
            .filter(|record| record.revoked.is_none())
        {
            let granted = people.granted.entry(record.user.clone()).or_default();
            granted.push(record.grant.clone());
        }
        Ok(people)
    }

    /// Everybody, in the order in which they were added.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Every grant that ever was, in the order in which they were added.
    pub fn grants(&self) -> &[GrantRecord] {
        &self.grants
    }

    /// The user of this id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.ids.get(id).map(|at| &self.users[*at])
    }

    /// The user of this name.
    pub fn named(&self, name: &str) -> Option<&User> {
        self.names.get(name).map(|at| &self.users[*at])
    }

    /// What a user may do at `now`; a disabled one nothing.
    pub fn permissions(&self, id: &str, now: Time) -> Permissions {
        match self.user(id) {
            Some(user) if user.disabled.is_none() => {
                let granted = self.granted.get(id).map_or(&[][..], Vec::as_slice);
                Permissions::at(granted, now)
            }
            _ => Permissions::default(),
        }
    }
}

/// The number in an id such as `u12`.
fn number(id: &str) -> u64 {
    id.get(1..)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

fn each(
    store: &dyn Store,
    prefix: &[u8],
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut after = Vec::new();
    loop {
        let rows = store.scan(prefix, &after, PAGE)?;
        for (key, row) in &rows {
            visit(key, row)?;
        }
        match rows.last() {
            Some((key, _)) => after.clone_from(key),
            None => return Ok(()),
        }
    }
}

/// The id of the user of this name, as the index has it after the jobs before.
fn user_id(desk: &Desk<'_>, name: &str) -> Result<String, ArchiveError> {
    desk.rows.get(&key::user_name(name))?.ok_or_else(|| {
        let hint = "`vouchsafe user list` shows everybody";
        Invalid::new("user", format!("there is no user {name}"), hint).into()
    })
}

fn next_id(desk: &Desk<'_>, kind: &str, letter: char) -> Result<String, ArchiveError> {
    let count: u64 = desk.rows.get(&key::count(kind))?.unwrap_or(0);
    Ok(format!("{letter}{}", count + 1))
}

pub(super) fn place_of(user: &str) -> String {
    format!("/_people/{user}")
}

/// A user's name in the form in which it is kept.
fn user_name(name: &str) -> Result<String, ArchiveError> {
    let checked = Name::new(name).map_err(|error| {
        Invalid::new(
            "user",
            error.to_string(),
            "choose a name such as ann or 张三",
        )
    })?;
    Ok(checked.to_string())
}

impl Archive {
    /// Adds a user who signs in with this password; gives their id.
    pub fn add_user(&self, name: &str, password: &str) -> Result<String, ArchiveError> {
        super::credentials::check_password(password)?;
        let name = user_name(name)?;
        let file = kind::UserFile { name: name.clone() };
        let content =
            serde_json::to_vec(&file).map_err(|error| ArchiveError::Fault(error.to_string()))?;
        let digests = put_object(&*self.records.store, &content)?;
        let user = object("user.json", "application/json", &digests);
        let id = self.commit(move |desk| {
            if desk.rows.get::<String>(&key::user_name(&name))?.is_some() {
                return Err(ArchiveError::conflict(
                    format!("there is a user {name} already"),
                    "choose another name, or change their password with `vouchsafe user passwd`",
                ));
            }
            let id = next_id(desk, "user", 'u')?;
            let draft = Draft::new(OPERATOR, kind::USER_ADDED, place_of(&id), &())?;
            desk.write(draft.with(vec![user]));
            Ok(id)
        })?;
        // A crash before this leaves a user without a password, whom `user passwd` mends.
        self.credentials.set_password(&id, password)?;
        Ok(id)
    }

    /// Gives a user a new password.
    pub fn change_password(&self, name: &str, password: &str) -> Result<(), ArchiveError> {
        super::credentials::check_password(password)?;
        let name = user_name(name)?;
        let id = self.commit(move |desk| {
            let id = user_id(desk, &name)?;
            let draft = Draft::new(OPERATOR, kind::USER_PASSWORD_CHANGED, place_of(&id), &())?;
            desk.write(draft);
            Ok(id)
        })?;
        self.credentials.set_password(&id, password)?;
        self.signed_in.forget_all();
        Ok(())
    }

    /// Ends a user's access; what they did stays theirs.
    pub fn disable_user(&self, name: &str) -> Result<(), ArchiveError> {
        let name = user_name(name)?;
        self.commit(move |desk| {
            let id = user_id(desk, &name)?;
            desk.write(Draft::new(
                OPERATOR,
                kind::USER_DISABLED,
                place_of(&id),
                &(),
            )?);
            Ok(())
        })?;
        self.signed_in.forget_all();
        Ok(())
    }

    /// Makes a token for a user, valid until `until`. It is shown once and kept nowhere.
    pub fn add_token(&self, name: &str, until: Option<Time>) -> Result<String, ArchiveError> {
        let name = user_name(name)?;
        let token = random::<4>()?;
        let token = format!("t{}", vouchsafe_evidence::digest::to_hex(&token));
        let logged = kind::TokenAdded {
            token: token.clone(),
            until,
        };
        let id = self.commit(move |desk| {
            let id = user_id(desk, &name)?;
            desk.write(Draft::new(
                OPERATOR,
                kind::USER_TOKEN_ADDED,
                place_of(&id),
                &logged,
            )?);
            Ok(id)
        })?;
        self.credentials.add_token(&id, &token, until)
    }

    /// Grants a role below a scope; gives the grant's id.
    pub fn add_grant(&self, name: &str, grant: Grant) -> Result<String, ArchiveError> {
        let name = user_name(name)?;
        if let (Some(from), Some(until)) = (grant.from, grant.until)
            && until <= from
        {
            let hint = "give an end that is later than the start";
            return Err(Invalid::new("until", "the grant ends before it begins", hint).into());
        }
        self.commit(move |desk| {
            let user = user_id(desk, &name)?;
            let id = next_id(desk, "grant", 'g')?;
            let body = kind::GrantAdded {
                grant: id.clone(),
                user: user.clone(),
                role: grant.role,
                scope: grant.scope.to_string(),
                from: grant.from,
                until: grant.until,
            };
            desk.write(Draft::new(
                OPERATOR,
                kind::GRANT_ADDED,
                place_of(&user),
                &body,
            )?);
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
            desk.write(Draft::new(
                OPERATOR,
                kind::GRANT_REVOKED,
                place_of(&row.user),
                &body,
            )?);
            Ok(())
        })
    }

    /// Makes the first user of a new archive.
    pub(super) fn add_first_admin(&self, name: &str, password: &str) -> Result<(), ArchiveError> {
        self.add_user(name, password)?;
        let scope = Scope::parse("/").map_err(|error| ArchiveError::Fault(error.to_string()))?;
        let grant = Grant {
            role: Role::Admin,
            scope,
            from: None,
            until: None,
        };
        self.add_grant(name, grant).map(|_| ())
    }
}
