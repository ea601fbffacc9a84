-- Demands of single applications on those who connect to them, and the secret that a rotation replaced. An application without
-- a row demands nothing, as in the original. Lists have an entry on each line. A table of its own, since the original's stay as
-- they are.
CREATE TABLE application_policies (
    application_id integer PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
    accepts_signed boolean NOT NULL,
    requires_restricted boolean NOT NULL,
    named_topics text NOT NULL,
    allowed_origins text NOT NULL,
    ends_expired boolean NOT NULL,
    previous_secret text,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
