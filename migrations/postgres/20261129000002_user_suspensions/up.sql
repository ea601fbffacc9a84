-- Users whom a root user has ended: suspended, or with the confirmation of their address taken back. A cause `unconfirmed`
-- counts while the address is not confirmed. A table of its own, since the original's stay as they are.
CREATE TABLE user_suspensions (
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    cause varchar(255) NOT NULL,
    inserted_at timestamp NOT NULL,
    PRIMARY KEY (user_id, cause)
);
