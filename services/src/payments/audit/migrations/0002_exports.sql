-- Copies of the trail in other stores: every entry up to seq is there. Whoever holds a row is at work on it until held_until.
CREATE TABLE audit.exports (
    name       text PRIMARY KEY,
    seq        bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
    holder     text NOT NULL DEFAULT '',
    held_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO audit.exports (name) VALUES ('search'), ('search-rebuild'), ('influxdb');

GRANT SELECT, UPDATE (seq, holder, held_until) ON audit.exports TO audit;
