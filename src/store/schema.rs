//! The tables as the queries see them: the original's and then ours, with types that both databases have.
//!
//! Ids are 32-bit, because the original's columns are; timestamps are UTC without a zone.

diesel::table! {
    users (id) {
        id -> Integer,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        confirmation_token -> Nullable<Text>,
        confirmed_at -> Nullable<Timestamp>,
        confirmation_sent_at -> Nullable<Timestamp>,
        remember_created_at -> Nullable<Timestamp>,
        password_hash -> Nullable<Text>,
        reset_password_token -> Nullable<Text>,
        reset_password_sent_at -> Nullable<Timestamp>,
        failed_attempts -> Nullable<Integer>,
        locked_at -> Nullable<Timestamp>,
        sign_in_count -> Nullable<Integer>,
        current_sign_in_at -> Nullable<Timestamp>,
        last_sign_in_at -> Nullable<Timestamp>,
        current_sign_in_ip -> Nullable<Text>,
        last_sign_in_ip -> Nullable<Text>,
        unlock_token -> Nullable<Text>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
        is_root -> Bool,
    }
}

diesel::table! {
    invitations (id) {
        id -> Integer,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        token -> Nullable<Text>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    rememberables (id) {
        id -> Integer,
        series_hash -> Nullable<Text>,
        token_hash -> Nullable<Text>,
        token_created_at -> Nullable<Timestamp>,
        user_id -> Nullable<Integer>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    organizations (id) {
        id -> Integer,
        name -> Nullable<Text>,
        slug -> Nullable<Text>,
        archived_at -> Nullable<Timestamp>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    applications (id) {
        id -> Integer,
        name -> Nullable<Text>,
        app_key -> Nullable<Text>,
        app_secret -> Nullable<Text>,
        archived_at -> Nullable<Timestamp>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    enrollments (id) {
        id -> Integer,
        user_id -> Integer,
        organization_id -> Integer,
        is_admin -> Bool,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    ownerships (id) {
        id -> Integer,
        organization_id -> Integer,
        application_id -> Integer,
        is_owned -> Bool,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    user_tokens (id) {
        id -> Integer,
        user_id -> Integer,
        token -> Text,
        invalidated_at -> Nullable<Timestamp>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    sessions (id_hash) {
        id_hash -> Text,
        user_id -> Integer,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        last_seen_at -> Timestamp,
        inserted_at -> Timestamp,
    }
}

diesel::table! {
    email_changes (user_id) {
        user_id -> Integer,
        email -> Text,
        token_hash -> Text,
        inserted_at -> Timestamp,
    }
}

diesel::table! {
    user_token_uses (user_token_id) {
        user_token_id -> Integer,
        used_at -> Timestamp,
        ip -> Nullable<Text>,
    }
}

diesel::table! {
    invitation_enrollments (invitation_id, organization_id) {
        invitation_id -> Integer,
        organization_id -> Integer,
        is_admin -> Bool,
        inviter_id -> Nullable<Integer>,
        inserted_at -> Timestamp,
    }
}

diesel::table! {
    invitation_senders (invitation_id, user_id) {
        invitation_id -> Integer,
        user_id -> Integer,
        inserted_at -> Timestamp,
    }
}

diesel::table! {
    mails (id) {
        id -> Integer,
        kind -> Text,
        recipient -> Text,
        subject -> Text,
        text_body -> Nullable<Text>,
        html_body -> Nullable<Text>,
        attempts -> Integer,
        next_attempt_at -> Nullable<Timestamp>,
        sent_at -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        inserted_at -> Timestamp,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Integer,
        actor_id -> Nullable<Integer>,
        actor -> Nullable<Text>,
        ip -> Nullable<Text>,
        action -> Text,
        resource -> Text,
        resource_id -> Nullable<Integer>,
        details -> Text,
        inserted_at -> Timestamp,
    }
}

diesel::joinable!(email_changes -> users (user_id));
diesel::table! {
    application_limits (application_id) {
        application_id -> Integer,
        sockets -> Nullable<Integer>,
        events_per_second -> Nullable<Integer>,
        events_per_socket -> Nullable<Integer>,
        inserted_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    user_suspensions (user_id, cause) {
        user_id -> Integer,
        cause -> Text,
        inserted_at -> Timestamp,
    }
}

diesel::table! {
    installation (id) {
        id -> Integer,
        is_new -> Bool,
        made_at -> Timestamp,
    }
}

diesel::table! {
    // diesel's own.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

diesel::joinable!(application_limits -> applications (application_id));
diesel::joinable!(enrollments -> organizations (organization_id));
diesel::joinable!(enrollments -> users (user_id));
diesel::joinable!(invitation_enrollments -> invitations (invitation_id));
diesel::joinable!(invitation_enrollments -> organizations (organization_id));
diesel::joinable!(invitation_senders -> invitations (invitation_id));
diesel::joinable!(invitation_senders -> users (user_id));
diesel::joinable!(ownerships -> applications (application_id));
diesel::joinable!(ownerships -> organizations (organization_id));
diesel::joinable!(rememberables -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(user_suspensions -> users (user_id));
diesel::joinable!(user_token_uses -> user_tokens (user_token_id));
diesel::joinable!(user_tokens -> users (user_id));

/// Passes the names of all tables except diesel's own to the macro of this name.
macro_rules! all_tables {
    ($given_to:ident) => {
        $given_to!(
            application_limits,
            applications,
            audit_entries,
            email_changes,
            enrollments,
            installation,
            invitation_enrollments,
            invitation_senders,
            invitations,
            mails,
            organizations,
            ownerships,
            rememberables,
            sessions,
            user_suspensions,
            user_token_uses,
            user_tokens,
            users,
        );
    };
}

macro_rules! allow_in_same_query {
    ($($table:ident),* $(,)?) => {
        diesel::allow_tables_to_appear_in_same_query!($($table),*);
    };
}

all_tables!(allow_in_same_query);

pub(super) use all_tables;
