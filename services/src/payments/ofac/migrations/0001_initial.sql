CREATE TABLE ofac.list_versions (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    text NOT NULL,
    hash      text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    entries   integer NOT NULL CHECK (entries > 0),
    active    boolean NOT NULL DEFAULT false,
    loaded_by text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX list_versions_active ON ofac.list_versions (active) WHERE active;

CREATE TABLE ofac.entries (
    list_id   bigint NOT NULL REFERENCES ofac.list_versions ON DELETE CASCADE,
    ent_num   bigint NOT NULL,
    type      text NOT NULL CHECK (type IN ('individual', 'entity', 'vessel', 'aircraft')),
    name      text NOT NULL,
    programs  text[] NOT NULL DEFAULT '{}',
    countries text[] NOT NULL DEFAULT '{}',
    remarks   text NOT NULL DEFAULT '',
    PRIMARY KEY (list_id, ent_num)
);

CREATE TABLE ofac.aliases (
    list_id bigint NOT NULL,
    ent_num bigint NOT NULL,
    number  integer NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('aka', 'fka', 'nka', 'weak')),
    name    text NOT NULL,
    PRIMARY KEY (list_id, ent_num, number),
    FOREIGN KEY (list_id, ent_num) REFERENCES ofac.entries ON DELETE CASCADE
);

-- What persons have decided: block a customer, or allow them although an entry (or any, when null) looks alike.
CREATE TABLE ofac.rules (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL,
    action      text NOT NULL CHECK (action IN ('allow', 'block')),
    ent_num     bigint,
    reason      text NOT NULL CHECK (reason ~ '\S'),
    made_by     text NOT NULL CHECK (made_by ~ '\S'),
    made_at     timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz,
    CHECK (action = 'allow' OR ent_num IS NULL)
);
CREATE UNIQUE INDEX rules_in_force ON ofac.rules (customer_id, action, coalesce(ent_num, -1)) WHERE revoked_at IS NULL;

CREATE TABLE ofac.decisions (
    decision_id      text PRIMARY KEY,
    customer_id      text,
    name             text NOT NULL,
    country          text,
    date_of_birth    date,
    decision         text NOT NULL CHECK (decision IN ('clear', 'possible_match', 'match')),
    score            numeric(5, 4) NOT NULL CHECK (score BETWEEN 0 AND 1),
    reasons          text[] NOT NULL,
    matches          jsonb NOT NULL,
    list_id          bigint NOT NULL,
    list_hash        text NOT NULL,
    revision         bigint NOT NULL,
    algorithm        text NOT NULL,
    review_threshold numeric(5, 4) NOT NULL,
    match_threshold  numeric(5, 4) NOT NULL,
    request_id       text NOT NULL,
    made_at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX decisions_customer ON ofac.decisions (customer_id, made_at);

-- Grows with every change of lists or rules. One row: its lock makes changes visible in their order.
CREATE TABLE ofac.state (
    single   boolean PRIMARY KEY DEFAULT true CHECK (single),
    revision bigint NOT NULL
);
INSERT INTO ofac.state (revision) VALUES (0);

CREATE FUNCTION ofac.count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ofac.state SET revision = revision + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_change AFTER INSERT OR UPDATE OR DELETE ON ofac.list_versions
    FOR EACH STATEMENT EXECUTE FUNCTION ofac.count_change();
CREATE TRIGGER count_change AFTER INSERT OR UPDATE OR DELETE ON ofac.rules
    FOR EACH STATEMENT EXECUTE FUNCTION ofac.count_change();

GRANT SELECT, INSERT, UPDATE (active) ON ofac.list_versions TO ofac;
GRANT SELECT, INSERT ON ofac.entries, ofac.aliases TO ofac;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON ofac.rules TO ofac;
GRANT SELECT, INSERT ON ofac.decisions TO ofac;
GRANT SELECT, UPDATE (revision) ON ofac.state TO ofac;
GRANT SELECT, INSERT, UPDATE (sequence, published_at), DELETE ON ofac.outbox TO ofac;
