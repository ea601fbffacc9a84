-- Name, scope and expiry of tokens. A token without a row has no name, the scope `all` and no expiry: those from before this
-- table, and those that the original creates. A table of its own, since the original's stay as they are.
CREATE TABLE user_token_settings (
    user_token_id integer PRIMARY KEY REFERENCES user_tokens (id) ON DELETE CASCADE,
    name varchar(255),
    scope varchar(255) NOT NULL,
    expires_at timestamp
);
