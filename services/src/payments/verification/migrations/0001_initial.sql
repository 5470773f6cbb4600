-- One row for each scheduled verification. The role that verifies reads the books of all owners (grants.py) and
-- changes nothing, not even here: it adds rows by the function below.
CREATE TABLE verification.runs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ok          boolean NOT NULL,
    wrong       jsonb NOT NULL,  -- name of each check -> how many things are wrong
    report      jsonb NOT NULL
);
CREATE INDEX runs_age ON verification.runs (finished_at);

-- Notes a result. What is older than 90 days goes, but for the last result that was not good.
CREATE FUNCTION verification.record(p_started_at timestamptz, p_ok boolean, p_wrong jsonb, p_report jsonb)
RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM verification.runs
    WHERE finished_at < now() - interval '90 days'
        AND id <> coalesce((SELECT max(id) FROM verification.runs WHERE NOT ok), 0);
    INSERT INTO verification.runs (started_at, ok, wrong, report)
    VALUES (p_started_at, p_ok, p_wrong, p_report) RETURNING id;
$$;

REVOKE ALL ON FUNCTION verification.record FROM PUBLIC;
GRANT EXECUTE ON FUNCTION verification.record TO verification;
GRANT SELECT ON verification.runs TO verification;
