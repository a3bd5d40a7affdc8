-- How often something was done, by minutes since 1970.
CREATE TABLE uses (
    tenant TEXT NOT NULL,
    what TEXT NOT NULL,
    minute INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (tenant, what, minute)
) STRICT, WITHOUT ROWID;
