ALTER TABLE ofac.list_versions
    ADD COLUMN names integer NOT NULL DEFAULT 0 CHECK (names >= 0),
    ADD COLUMN bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0);

-- A UUIDv7 (RFC 9562): 48 bits of milliseconds, then the random bits of a version 4 one.
CREATE FUNCTION ofac.uuid7() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT left(moment, 8) || '-' || right(moment, 4) || '-7' || substr(gen_random_uuid()::text, 16)
    FROM (SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')) AS t (moment)
$$;

-- A rule is about a customer, or about a name (its words in order of the alphabet).
ALTER TABLE ofac.rules
    ALTER COLUMN customer_id DROP NOT NULL,
    ADD COLUMN rule_id    text NOT NULL DEFAULT ofac.uuid7() UNIQUE,
    ADD COLUMN name       text,
    ADD COLUMN name_key   text,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN request_key text UNIQUE,
    ADD COLUMN revoked_by text,
    ADD COLUMN revoke_reason text,
    ADD CHECK ((customer_id IS NULL) <> (name_key IS NULL)),
    ADD CHECK ((name IS NULL) = (name_key IS NULL));
-- Several rules for one customer name different entries, or follow each other.
DROP INDEX ofac.rules_in_force;
CREATE INDEX rules_customer ON ofac.rules (customer_id) WHERE revoked_at IS NULL;
CREATE INDEX rules_name ON ofac.rules (name_key) WHERE revoked_at IS NULL;
CREATE INDEX rules_expiry ON ofac.rules (expires_at) WHERE expires_at IS NOT NULL;

-- What an allow is about, as it stood on the list: it ends when the entry changes.
CREATE TABLE ofac.rule_entries (
    rule_id     text NOT NULL REFERENCES ofac.rules (rule_id),
    ent_num     bigint NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (rule_id, ent_num)
);

ALTER TABLE ofac.decisions
    ADD COLUMN occasion text NOT NULL DEFAULT 'payment' CHECK (occasion IN ('payment', 'rescreening')),
    ADD COLUMN rules    text[] NOT NULL DEFAULT '{}';

-- Each time that the source of the list was asked. `outcome` is null while it goes on, or when that was cut short.
CREATE TABLE ofac.refreshes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    outcome     text CHECK (outcome IN ('loaded', 'unchanged', 'failed')),
    detail      text,
    list_id     bigint REFERENCES ofac.list_versions
);
CREATE INDEX refreshes_started ON ofac.refreshes (started_at);

-- One for each list that came into force; `reached` is the last customer that has been screened.
CREATE TABLE ofac.rescreenings (
    list_id     bigint PRIMARY KEY REFERENCES ofac.list_versions,
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'superseded')),
    reached     text NOT NULL DEFAULT '',
    screened    bigint NOT NULL DEFAULT 0,
    flagged     bigint NOT NULL DEFAULT 0,
    newly       bigint NOT NULL DEFAULT 0,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

CREATE TABLE ofac.flagged (
    list_id     bigint NOT NULL REFERENCES ofac.rescreenings,
    customer_id text NOT NULL,
    decision_id text NOT NULL REFERENCES ofac.decisions,
    decision    text NOT NULL CHECK (decision IN ('possible_match', 'match')),
    entries     bigint[] NOT NULL,
    newly       boolean NOT NULL,
    PRIMARY KEY (list_id, customer_id)
);

GRANT UPDATE (revoked_by, revoke_reason) ON ofac.rules TO ofac;
GRANT SELECT, INSERT ON ofac.rule_entries, ofac.flagged TO ofac;
GRANT SELECT, INSERT, UPDATE (finished_at, outcome, detail, list_id) ON ofac.refreshes TO ofac;
GRANT SELECT, INSERT, UPDATE (state, reached, screened, flagged, newly, finished_at) ON ofac.rescreenings TO ofac;
