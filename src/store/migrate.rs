//! Migration of a database to the schema that the queries expect.

use diesel::{Connection, RunQueryDsl, backend::Backend, connection::SimpleConnection, dsl::sql, sql_types::BigInt};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{
    DbConn, Error, Result,
    connect::{Pool, RawPool, SqliteConn},
    installation, now, schema,
};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Version of the newest migration, the same for both databases.
const NEWEST: &str = "20261130000003";

/// The advisory lock that migrating processes take: any number, as long as all of them take the same one.
const LOCK: i64 = 0x7075_7368_6572;

/// The tables of the original, as SQL. A database that has one of them is no new installation.
const ORIGINAL_TABLES: &str = "('applications', 'enrollments', 'invitations', 'organizations', 'ownerships', \
     'rememberables', 'user_tokens', 'users')";

/// Runs the pending migrations, in one transaction, alone: processes that start together wait for each other.
///
/// The list of migrations is diesel's `__diesel_schema_migrations`; Ecto's `schema_migrations` is not touched.
pub(super) async fn run(pool: &Pool) -> Result<()> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::Unusable(format!("the database's schema could not be brought up to date: {error}"))
    };
    match &pool.raw {
        RawPool::Sqlite(pool) => {
            let mut conn: SqliteConn = pool.dedicated_connection().await.map_err(|error| unusable(error.into()))?;
            let migrated = conn.spawn_blocking(|conn| Ok(migrate_sqlite(conn))).await?;
            migrated.map_err(unusable)
        }
        RawPool::Postgres(pool) => {
            let conn = pool.dedicated_connection().await.map_err(|error| unusable(error.into()))?;
            let migrated = tokio::task::spawn_blocking(|| migrate_postgres(conn)).await;
            migrated.map_err(|error| unusable(error.into()))?.map_err(unusable)
        }
    }
}

fn migrate_sqlite(conn: &mut diesel::SqliteConnection) -> diesel::migration::Result<()> {
    // As long as for Postgres.
    conn.batch_execute("PRAGMA busy_timeout = 60000")?;
    let of_original = format!("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN {ORIGINAL_TABLES}");
    conn.immediate_transaction(|conn| {
        let found: i64 = diesel::select(sql::<BigInt>(&format!("({of_original})"))).get_result(conn)?;
        run_pending(conn, SQLITE, found > 0)
    })
    .map_err(Failed::into_inner)
}

fn migrate_postgres(conn: AsyncPgConnection) -> diesel::migration::Result<()> {
    let mut conn = AsyncConnectionWrapper::<AsyncPgConnection>::from(conn);
    conn.transaction(|conn| {
        diesel::sql_query("SET LOCAL lock_timeout = '60s'").execute(conn)?;
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(conn)?;
        // Those of the schema in which the migrations create tables.
        let of_original = format!(
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN {ORIGINAL_TABLES}"
        );
        let found: i64 = diesel::select(sql::<BigInt>(&format!("({of_original})"))).get_result(conn)?;
        run_pending(conn, POSTGRES, found > 0)
    })
    .map_err(Failed::into_inner)
}

/// Runs the pending migrations, and records whether the installation is new. `has_original` tells whether the database
/// has tables of the original.
fn run_pending<DB, C>(conn: &mut C, migrations: EmbeddedMigrations, has_original: bool) -> Result<(), Failed>
where
    DB: Backend,
    C: MigrationHarness<DB> + SimpleConnection,
{
    let is_new = !has_original && conn.applied_migrations().map_err(Failed::Migration)?.is_empty();
    conn.run_pending_migrations(migrations).map_err(Failed::Migration)?;
    Ok(conn.batch_execute(&installation::sql_to_record(is_new, now()))?)
}

/// Error of a migrating transaction.
enum Failed {
    Query(diesel::result::Error),
    Migration(Box<dyn std::error::Error + Send + Sync>),
}

