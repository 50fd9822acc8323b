//! People: adding and changing them, and the picture in memory of all of them and of what they are granted.

use std::collections::HashMap;
use std::sync::Arc;

use super::grants::{self, GrantRecord, Membership};
use super::kind::{self, Draft, OPERATOR};
use super::rows::{UserRow, decode, each, key, last_part};
use super::writer::Desk;
use super::{Archive, ArchiveError, Caller, random};
use crate::access::{Grant, Permissions, Role, Scope, Time};
use crate::store::{Store, put_object};
use crate::voucher::{Invalid, Name};

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id by which the log knows them, such as `u2`.
    pub id: String,
    /// The name with which they sign in.
    pub name: String,
    /// When they were added.
    pub added: Time,
    /// The entry that added them.
    pub entry: u64,
    /// Since when they cannot sign in any more.
    pub disabled: Option<Time>,
    /// Public keys that they sign with, the current one last.
    pub keys: Vec<PersonalKey>,
}

/// A public key of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalKey {
    /// As the log has it (C2SP signed-note).
    pub vkey: String,
    /// Whether its owner keeps the private half, and not the archive under their password.
    pub outside: bool,
}

/// All users, groups and grants as they are now, with their history.
#[derive(Debug, Default)]
pub struct People {
    users: Vec<User>,
    grants: Vec<GrantRecord>,
    memberships: Vec<Membership>,
    ids: HashMap<String, usize>,
    names: HashMap<String, usize>,
    /// What each user is granted now, by themselves and by their groups.
    granted: HashMap<String, Vec<Arc<Grant>>>,
}

impl People {
    pub(super) fn read(store: &dyn Store) -> Result<People, ArchiveError> {
        let mut people = People::default();
        each(store, &key::user(""), &[], |key, row| {
            let user: UserRow = decode(key, row)?;
            people.users.push(User {
                id: last_part(key),
                name: user.name,
                added: user.added,
                entry: user.seq,
                disabled: user.disabled,
                keys: user
                    .keys
                    .into_iter()
                    .map(|key| PersonalKey {
                        vkey: key.vkey,
                        outside: key.outside,
                    })
                    .collect(),
            });
            Ok(())
        })?;
        people.grants = grants::read_grants(store)?;
        people.memberships = grants::read_memberships(store)?;
        people.users.sort_by_key(|user| number(&user.id));
        for (at, user) in people.users.iter().enumerate() {
            people.ids.insert(user.id.clone(), at);
            people.names.insert(user.name.clone(), at);
        }
        for record in people.grants.iter().filter(|it| it.revoked.is_none()) {
            let grant = Arc::new(record.grant.clone());
            let members = people.memberships.iter().filter(|it| it.removed.is_none());
            let members = members.filter(|it| it.group == record.holder);
            let holders = members.map(|it| &it.user).chain([&record.holder]);
            for holder in holders {
                let granted = people.granted.entry(holder.clone()).or_default();
                granted.push(Arc::clone(&grant));
            }
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

    /// Every membership that ever was, in the order of groups and users.
    pub fn memberships(&self) -> &[Membership] {
        &self.memberships
    }

    /// The user of this id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.ids.get(id).map(|at| &self.users[*at])
    }

    /// The user of this name.
    pub fn named(&self, name: &str) -> Option<&User> {
        self.names.get(name).map(|at| &self.users[*at])
    }

    /// The name of a user, or the id when the name is not known.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.user(id).map_or(id, |user| &user.name)
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
pub(super) fn number(id: &str) -> u64 {
    id.get(1..)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// The id of the user of this name, as the index has it after the jobs before.
pub(super) fn user_id(desk: &Desk<'_>, name: &str) -> Result<String, ArchiveError> {
    desk.rows
        .get(&key::user_name(name))?
        .ok_or_else(|| no_user(name))
}

fn no_user(name: &str) -> ArchiveError {
    let hint = "`vouchsafe user list` shows everybody";
    Invalid::new("user", format!("there is no user {name}"), hint).into()
}

pub(super) fn next_id(desk: &Desk<'_>, kind: &str, letter: char) -> Result<String, ArchiveError> {
    let count: u64 = desk.rows.get(&key::count(kind))?.unwrap_or(0);
    Ok(format!("{letter}{}", count + 1))
}

pub(super) fn place_of(user: &str) -> String {
    format!("/_people/{user}")
}

/// A user's name in the form in which it is kept.
pub(super) fn user_name(name: &str) -> Result<String, ArchiveError> {
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
        let user = kind::object("user.json", "application/json", &digests);
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
        self.credentials.set_password(&id, password, None)?;
        Ok(id)
    }

    /// Gives a user a new password, as an operator. With the `old` one their signing key is kept; without it, because
    /// it is forgotten, the key that it sealed ends, and the next signature makes a new one.
    pub fn change_password(
        &self,
        name: &str,
        old: Option<&str>,
        password: &str,
    ) -> Result<(), ArchiveError> {
        let name = user_name(name)?;
        let people = self.records.people();
        let user = people.named(&name).ok_or_else(|| no_user(&name))?;
        if old.is_some_and(|old| !self.credentials.verifies(Some(&user.id), old)) {
            let hint = "give the password that holds now";
            return Err(Invalid::new("old", "the old password is wrong", hint).into());
        }
        self.set_password(OPERATOR, &user.id, old, password)
    }

    /// Gives the caller a new password in place of the old one; their signing key is kept.
    pub fn change_own_password(
        &self,
        caller: &Caller,
        old: &str,
        password: &str,
    ) -> Result<(), ArchiveError> {
        self.prove_password(caller, old)?;
        self.set_password(&caller.id, &caller.id, Some(old), password)
    }

    /// `old`, where it is given, has been proven.
    fn set_password(
        &self,
        actor: &str,
        id: &str,
        old: Option<&str>,
        password: &str,
    ) -> Result<(), ArchiveError> {
        super::credentials::check_password(password)?;
        let key = match old {
            Some(old) => self.resealed_key(id, old, password)?,
            None => None,
        };
        let draft = Draft::new(actor, kind::USER_PASSWORD_CHANGED, place_of(id), &())?;
        self.commit(move |desk| {
            desk.write(draft);
            Ok(())
        })?;
        self.credentials.set_password(id, password, key)?;
        self.signed_in.forget(id);
        Ok(())
    }

    /// Ends a user's access; what they did stays theirs.
    pub fn disable_user(&self, name: &str) -> Result<(), ArchiveError> {
        let name = user_name(name)?;
        let id = self.commit(move |desk| {
            let id = user_id(desk, &name)?;
            desk.write(Draft::new(
                OPERATOR,
                kind::USER_DISABLED,
                place_of(&id),
                &(),
            )?);
            Ok(id)
        })?;
        self.signed_in.forget(&id);
        Ok(())
    }

    /// Makes a token for a user, valid until `until`, and for `scope` only if there is one. It is shown once and kept
    /// nowhere.
    pub fn add_token(
        &self,
        name: &str,
        until: Option<Time>,
        scope: Option<&Scope>,
    ) -> Result<String, ArchiveError> {
        let name = user_name(name)?;
        let token = random::<4>()?;
        let token = format!("t{}", vouchsafe_evidence::digest::to_hex(&token));
        let scope = scope.map(Scope::to_string);
        let logged = kind::TokenAdded {
            token: token.clone(),
            until,
            scope: scope.clone(),
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
        self.credentials.add_token(&id, &token, until, scope)
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
