//! Organizations, their members and their applications.

use pusher_lite::store::{
    DbConn, Error, Reference, Transaction, applications, enrollments, organizations, ownerships, users,
};

use crate::support::database::TestDatabase;

fn named<'a>(name: &'a str, slug: &'a str) -> organizations::NewOrganization<'a> {
    organizations::NewOrganization { name, slug, archived_at: None }
}

async fn user(conn: &mut DbConn, id: i32) -> users::User {
    users::find(conn, id).await.unwrap().expect("the user is in the dump")
}

db_test!(who_creates_one_administers_it);
async fn who_creates_one_administers_it(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let created = db
        .transaction(async |tx: &mut Transaction<'_>| {
            organizations::create(tx, &named("Lone Org", "lone-org"), 5).await
        })
        .await
        .unwrap();
    let conn = &mut db.conn().await.unwrap();
    let creator = user(conn, 5).await;
    assert_eq!(organizations::list(conn, &creator).await.unwrap(), std::slice::from_ref(&created));
    assert!(enrollments::find(conn, 5, created.id).await.unwrap().unwrap().is_admin);
    let root = user(conn, 1).await;
    assert_eq!(organizations::list(conn, &root).await.unwrap().len(), 3, "root users see all");
}

db_test!(it_is_found_by_id_and_slug_by_those_enrolled);
async fn it_is_found_by_id_and_slug_by_those_enrolled(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let conn = &mut db.conn().await.unwrap();
    for (user_id, reference, id) in [
        (3, "1", Some(1)),
        (3, "acme-inc", Some(1)),
        (2, "1", None),
        (2, "acme-inc", None),
        (1, "second-org", Some(2)),
        (1, "1abc", None),
        (1, "-1", None),
        (1, "99999999999999999999", None),
        (1, "nope\0", None),
    ] {
        let user = user(conn, user_id).await;
        let found = organizations::find(conn, &user, Reference::parse(reference)).await.unwrap();
        assert_eq!(found.map(|found| found.id), id, "user {user_id}, {reference:?}");
    }
}

db_test!(admins_are_told_as_the_original_does);
async fn admins_are_told_as_the_original_does(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let conn = &mut db.conn().await.unwrap();
    for (user_id, is_root, reference, administers) in [
        (2, false, "2", true),
        (2, false, "second-org", true),
        (2, false, "1", false),
        (4, false, "1", false),
        (2, false, "2abc", true),
        (1, true, "2", true),
        (1, true, "1abc", true),
        (1, true, "nope", false),
        (1, true, "99999", false),
    ] {
        let found = enrollments::administers(conn, user_id, is_root, Reference::parse(reference)).await.unwrap();
        assert_eq!(found, administers, "user {user_id}, {reference}");
    }
}

db_test!(a_slug_that_is_taken_is_told_by_its_field);
async fn a_slug_that_is_taken_is_told_by_its_field(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let create = async |tx: &mut Transaction<'_>| organizations::create(tx, &named("Acme", "acme-inc"), 1).await;
    let refused = db.transaction(create).await;
    assert!(matches!(refused, Err(Error::Duplicate { field: "slug" })), "{refused:?}");
    let changes = organizations::Changes { slug: Some("acme-inc".to_owned()), ..Default::default() };
    let refused = db.transaction(async |tx: &mut Transaction<'_>| organizations::update(tx, 2, &changes).await).await;
    assert!(matches!(refused, Err(Error::Duplicate { field: "slug" })), "{refused:?}");
}

db_test!(changes_leave_the_rest_alone);
async fn changes_leave_the_rest_alone(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let archived_at = "2020-01-02T03:04:05.678".parse().unwrap();
    let changes = organizations::Changes { archived_at: Some(Some(archived_at)), ..Default::default() };
    let changed =
        db.transaction(async |tx: &mut Transaction<'_>| organizations::update(tx, 1, &changes).await).await.unwrap();
    assert_eq!((changed.slug.as_deref(), changed.archived_at), (Some("acme-inc"), Some(archived_at)));
    let changes = organizations::Changes { archived_at: Some(None), ..Default::default() };
    let changed =
        db.transaction(async |tx: &mut Transaction<'_>| organizations::update(tx, 1, &changes).await).await.unwrap();
    assert_eq!(changed.archived_at, None);
    let nothing = organizations::Changes::default();
    let same =
        db.transaction(async |tx: &mut Transaction<'_>| organizations::update(tx, 1, &nothing).await).await.unwrap();
    assert_eq!(same, changed);
}

db_test!(deleting_archives_what_nobody_owns_any_more);
async fn deleting_archives_what_nobody_owns_any_more(database: TestDatabase) {
    let db = database.with_original_rows().await;
    // Second App belongs to Acme too from now on, Test App only to Acme.
    db.transaction(async |tx: &mut Transaction<'_>| ownerships::create(tx, 1, 2).await).await.unwrap();
    let deleted = db.transaction(async |tx: &mut Transaction<'_>| organizations::delete(tx, 1).await).await.unwrap();
    assert_eq!(deleted.user_ids, [1, 3, 4]);
    assert_eq!(deleted.archived.iter().map(|app| app.id).collect::<Vec<_>>(), [1]);

    let conn = &mut db.conn().await.unwrap();
    let test_app = applications::find_by_key(conn, "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7").await.unwrap().unwrap();
    let second_app = applications::find_by_key(conn, "8896169a-e6c9-11f1-bbfb-f2fc4c7451a7").await.unwrap().unwrap();
    assert!(test_app.archived_at.is_some() && second_app.archived_at.is_none());
    let again = db.transaction(async |tx: &mut Transaction<'_>| organizations::delete(tx, 1).await).await;
    assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
}

db_test!(applications_are_found_in_their_organization_while_active);
async fn applications_are_found_in_their_organization_while_active(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let new = applications::NewApplication { name: "App", app_key: "own-key", app_secret: "s", archived_at: None };
    let app = db.transaction(async |tx: &mut Transaction<'_>| applications::create(tx, 1, &new).await).await.unwrap();
    let conn = &mut db.conn().await.unwrap();
    let (acme, second) = (Reference::Id(1), Reference::Name("second-org"));
    for reference in [Reference::Id(app.id), Reference::Name("own-key")] {
        assert_eq!(applications::find_active(conn, acme, reference).await.unwrap().as_ref(), Some(&app));
        assert_eq!(applications::find_active(conn, second, reference).await.unwrap(), None);
    }
    let taken = db.transaction(async |tx: &mut Transaction<'_>| applications::create(tx, 2, &new).await).await;
    assert!(matches!(taken, Err(Error::Duplicate { field: "app_key" })), "{taken:?}");

    db.transaction(async |tx: &mut Transaction<'_>| applications::archive(tx, app.id).await).await.unwrap();
    assert_eq!(applications::find_active(conn, acme, Reference::Id(app.id)).await.unwrap(), None);
    assert_eq!(applications::list(conn, acme).await.unwrap().len(), 1);
}

db_test!(an_enrollment_is_unique_and_can_be_removed);
async fn an_enrollment_is_unique_and_can_be_removed(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let again = db.transaction(async |tx: &mut Transaction<'_>| enrollments::create(tx, 3, 1, true).await).await;
    assert!(matches!(again, Err(Error::Duplicate { .. })), "{again:?}");
    for removed in [true, false] {
        let delete = async |tx: &mut Transaction<'_>| enrollments::delete(tx, 3, 1).await;
        assert_eq!(db.transaction(delete).await.unwrap(), removed);
    }
}
