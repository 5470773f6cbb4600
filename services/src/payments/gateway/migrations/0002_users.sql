-- Whatever was given out under an earlier generation of a user is refused. The end of one is a row of
-- revoked_tokens under `<user_id>#<generation>`, so that it is looked up, cached and forgotten as that of a session.
ALTER TABLE gateway.users
    ADD COLUMN generation bigint NOT NULL DEFAULT 0,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE gateway.refresh_tokens ADD COLUMN generation bigint NOT NULL DEFAULT 0;
ALTER TABLE gateway.revoked_tokens
    DROP CONSTRAINT revoked_tokens_reason_check,
    ADD CONSTRAINT revoked_tokens_reason_check CHECK (reason IN ('logout', 'reuse', 'user'));

GRANT INSERT ON gateway.users TO gateway;
GRANT UPDATE (role, customer_id, disabled, generation, updated_at) ON gateway.users TO gateway;
