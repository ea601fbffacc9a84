//! A restored database of the original is taken over as it is, and stays usable for the original.

use pusher_lite::store::{DatabaseUrl, Reference, applications, enrollments, organizations, user_tokens, users};

use crate::support::{
    database::{TestDatabase, on_postgres},
    postgres,
};

db_test!(its_accounts_and_applications_are_there);
async fn its_accounts_and_applications_are_there(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let conn = &mut db.conn().await.unwrap();

    let token = "88927080-e6c9-11f1-85bf-f2fc4c7451a7";
    let (token, admin) = user_tokens::find_active(conn, token).await.unwrap().expect("the admin's token is valid");
    assert_eq!((token.id, admin.id, admin.is_root), (1, 1, true));
    let invalidated = "889e9b4e-e6c9-11f1-bc4e-f2fc4c7451a7";
    assert_eq!(user_tokens::find_active(conn, invalidated).await.unwrap(), None);
    assert!(user_tokens::find(conn, invalidated).await.unwrap().is_some());

    let hash = users::password_hash(conn, 1).await.unwrap().unwrap();
    assert!(hash.starts_with("$2b$12$"));
    let member = users::find_by_email(conn, "member@example.com").await.unwrap().unwrap();
    assert_eq!(member.name.as_deref(), Some("Member"));
    assert!(!enrollments::is_admin_anywhere(conn, member.id).await.unwrap());

    let seen = organizations::list(conn, &member).await.unwrap();
    assert_eq!(seen.iter().map(|seen| seen.slug.as_deref()).collect::<Vec<_>>(), [Some("acme-inc")]);
    let owned = applications::list(conn, Reference::Name("acme-inc")).await.unwrap();
    assert_eq!(owned.iter().map(|owned| owned.name.as_deref()).collect::<Vec<_>>(), [Some("Test App")]);
}

db_test!(new_rows_get_ids_after_those_of_the_original);
async fn new_rows_get_ids_after_those_of_the_original(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let token = db.transaction(async |tx| user_tokens::create(tx, 3).await).await.unwrap();
    assert_eq!(token.id, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_added_and_the_originals_stay_as_they_are() {
    on_postgres(|database: TestDatabase| async move {
        let DatabaseUrl::Postgres(url) = &database.url else { unreachable!("on_postgres gives no other") };
        database.with_original_rows().await;
        let original = TestSchema::beside(url).await;
        let (ours, theirs) = (describe(url).await, describe(&original.url).await);
        let missing: Vec<_> = theirs.iter().filter(|line| !ours.contains(line)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let added: Vec<_> = ours.iter().filter(|line| !theirs.contains(line)).collect();
        assert!(added.iter().all(|line| is_of_table(line, ADDED)), "{added:?}");
        original.drop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_gets_the_very_same_tables() {
    on_postgres(|database: TestDatabase| async move {
        let DatabaseUrl::Postgres(url) = &database.url else { unreachable!("on_postgres gives no other") };
        database.migrated().await;
        let original = TestSchema::beside(url).await;
        let mut theirs = describe(&original.url).await;
        theirs.retain(|line| !line.starts_with("schema_migrations"));
        let mut ours = describe(url).await;
        ours.retain(|line| !is_of_table(line, ADDED));
        assert_eq!(ours, theirs);
        original.drop().await;
    })
    .await;
}

db_test!(the_original_can_still_insert);
async fn the_original_can_still_insert(database: TestDatabase) {
    let db = database.with_original_rows().await;
    // The columns that Ecto and Coherence name when somebody registers.
    database
        .execute(
            "INSERT INTO users (email, failed_attempts, is_root, name, password_hash, sign_in_count, inserted_at, \
         updated_at) VALUES ('new@example.com', 0, false, 'New', 'hash', 0, '2026-11-23 00:00:00', \
         '2026-11-23 00:00:00')",
        )
        .await;
    let conn = &mut db.conn().await.unwrap();
    assert_eq!(users::find_by_email(conn, "new@example.com").await.unwrap().unwrap().id, 6);
}

/// The tables that the original does not have.
const ADDED: &[&str] = &[
    "__diesel_schema_migrations",
    "application_limits",
    "application_policies",
    "audit_entries",
    "email_changes",
    "installation",
    "invitation_enrollments",
    "invitation_senders",
    "mails",
    "sessions",
    "user_suspensions",
    "user_token_settings",
    "user_token_uses",
];

/// Returns true if a line of [`describe`] is about one of these tables.
fn is_of_table(line: &str, tables: &[&str]) -> bool {
    line.split(['.', ' ']).next().is_some_and(|table| tables.contains(&table))
}

/// A second schema, with the original's tables untouched.
struct TestSchema {
    url: String,
    name: String,
}

impl TestSchema {
    async fn beside(url: &str) -> Self {
        let name = format!("original_{}", uuid::Uuid::new_v4().simple());
        postgres::execute(url, &format!("CREATE SCHEMA {name}")).await;
        let (server, _) = url.split_once("search_path%3D").unwrap();
        let schema = Self { url: format!("{server}search_path%3D{name}"), name };
        let dump = include_str!("../../../compat-tests/fixtures/original-database.sql");
        postgres::execute(&schema.url, &dump.replace("public.", &format!("{}.", schema.name))).await;
        schema
    }

    async fn drop(self) {
        postgres::execute(&self.url, &format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }
}

/// Every column, index and constraint of the schema, one a line, without the schema's name.
async fn describe(url: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT table_name || '.' || column_name || ' ' || ordinal_position || ' ' || data_type || ' ' ||
               coalesce(character_maximum_length::text, '-') || ' ' || is_nullable || ' ' ||
               coalesce(regexp_replace(column_default, '(test|original)_[0-9a-f]{32}\\.', ''), '-')
               FROM information_schema.columns WHERE table_schema = current_schema()
               UNION ALL SELECT tablename || ' index ' ||
               regexp_replace(indexdef, '(test|original)_[0-9a-f]{32}\\.', '')
               FROM pg_indexes WHERE schemaname = current_schema()
               AND tablename NOT LIKE '%schema_migrations'
               UNION ALL SELECT regexp_replace(conrelid::regclass::text, '.*\\.', '') || ' constraint ' ||
               conname || ' ' || regexp_replace(pg_get_constraintdef(oid), '(test|original)_[0-9a-f]{32}\\.', '')
               FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
               AND conrelid::regclass::text NOT LIKE '%schema_migrations'";
    let rows = client.query(sql, &[]).await.unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.sort();
    lines
}
