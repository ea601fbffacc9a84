//! The tables as the queries see them: the original's, with types that both databases have.
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

diesel::joinable!(enrollments -> organizations (organization_id));
diesel::joinable!(enrollments -> users (user_id));
diesel::joinable!(ownerships -> applications (application_id));
diesel::joinable!(ownerships -> organizations (organization_id));
diesel::joinable!(rememberables -> users (user_id));
diesel::joinable!(user_tokens -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    applications,
    enrollments,
    invitations,
    organizations,
    ownerships,
    rememberables,
    user_tokens,
    users,
);