impl Failed {
    fn into_inner(self) -> Box<dyn std::error::Error + Send + Sync> {
        match self {
            Self::Query(error) => error.into(),
            Self::Migration(error) => error,
        }
    }
}

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

/// Returns true if the database has the schema of this server: it has run the newest migration that this server knows.
pub(super) async fn is_current(conn: &mut DbConn) -> Result<bool> {
    use diesel::{ExpressionMethods, QueryDsl};
    use schema::__diesel_schema_migrations::dsl::{__diesel_schema_migrations, version};

    let found = on_conn!(conn, |raw| {
        let newest = __diesel_schema_migrations.filter(version.eq(NEWEST)).count();
        diesel_async::RunQueryDsl::get_result::<i64>(newest, raw)
    });
    Ok(found? > 0)
}

/// Selects all columns of every table of the schema, and no row.
///
/// `CREATE TABLE IF NOT EXISTS` accepts a table of the same name that is something else, or that an older version of
/// the original created. It is better to report that now than at the first request.
pub(super) async fn check(conn: &mut DbConn) -> Result<()> {
    macro_rules! check {
        ($($table:ident),* $(,)?) => {
            $(
                let columns = on_conn!(conn, |raw| {
                    use diesel::QueryDsl;
                    let nothing = schema::$table::table.select(schema::$table::all_columns).limit(0);
                    diesel_async::RunQueryDsl::execute(nothing, raw)
                });
                if let Err(Error::Query(error)) = columns {
                    let table = stringify!($table);
                    return Err(Error::Unusable(format!("the table {table} is not the one of ExPusherLite or this server: {error}")));
                }
                columns?;
            )*
        };
    }
    schema::all_tables!(check);
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::{migration::MigrationSource, pg::Pg, sqlite::Sqlite};

    use super::*;
    use crate::store::{DatabaseUrl, Db, Options};

    /// Returns the tables that the source of the schema declares.
    fn declared() -> Vec<&'static str> {
        let blocks = include_str!("schema.rs").split("diesel::table! {").skip(1);
        let lines = blocks.map(|block| block.lines().find(|line| line.contains(" ->") || line.contains(" (")));
        let names = lines.map(|line| line.unwrap().split_whitespace().next().unwrap());
        names.filter(|name| *name != "__diesel_schema_migrations").collect()
    }

    #[test]
    fn all_tables_that_are_declared_are_checked() {
        macro_rules! names {
            ($($table:ident),* $(,)?) => {
                const LISTED: &[&str] = &[$(stringify!($table)),*];
            };
        }
        schema::all_tables!(names);
        let (mut declared, mut listed) = (declared(), LISTED.to_vec());
        declared.sort_unstable();
        listed.sort_unstable();
        assert_eq!(declared, listed);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_table_of_another_shape_is_named() {
        for table in declared() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("test.db");
            let db = Db::connect(&DatabaseUrl::Sqlite(path.clone()), &Options::default()).await.unwrap();
            db.migrate().await.unwrap();
            let mut other = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            let sql = format!("PRAGMA foreign_keys = OFF; DROP TABLE {table}; CREATE TABLE {table} (other INTEGER)");
            other.batch_execute(&sql).unwrap();
            let found = check(&mut db.conn().await.unwrap()).await.unwrap_err();
            assert!(found.to_string().contains(&format!("the table {table} is not")), "{found}");
        }
    }

    #[test]
    fn the_newest_migration_is_known() {
        let sqlite = MigrationSource::<Sqlite>::migrations(&SQLITE).unwrap();
        let postgres = MigrationSource::<Pg>::migrations(&POSTGRES).unwrap();
        let of_sqlite = sqlite.iter().map(|migration| migration.name().version().to_string()).max();
        let of_postgres = postgres.iter().map(|migration| migration.name().version().to_string()).max();
        assert_eq!((of_sqlite.as_deref(), of_postgres.as_deref()), (Some(NEWEST), Some(NEWEST)));
    }
}
