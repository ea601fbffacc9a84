-- Limits of single applications that differ from the settings. A column that is null is as the settings say, 0 is no
-- limit. A table of its own, since the original's stay as they are.
CREATE TABLE application_limits (
    application_id integer PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
    sockets integer,
    events_per_second integer,
    events_per_socket integer,
    inserted_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
