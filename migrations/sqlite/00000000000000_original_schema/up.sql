-- The tables of the original, ExPusherLite, as the Postgres migration of the same name has them.
-- AUTOINCREMENT, because an id is never given out twice there either. SQLite does not enforce the length of a varchar:
-- the validation of the API does. There is no down.sql, because undoing this would delete somebody's data.

CREATE TABLE IF NOT EXISTS users (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    name varchar(255),
    email varchar(255),
    confirmation_token varchar(255),
    confirmed_at timestamp,
    confirmation_sent_at timestamp,
    remember_created_at timestamp,
    password_hash varchar(255),
    reset_password_token varchar(255),
    reset_password_sent_at timestamp,
    failed_attempts integer DEFAULT 0,
    locked_at timestamp,
    sign_in_count integer DEFAULT 0,
    current_sign_in_at timestamp,
    last_sign_in_at timestamp,
    current_sign_in_ip varchar(255),
    last_sign_in_ip varchar(255),
    unlock_token varchar(255),
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL,
    is_root boolean DEFAULT false NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS users_email_index ON users (email);

CREATE TABLE IF NOT EXISTS invitations (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    name varchar(255),
    email varchar(255),
    token varchar(255),
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS invitations_email_index ON invitations (email);
CREATE INDEX IF NOT EXISTS invitations_token_index ON invitations (token);

CREATE TABLE IF NOT EXISTS rememberables (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    series_hash varchar(255),
    token_hash varchar(255),
    token_created_at timestamp,
    user_id integer CONSTRAINT rememberables_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE INDEX IF NOT EXISTS rememberables_user_id_index ON rememberables (user_id);
CREATE INDEX IF NOT EXISTS rememberables_series_hash_index ON rememberables (series_hash);
CREATE INDEX IF NOT EXISTS rememberables_token_hash_index ON rememberables (token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS rememberables_user_id_series_hash_token_hash_index
    ON rememberables (user_id, series_hash, token_hash);

CREATE TABLE IF NOT EXISTS organizations (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    name varchar(255),
    slug varchar(255),
    archived_at timestamp,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS organizations_slug_index ON organizations (slug);

CREATE TABLE IF NOT EXISTS applications (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    name varchar(255),
    app_key varchar(255),
    app_secret varchar(255),
    archived_at timestamp,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS applications_app_key_index ON applications (app_key);
CREATE INDEX IF NOT EXISTS applications_app_secret_index ON applications (app_secret);

CREATE TABLE IF NOT EXISTS enrollments (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id integer NOT NULL CONSTRAINT enrollments_user_id_fkey REFERENCES users (id),
    organization_id integer NOT NULL CONSTRAINT enrollments_organization_id_fkey REFERENCES organizations (id),
    is_admin boolean DEFAULT false NOT NULL,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS enrollments_user_id_organization_id_index ON enrollments (user_id, organization_id);

CREATE TABLE IF NOT EXISTS ownerships (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id integer NOT NULL CONSTRAINT ownerships_organization_id_fkey REFERENCES organizations (id),
    application_id integer NOT NULL CONSTRAINT ownerships_application_id_fkey REFERENCES applications (id),
    is_owned boolean DEFAULT false NOT NULL,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS ownerships_organization_id_application_id_index
    ON ownerships (organization_id, application_id);

CREATE TABLE IF NOT EXISTS user_tokens (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id integer NOT NULL CONSTRAINT user_tokens_user_id_fkey REFERENCES users (id),
    token varchar(255) NOT NULL,
    invalidated_at timestamp,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS user_tokens_token_index ON user_tokens (token);
