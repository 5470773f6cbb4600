CREATE TABLE gateway.keys_in_use (
    purpose text PRIMARY KEY CHECK (purpose IN ('signing', 'encryption')),
    kid     text NOT NULL,
    since   timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON gateway.keys_in_use TO gateway;
