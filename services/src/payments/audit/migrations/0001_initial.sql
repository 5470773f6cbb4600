-- payload is json, not jsonb: it keeps the text that was hashed. How hash is made: payments/audit/domain.py.
CREATE TABLE audit.events (
    seq             bigint PRIMARY KEY CHECK (seq > 0),
    event_id        text NOT NULL UNIQUE,
    payment_id      text,
    customer_id     text,
    source          text NOT NULL,
    source_sequence bigint NOT NULL,
    type            text NOT NULL,
    time            timestamptz NOT NULL,
    payload         json NOT NULL,
    prev_hash       text NOT NULL,
    hash            text NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_payment ON audit.events (payment_id, seq);
CREATE INDEX events_type ON audit.events (type, seq);
CREATE INDEX events_source ON audit.events (source, source_sequence);

-- The chain's last entry: events cut off at the end would leave no other trace.
CREATE TABLE audit.head (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    seq    bigint NOT NULL,
    hash   text NOT NULL
);
INSERT INTO audit.head (seq, hash) VALUES (0, repeat('0', 64));

-- Append-only: nobody who writes events may change them.
GRANT SELECT, INSERT ON audit.events TO audit;
GRANT SELECT, UPDATE (seq, hash) ON audit.head TO audit;
