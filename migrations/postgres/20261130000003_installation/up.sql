-- Origin of the installation, in one row that the migrator writes: whether the database was empty before. Defaults that
-- became stricter apply to new installations only. A table of its own, since the original's stay as they are.
CREATE TABLE installation (
    id integer PRIMARY KEY,
    is_new boolean NOT NULL,
    made_at timestamp NOT NULL
);
