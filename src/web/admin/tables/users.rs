//! Users.

use super::{
    Action, Cell, Closing, Column, Description, Differences, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line,
    Lines, On, Query, Record, Refusal, Relation, Saved, Table, checked, gone, roots,
};
use crate::{
    auth::lock,
    mail::{Letter, is_address},
    store::{
        self, DbConn, Transaction,
        admin::{
            Slice,
            users::{self, Changes, Row, Search, SignIns, Sort},
        },
        credentials, email_changes, now, rememberables, sessions,
        users::NewUser,
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
    ],
    fields: &[
        Field::new("email", "Address", FieldKind::Email, On::Both).required(),
        Field::new("name", "Name", FieldKind::Text, On::Both).required(),
        Field::new("password", "Password", FieldKind::Password, On::New)
            .hint("At least 8 characters. Without one nobody can sign in until it is reset by mail."),
        Field::new("password", "New password", FieldKind::Password, On::Edit).hint(
            "At least 8 characters; leave it empty to keep the old one. A new one ends all sessions of the user.",
        ),
        Field::new("is_root", "Root", FieldKind::Checkbox, On::Both)
            .hint("Every organization and this admin are open to root users."),
        Field::new("confirmed", "Confirmed", FieldKind::Checkbox, On::Both)
            .hint("Nobody signs in with an address that is not confirmed. When that is taken back, all sessions end."),
    ],
    actions: &[
        (Action::Unlock, ""),
        (
            Action::Delete,
            "The user's tokens, enrollments and sessions are deleted along, and the user's sockets are closed. \
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
        locked_until: now() - lock::DURATION,
    };
    let sort = match query.sort {
        "email" => Sort::Email,
        "name" => Sort::Name,
        "is_root" => Sort::IsRoot,
        "confirmed_at" => Sort::ConfirmedAt,
        "inserted_at" => Sort::InsertedAt,
        _ => Sort::Id,
    };
    let found = users::list(conn, &search, query.order(sort), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    Ok(users::find(conn, id).await?.map(|(row, sign_ins)| record(&row, &sign_ins)))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    id: Option<i32>,
    draft: &mut Draft,
) -> Result<Saved, Refusal> {
    draft.form.require(&["email"]);
    match id {
        Some(id) => update(tx, id, draft).await,
        None => create(tx, draft).await,
    }
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    id: i32,
    action: Action,
    actor_id: i32,
) -> Result<Option<Saved>, Refusal> {
    let (row, _) = users::find(tx, id).await?.ok_or_else(gone)?;
    match action {
        Action::Delete => delete(tx, &row, actor_id).await.map(Some),
        Action::Unlock if is_locked(&row) => unlock(tx, &row).await.map(Some),
        _ => Ok(None),
    }
}

fn line(row: &Row) -> Line {
    let email = row.email.as_deref().unwrap_or_default();
    let toggle = |flag, value, label| Cell::toggle("users", row.id, flag, value, format!("{label}: {email}"));
    let cells = vec![
        Cell::number(row.id),
        Cell::row("users", row.id, email),
        Cell::text(row.name.as_deref()),
        toggle("is_root", row.is_root, "Root"),
        toggle("confirmed", row.confirmed_at.is_some(), "Confirmed"),
        state(row),
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

fn state(row: &Row) -> Cell {
    match is_locked(row) {
        true => Cell::Badge { text: "Locked", tone: "bad" },
        false => Cell::Badge { text: "Open", tone: "" },
    }
}

fn is_locked(row: &Row) -> bool {
    lock::is_locked(row.locked_at, now())
}

fn record(row: &Row, sign_ins: &SignIns) -> Record {
    let facts = vec![
        Fact::new("Address", Cell::text(row.email.as_deref())),
        Fact::new("Name", Cell::text(row.name.as_deref())),
        Fact::new("Root", Cell::YesNo { value: row.is_root }),
        Fact::new("Confirmed", Cell::when(row.confirmed_at)),
        Fact::new("State", state(row)),
        Fact::new("Last locked", Cell::when(row.locked_at)),
        Fact::new("Wrong passwords since the last right one", Cell::number(sign_ins.failed_attempts.unwrap_or(0))),
        Fact::new("Sign-ins", Cell::number(sign_ins.sign_in_count.unwrap_or(0))),
        Fact::new("Last sign-in", Cell::when(sign_ins.current_sign_in_at)),
        Fact::new("Last sign-in from", Cell::code(sign_ins.current_sign_in_ip.as_deref())),
        Fact::new("Sign-in before that", Cell::when(sign_ins.last_sign_in_at)),
        Fact::new("Before that from", Cell::code(sign_ins.last_sign_in_ip.as_deref())),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![
        ("email", row.email.clone().unwrap_or_default()),
        ("name", row.name.clone().unwrap_or_default()),
        ("is_root", checked(row.is_root)),
        ("confirmed", checked(row.confirmed_at.is_some())),
    ];
    let unlock = is_locked(row).then_some(Action::Unlock);
    let actions = unlock.into_iter().chain([Action::Delete]).collect();
    let label = row.email.clone().unwrap_or_else(|| format!("user {}", row.id));
    Record { id: row.id, label, facts, values, actions }
}

async fn create(tx: &mut Transaction<'_>, draft: &mut Draft) -> Result<Saved, Refusal> {
    draft.form.require(&["name"]);
    check_address(tx, draft, None).await?;
    draft.check()?;
    let new = NewUser {
        name: draft.form.value("name"),
        email: draft.form.value("email"),
        password_hash: draft.password_hash.as_deref(),
        is_root: draft.form.is_checked("is_root"),
        confirmed: draft.form.is_checked("confirmed"),
    };
    let user = store::users::create(tx, &new).await?;
    let mut differences = Differences::default();
    differences.column("email", None, Some(new.email));
    differences.column("name", None, Some(new.name));
    differences.flag("is_root", None, new.is_root);
    differences.flag("confirmed", None, new.confirmed);
    Ok(Saved { id: user.id, differences, ..Saved::default() })
}

async fn update(tx: &mut Transaction<'_>, id: i32, draft: &mut Draft) -> Result<Saved, Refusal> {
    let (row, _) = users::find(tx, id).await?.ok_or_else(gone)?;
    let (is_root, confirmed) = (draft.form.is_checked("is_root"), draft.form.is_checked("confirmed"));
    let was_confirmed = row.confirmed_at.is_some();
    check_address(tx, draft, row.email.as_deref()).await?;
    // Rows of the original may have no name, and are changed all the same.
    if row.name.is_some() {
        draft.form.require(&["name"]);
    }
    draft.check()?;
    if id == draft.actor_id {
        roots::keep_oneself(draft, row.is_root && !is_root, was_confirmed && !confirmed)?;
    } else if row.is_root && (!is_root || was_confirmed && !confirmed) {
        roots::require_remaining(tx, draft.actor_id).await?;
    }
    let changes = Changes {
        name: Some(draft.form.value("name").to_owned()),
        email: Some(draft.form.value("email").to_owned()),
        is_root: Some(is_root),
        confirmed_at: (confirmed != was_confirmed).then(|| confirmed.then(now)),
    };
    let differences = differences(&row, &changes, draft.password_hash.is_some());
    if differences.is_empty() {
        return Ok(Saved { id, ..Saved::default() });
    }
    users::update(tx, id, &changes).await?;
    if changes.email != row.email {
        tell_old_address(tx, &row, draft).await?;
    }
    if let Some(password_hash) = &draft.password_hash {
        set_password(tx, &row, draft, password_hash).await?;
    }
    let is_signed_out = was_confirmed && !confirmed;
    if is_signed_out {
        sign_out(tx, id).await?;
    }
    let mut closing = Closing::default();
    if is_signed_out || (row.is_root && !is_root) {
        closing.user(id);
    }
    Ok(Saved { id, differences, closing, ..Saved::default() })
}

fn differences(row: &Row, changes: &Changes, with_password: bool) -> Differences {
    let mut differences = Differences::default();
    differences.column("email", row.email.as_deref(), changes.email.as_deref());
    differences.column("name", row.name.as_deref(), changes.name.as_deref());
    differences.flag("is_root", Some(row.is_root), changes.is_root.unwrap_or(row.is_root));
    let confirmed = changes.confirmed_at.map_or(row.confirmed_at.is_some(), |at| at.is_some());
    differences.flag("confirmed", Some(row.confirmed_at.is_some()), confirmed);
    if with_password {
        differences.secret("password");
    }
    differences
}

async fn delete(tx: &mut Transaction<'_>, row: &Row, actor_id: i32) -> Result<Saved, Refusal> {
    if row.id == actor_id {
        return Err(Refusal::Because("You cannot delete yourself here."));
    }
    if row.is_root {
        roots::require_remaining(tx, actor_id).await?;
    }
    let deleted = users::delete(tx, row.id).await?;
    let mut differences = Differences::default();
    differences.column("email", None, row.email.as_deref());
    differences.note("tokens", deleted.tokens);
    differences.note("enrollments", deleted.enrollments);
    let mut closing = Closing::default();
    closing.user(row.id);
    Ok(Saved { id: row.id, differences, closing, ..Saved::default() })
}

async fn unlock(tx: &mut Transaction<'_>, row: &Row) -> Result<Saved, Refusal> {
    credentials::unlock(tx, row.id).await?;
    let mut differences = Differences::default();
    differences.column("email", None, row.email.as_deref());
    Ok(Saved { id: row.id, differences, ..Saved::default() })
}

/// The one it has already may stay as it is, whatever the original took for an address.
async fn check_address(conn: &mut DbConn, draft: &mut Draft, before: Option<&str>) -> store::Result<()> {
    let typed = draft.form.value("email").to_owned();
    if typed.is_empty() || Some(typed.as_str()) == before {
        return Ok(());
    }
    if !is_address(&typed) {
        draft.form.error("email", "is no address");
    } else if !before.is_some_and(|before| before.eq_ignore_ascii_case(&typed))
        && credentials::is_taken(conn, &typed).await?
    {
        draft.form.error("email", "has already been taken");
    }
    Ok(())
}

/// Whoever reads mail to the address that the user had learns that it counts no more.
async fn tell_old_address(tx: &mut Transaction<'_>, row: &Row, draft: &Draft) -> store::Result<()> {
    let Some(old) = row.email.as_deref().filter(|email| is_address(email)) else { return Ok(()) };
    let (name, email) = (row.name.as_deref().unwrap_or_default(), draft.form.value("email"));
    let letter = Letter::AddressChanged { name, email, url: &draft.base_url };
    draft.postbox.write(tx, old, &letter).await.map(drop)
}

/// With a new password the user is signed out everywhere, and told so by mail.
async fn set_password(tx: &mut Transaction<'_>, row: &Row, draft: &Draft, hash: &str) -> Result<(), Refusal> {
    credentials::set_password(tx, row.id, hash).await?;
    sign_out(tx, row.id).await?;
    // Whoever knew the old password may have asked for another address.
    email_changes::delete(tx, row.id).await?;
    if let Some(email) = row.email.as_deref().filter(|email| is_address(email)) {
        let (name, url) = (row.name.as_deref().unwrap_or_default(), &format!("{}/passwords/new", draft.base_url));
        draft.postbox.write(tx, email, &Letter::PasswordChanged { name, url }).await?;
    }
    Ok(())
}

/// Ends all sessions of the user, and forgets the browsers that would begin another one.
async fn sign_out(tx: &mut Transaction<'_>, id: i32) -> store::Result<()> {
    sessions::delete_all_of(tx, id).await?;
    rememberables::delete_all_of(tx, id).await
}
