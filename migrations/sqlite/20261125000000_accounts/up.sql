-- Tables of the pages, beyond the original's. Those stay as they are, so that the original can still run on them.

-- Browsers that are signed in. The cookie's id is a secret: only its SHA-256 is kept.
CREATE TABLE sessions (
    id_hash varchar(64) PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ip varchar(255),
    user_agent varchar(255),
    last_seen_at timestamp NOT NULL,
    inserted_at timestamp NOT NULL
);
CREATE INDEX sessions_user_id_index ON sessions (user_id);

-- Addresses that users want instead of theirs, until they are confirmed. Of the link's token only a hash is kept.
CREATE TABLE email_changes (
    user_id integer PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    email varchar(255) NOT NULL,
    token_hash varchar(255) NOT NULL,
    inserted_at timestamp NOT NULL
);
CREATE INDEX email_changes_token_hash_index ON email_changes (token_hash);

-- Time and address of a token's last exchange for a JWT.
CREATE TABLE user_token_uses (
    user_token_id integer PRIMARY KEY REFERENCES user_tokens (id) ON DELETE CASCADE,
    used_at timestamp NOT NULL,
    ip varchar(255)
);

-- The organizations that somebody invited is enrolled in on accepting.
CREATE TABLE invitation_enrollments (
    invitation_id integer NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    organization_id integer NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    is_admin boolean NOT NULL,
    inviter_id integer REFERENCES users (id) ON DELETE SET NULL,
    inserted_at timestamp NOT NULL,
    PRIMARY KEY (invitation_id, organization_id)
);
CREATE INDEX invitation_enrollments_organization_id_index ON invitation_enrollments (organization_id);

-- Senders of invitations to the server itself, rather than into an organization.
CREATE TABLE invitation_senders (
    invitation_id integer NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    inserted_at timestamp NOT NULL,
    PRIMARY KEY (invitation_id, user_id)
);
CREATE INDEX invitation_senders_user_id_index ON invitation_senders (user_id);

-- Mails that wait to be sent, or were. The bodies of those that were sent are gone: they hold links that open accounts.
CREATE TABLE mails (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind varchar(255) NOT NULL,
    recipient varchar(255) NOT NULL,
    subject text NOT NULL,
    text_body text,
    html_body text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamp,
    sent_at timestamp,
    last_error text,
    inserted_at timestamp NOT NULL
);
CREATE INDEX mails_next_attempt_at_index ON mails (next_attempt_at);

-- Audit log. Without foreign keys, since its entries outlive the rows that they name.
CREATE TABLE audit_entries (
    id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    actor_id integer,
    actor varchar(255),
    ip varchar(255),
    action varchar(255) NOT NULL,
    resource varchar(255) NOT NULL,
    resource_id integer,
    details text NOT NULL,
    inserted_at timestamp NOT NULL
);
CREATE INDEX audit_entries_actor_id_index ON audit_entries (actor_id);
CREATE INDEX audit_entries_resource_index ON audit_entries (resource, resource_id);

CREATE TRIGGER keep_audit_entries_from_updates BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
CREATE TRIGGER keep_audit_entries_from_deletes BEFORE DELETE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
