CREATE TABLE gateway.users (
    user_id       text PRIMARY KEY,
    username      text NOT NULL UNIQUE CHECK (username <> ''),
    customer_id   text,
    role          text NOT NULL CHECK (role IN ('customer', 'operator', 'auditor')),
    password_hash text NOT NULL,
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'customer') = (customer_id IS NOT NULL))
);

-- One row for each refresh token ever given out, as its SHA-256; a session is one login and what followed.
CREATE TABLE gateway.refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id text NOT NULL,
    user_id    text NOT NULL REFERENCES gateway.users,
    issued_at  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON gateway.refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expiry ON gateway.refresh_tokens (expires_at);

-- Sessions whose tokens are refused; a row may go once the session's last access token has expired.
CREATE TABLE gateway.revoked_tokens (
    session_id text PRIMARY KEY,
    user_id    text NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('logout', 'reuse')),
    revoked_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_tokens_time ON gateway.revoked_tokens (revoked_at);
CREATE INDEX revoked_tokens_expiry ON gateway.revoked_tokens (expires_at);

GRANT SELECT, UPDATE (password_hash) ON gateway.users TO gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.refresh_tokens TO gateway;
GRANT SELECT, INSERT, DELETE ON gateway.revoked_tokens TO gateway;
GRANT SELECT, INSERT, UPDATE (sequence, published_at), DELETE ON gateway.outbox TO gateway;
