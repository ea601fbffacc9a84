//! Users.

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Relation, Saved, Table, checked, gone,
};
use crate::{
    auth::lock,
    mail::is_address,
    operations::{
        Rule,
        accounts::{self, AccountChanges, NewAccount},
    },
    store::{
        self, DbConn, Transaction,
        admin::{
            Slice,
            users::{self, Row, Search, SignIns},
        },
        audit::Actor,
        now, user_suspensions,
    },
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "users",
    resource: "users",
    one: "user",
    many: "Users",
    searches: "Name, address or id",
    columns: &[
        Column::new("id", "Id"),
        Column::new("email", "Address"),
        Column::new("name", "Name"),
        Column::new("is_root", "Root"),
        Column::new("confirmed_at", "Confirmed"),
        Column::unsorted("State"),
        Column::new("inserted_at", "Created"),
    ],
    order: ("id", false),
    filters: &[
        Filter::new("is_root", "Root", FilterKind::YesNo),
        Filter::new("is_confirmed", "Confirmed", FilterKind::YesNo),
        Filter::new("is_locked", "Locked", FilterKind::YesNo),
        Filter::new("is_suspended", "Suspended", FilterKind::YesNo),
    ],
    fields: &[
        Field::new("email", "Address", FieldKind::Email, On::Both).required(),
        Field::new("name", "Name", FieldKind::Text, On::Both).required(),
        Field::new("password", "Password", FieldKind::Password, On::New)
            .hint("At least 8 characters. Without one the user cannot sign in until it is reset by mail."),
        Field::new("password", "New password", FieldKind::Password, On::Edit).hint(
            "At least 8 characters; leave it empty to keep the old one. A new one ends all sessions and consoles of the \
             user. API tokens stay valid, which the user is told by mail.",
        ),
        Field::new("is_root", "Root", FieldKind::Checkbox, On::Both)
            .hint("Every organization and this admin are open to root users.")
            .only_in_form(),
        Field::new("confirm_root", "Yes, make this user root", FieldKind::Checkbox, On::Both)
            .hint("Tick this as well to make a user root.")
            .only_in_form(),
        Field::new("confirmed", "Confirmed", FieldKind::Checkbox, On::Both)
            .hint(
                "A user cannot sign in with an unconfirmed address. Clearing this ends sessions and sockets, and makes \
                 tokens and JWTs invalid until the address is confirmed again, which the user can do by mail. To keep \
                 a user out, suspend them.",
            ),
    ],
    actions: &[
        (Action::Unlock, ""),
        (
            Action::Suspend,
            "The user loses all access: sockets are closed, browsers are signed out, and tokens, JWTs and invitations \
             are invalid. Nothing is deleted. Reinstating the user makes tokens and JWTs valid again.",
        ),
        (Action::Reinstate, ""),
        (
            Action::Delete,
            "The user's tokens, enrollments and sessions are deleted too, and the user's sockets are closed. \
             Organizations and applications stay. This cannot be undone.",
        ),
    ],
    relations: &[
        Relation { table: Table::UserTokens, filter: "user_id", field: Some("user") },
        Relation { table: Table::Enrollments, filter: "user_id", field: Some("user") },
    ],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search {
        text: query.text("q"),
        is_root: query.flag("is_root"),
        is_confirmed: query.flag("is_confirmed"),
        is_locked: query.flag("is_locked"),
        is_suspended: query.flag("is_suspended"),
        locked_until: now() - lock::DURATION,
    };
    let found = users::list(conn, &search, query.order(), slice).await?;
    let ids: Vec<i32> = found.rows.iter().map(|row| row.id).collect();
    let suspended = user_suspensions::suspended_of(conn, &ids).await?;
    let lines = found.rows.iter().map(|row| line(row, suspended.contains(&row.id))).collect();
    Ok(Lines { lines, total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some((row, sign_ins)) = users::find(conn, id).await? else { return Ok(None) };
    Ok(Some(record(&row, &sign_ins, user_suspensions::is_suspended(conn, id).await?)))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Option<i32>,
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    draft.form.require(&["email"]);
    match id {
        Some(id) => update(tx, actor, id, draft).await,
        None => create(tx, actor, draft).await,
    }
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    action: Action,
) -> Result<bool, Refusal> {
    match action {
        Action::Delete => {
            accounts::delete(tx, actor, id).await?;
            Ok(true)
        }
        Action::Unlock => Ok(accounts::unlock(tx, actor, id).await?),
        Action::Suspend => Ok(accounts::suspend(tx, actor, id).await?),
        Action::Reinstate => Ok(accounts::reinstate(tx, actor, id).await?),
        _ => Ok(false),
    }
}

/// Returns the reason why root users cannot do this to themselves, known before they are asked to confirm it.
pub(in crate::web::admin) fn refusal(id: i32, action: Action, actor_id: i32) -> Option<&'static str> {
    let is_own = id == actor_id && action == Action::Delete;
    is_own.then_some(Rule::OwnDeletion.message())
}

fn line(row: &Row, is_suspended: bool) -> Line {
    let email = row.email.as_deref().unwrap_or_default();
    let toggle = |flag, value, label| Cell::toggle("users", row.id, flag, value, format!("{label}: {email}"));
    let cells = vec![
        Cell::number(row.id),
        Cell::row("users", row.id, email),
        Cell::text(row.name.as_deref()),
        Cell::YesNo { value: row.is_root },
        toggle("confirmed", row.confirmed_at.is_some(), "Confirmed"),
        state(row, is_suspended),
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

fn state(row: &Row, is_suspended: bool) -> Cell {
    match (is_suspended, is_locked(row)) {
        (true, _) => Cell::Badge { text: "Suspended", tone: "bad" },
        (false, true) => Cell::Badge { text: "Locked", tone: "bad" },
        (false, false) => Cell::Badge { text: "Open", tone: "" },
    }
}

fn is_locked(row: &Row) -> bool {
    lock::is_locked(row.locked_at, now())
}

fn record(row: &Row, sign_ins: &SignIns, is_suspended: bool) -> Record {
    let facts = vec![
        Fact::new("Address", Cell::text(row.email.as_deref())),
        Fact::new("Name", Cell::text(row.name.as_deref())),
        Fact::new("Root", Cell::YesNo { value: row.is_root }),
        Fact::new("Confirmed", Cell::when(row.confirmed_at)),
        Fact::new("State", state(row, is_suspended)),
        Fact::new("Last locked", Cell::when(row.locked_at)),
        Fact::new("Wrong passwords since the last correct one", Cell::number(sign_ins.failed_attempts.unwrap_or(0))),
        Fact::new("Sign-ins", Cell::number(sign_ins.sign_in_count.unwrap_or(0))),
        Fact::new("Last sign-in", Cell::when(sign_ins.current_sign_in_at)),
        Fact::new("Last sign-in from", Cell::code(sign_ins.current_sign_in_ip.as_deref())),
        Fact::new("Previous sign-in", Cell::when(sign_ins.last_sign_in_at)),
        Fact::new("Previous sign-in from", Cell::code(sign_ins.last_sign_in_ip.as_deref())),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![
        ("email", row.email.clone().unwrap_or_default()),
        ("name", row.name.clone().unwrap_or_default()),
        ("is_root", checked(row.is_root)),
        ("confirmed", checked(row.confirmed_at.is_some())),
    ];
    let unlock = is_locked(row).then_some(Action::Unlock);
    let suspend = if is_suspended { Action::Reinstate } else { Action::Suspend };
    let actions = unlock.into_iter().chain([suspend, Action::Delete]).collect();
    let label = row.email.clone().unwrap_or_else(|| format!("user {}", row.id));
    Record { id: row.id, label, facts, values, actions }
}

async fn create(tx: &mut Transaction<'_>, actor: &Actor, draft: &mut Draft<'_>) -> Result<Saved, Refusal> {
    draft.form.require(&["name"]);
    require_confirmation(draft, false);
    check_address(draft, None);
    draft.check()?;
    let new = NewAccount {
        name: draft.form.value("name"),
        email: draft.form.value("email"),
        password: draft.password.as_ref(),
        is_root: draft.form.is_checked("is_root"),
        is_confirmed: draft.form.is_checked("confirmed"),
    };
    Ok(Saved::created(accounts::create(tx, actor, &new).await?.id))
}

async fn update(tx: &mut Transaction<'_>, actor: &Actor, id: i32, draft: &mut Draft<'_>) -> Result<Saved, Refusal> {
    let (row, _) = users::find(tx, id).await?.ok_or_else(gone)?;
    require_confirmation(draft, row.is_root);
    check_address(draft, row.email.as_deref());
    // Rows of the original may have no name, but can be changed.
    if row.name.is_some() {
        draft.form.require(&["name"]);
    }
    draft.check()?;
    let changes = AccountChanges {
        name: draft.form.value("name"),
        email: draft.form.value("email"),
        is_root: draft.form.is_checked("is_root"),
        is_confirmed: draft.form.is_checked("confirmed"),
        password: draft.password.as_ref(),
    };
    let has_changed = accounts::update(tx, actor, draft.mailing, id, &changes).await?;
    Ok(Saved { id, has_changed })
}

/// Requires a confirmation, recorded beside its field, when a user becomes root: the form must say so twice, against
/// slips.
fn require_confirmation(draft: &mut Draft<'_>, was_root: bool) {
    let becomes_root = draft.form.is_checked("is_root") && !was_root;
    if becomes_root && !draft.form.is_checked("confirm_root") {
        draft.form.error("confirm_root", "must be ticked to make this user root");
    }
}

/// Checks the address. The current one may stay as it is, whatever the original accepted as an address.
fn check_address(draft: &mut Draft<'_>, before: Option<&str>) {
    let typed = draft.form.value("email");
    if !typed.is_empty() && Some(typed) != before && !is_address(typed) {
        draft.form.error("email", "is no address");
    }
}
