CREATE TABLE payments.webhook_endpoints (
    id              text PRIMARY KEY,
    customer_id     text NOT NULL,
    url             text NOT NULL,
    enabled_events  text[] NOT NULL CHECK (cardinality(enabled_events) BETWEEN 1 AND 64),
    description     text,
    metadata        jsonb NOT NULL DEFAULT '{}',
    status          text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'disabled')),
    disabled_reason text CHECK (disabled_reason IN ('customer', 'gone', 'failing')),
    failing_since   timestamptz,                -- the first failure since the last success
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL))
);
CREATE INDEX webhook_endpoints_customer ON payments.webhook_endpoints (customer_id, id);

-- What signs. They have to be read to sign, so they are no hashes; only this schema's role can read them.
CREATE TABLE payments.webhook_secrets (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id text NOT NULL REFERENCES payments.webhook_endpoints (id) ON DELETE CASCADE,
    secret      text NOT NULL,
    expires_at  timestamptz                     -- null: the current one; otherwise it was rolled
);
CREATE INDEX webhook_secrets_endpoint ON payments.webhook_secrets (endpoint_id);
CREATE UNIQUE INDEX webhook_secrets_current ON payments.webhook_secrets (endpoint_id) WHERE expires_at IS NULL;

-- Events as customers see them; kept for those who have an endpoint.
CREATE TABLE payments.webhook_events (
    id          text PRIMARY KEY,               -- the outbox's event_id
    customer_id text NOT NULL,
    type        text NOT NULL,
    body        text NOT NULL,                  -- exactly what is sent and signed, the same at every attempt
    created_at  timestamptz NOT NULL
);
CREATE INDEX webhook_events_customer ON payments.webhook_events (customer_id, id);
CREATE INDEX webhook_events_age ON payments.webhook_events (created_at);

CREATE TABLE payments.webhook_deliveries (
    id               text PRIMARY KEY,
    endpoint_id      text NOT NULL REFERENCES payments.webhook_endpoints (id) ON DELETE CASCADE,
    event_id         text NOT NULL REFERENCES payments.webhook_events (id) ON DELETE CASCADE,
    event_type       text NOT NULL,
    replay           boolean NOT NULL DEFAULT false,   -- asked for by the customer
    status           text NOT NULL DEFAULT 'pending'
                         CHECK (status IN ('pending', 'delivered', 'failed', 'canceled')),
    attempts         integer NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(), -- with a claim: when it ends
    claim            text,                             -- who is sending it
    last_attempt_at  timestamptz,
    last_duration_ms integer,
    last_status      integer,                          -- of the answer, when there was one
    last_error       text,                             -- why there was none
    last_response    text,                             -- the beginning of its body
    created_at       timestamptz NOT NULL DEFAULT now(),
    delivered_at     timestamptz,
    CHECK (claim IS NULL OR status = 'pending'),
    CHECK ((status = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE UNIQUE INDEX webhook_deliveries_once ON payments.webhook_deliveries (endpoint_id, event_id) WHERE NOT replay;
CREATE INDEX webhook_deliveries_due ON payments.webhook_deliveries (endpoint_id, next_attempt_at)
    WHERE status = 'pending';
CREATE INDEX webhook_deliveries_claimed ON payments.webhook_deliveries (endpoint_id) WHERE claim IS NOT NULL;
CREATE INDEX webhook_deliveries_log ON payments.webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_event ON payments.webhook_deliveries (event_id);

-- How far the outbox has been turned into deliveries, by its gapless sequence. One row.
CREATE TABLE payments.webhook_cursor (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    sequence bigint NOT NULL
);
INSERT INTO payments.webhook_cursor (sequence)
SELECT coalesce(max(sequence), 0) FROM payments.outbox WHERE topic = 'payment-events';

CREATE TYPE payments.webhook_endpoint_document AS (
    id text, object text, url text, enabled_events text[], description text, metadata jsonb, status text,
    disabled_reason text, failing_since text, customer_id text, created_at text, updated_at text
);

-- The endpoint as its owner sees it; never with a secret.
CREATE FUNCTION payments.webhook_endpoint_document(e payments.webhook_endpoints) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN to_json(ROW(
        e.id, 'webhook_endpoint', e.url, e.enabled_events, e.description, e.metadata, e.status, e.disabled_reason,
        payments.rfc3339(e.failing_since), e.customer_id, payments.rfc3339(e.created_at),
        payments.rfc3339(e.updated_at))::payments.webhook_endpoint_document);
END $$;

-- What waits for an endpoint that is disabled is not sent any more. What is being sent right now ends by itself.
CREATE FUNCTION payments.cancel_webhooks(p_endpoint text) RETURNS void
LANGUAGE sql AS $$
    UPDATE payments.webhook_deliveries SET status = 'canceled', claim = NULL
    WHERE id IN (
        SELECT id FROM payments.webhook_deliveries
        WHERE endpoint_id = p_endpoint AND status = 'pending' AND (claim IS NULL OR next_attempt_at <= now())
        FOR UPDATE SKIP LOCKED)
$$;

-- Hands due deliveries to a replica: of each endpoint at most p_parallel at a time among all replicas, one when it
-- fails; p_limit in all. A claim that has not been ended within p_lease is handed out again.
CREATE FUNCTION payments.claim_webhooks(p_claim text, p_lease interval, p_limit integer, p_parallel integer)
RETURNS TABLE (id text, endpoint_id text, event_id text, url text, body text, secrets text[], attempt integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    e payments.webhook_endpoints;
    remaining integer := p_limit;
    free integer;
    taken integer;
BEGIN
    -- The lock on the endpoint makes replicas take turns: whoever holds it counts what all have claimed.
    FOR e IN
        WITH RECURSIVE waiting AS (  -- the endpoints with something to send, one index probe each
            (SELECT d.endpoint_id FROM payments.webhook_deliveries AS d WHERE d.status = 'pending'
             ORDER BY d.endpoint_id LIMIT 1)
            UNION ALL
            SELECT (SELECT d.endpoint_id FROM payments.webhook_deliveries AS d
                    WHERE d.status = 'pending' AND d.endpoint_id > w.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
            FROM waiting AS w WHERE w.endpoint_id IS NOT NULL)
        SELECT endpoint.* FROM waiting JOIN payments.webhook_endpoints AS endpoint ON endpoint.id = waiting.endpoint_id
        WHERE endpoint.status = 'enabled' AND EXISTS (
            SELECT FROM payments.webhook_deliveries AS d
            WHERE d.endpoint_id = endpoint.id AND d.status = 'pending' AND d.next_attempt_at <= now())
        ORDER BY random() LIMIT p_limit
        FOR NO KEY UPDATE OF endpoint SKIP LOCKED
    LOOP
        SELECT least(remaining, CASE WHEN e.failing_since IS NULL THEN p_parallel ELSE 1 END - count(*)) INTO free
        FROM payments.webhook_deliveries AS d
        WHERE d.endpoint_id = e.id AND d.claim IS NOT NULL AND d.next_attempt_at > now();
        CONTINUE WHEN free <= 0;
        RETURN QUERY
            UPDATE payments.webhook_deliveries AS d
            SET claim = p_claim, next_attempt_at = now() + p_lease, attempts = d.attempts + 1
            FROM payments.webhook_events AS event
            WHERE event.id = d.event_id AND d.id IN (
                SELECT due.id FROM payments.webhook_deliveries AS due
                WHERE due.endpoint_id = e.id AND due.status = 'pending' AND due.next_attempt_at <= now()
                ORDER BY due.next_attempt_at LIMIT free FOR UPDATE SKIP LOCKED)
            RETURNING d.id, e.id, d.event_id, e.url, event.body,
                (SELECT array_agg(s.secret ORDER BY s.id DESC) FROM payments.webhook_secrets AS s
                 WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > now())),
                d.attempts;
        GET DIAGNOSTICS taken = ROW_COUNT;
        remaining := remaining - taken;
        EXIT WHEN remaining <= 0;
    END LOOP;
END $$;

-- Ends an attempt. p_outcome: delivered, retry (after p_delay), failed (the last attempt), gone (410: never again).
-- An endpoint that has only failed for p_patience is disabled, which is an event of its own.
-- Answers false when the claim had ended, so that somebody else sends it.
CREATE FUNCTION payments.end_webhook(
    p_id text, p_claim text, p_outcome text, p_delay interval, p_duration_ms integer, p_status integer, p_error text,
    p_response text, p_patience interval, p_event_id text
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    d payments.webhook_deliveries;
    e payments.webhook_endpoints;
BEGIN
    UPDATE payments.webhook_deliveries SET
        status = CASE p_outcome WHEN 'delivered' THEN 'delivered' WHEN 'retry' THEN 'pending' ELSE 'failed' END,
        claim = NULL, next_attempt_at = now() + coalesce(p_delay, interval '0'),
        last_attempt_at = now() - p_duration_ms * interval '1 millisecond', last_duration_ms = p_duration_ms,
        last_status = p_status, last_error = p_error, last_response = p_response,
        delivered_at = CASE p_outcome WHEN 'delivered' THEN now() END
    WHERE id = p_id AND claim = p_claim RETURNING * INTO d;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_outcome = 'delivered' THEN
        UPDATE payments.webhook_endpoints SET failing_since = NULL
        WHERE id = d.endpoint_id AND failing_since IS NOT NULL;
        RETURN true;
    END IF;
    UPDATE payments.webhook_endpoints SET failing_since = now() WHERE id = d.endpoint_id AND failing_since IS NULL;
    UPDATE payments.webhook_endpoints
    SET status = 'disabled', disabled_reason = CASE p_outcome WHEN 'gone' THEN 'gone' ELSE 'failing' END,
        updated_at = now()
    WHERE id = d.endpoint_id AND status = 'enabled'
        AND (p_outcome = 'gone' OR failing_since <= now() - p_patience)
    RETURNING * INTO e;
    IF FOUND THEN
        PERFORM payments.emit(p_event_id, 'payment-events', e.customer_id, 'webhook_endpoint.disabled',
            payments.webhook_endpoint_document(e)::jsonb, NULL);
    END IF;
    IF FOUND OR EXISTS (SELECT FROM payments.webhook_endpoints WHERE id = d.endpoint_id AND status = 'disabled') THEN
        PERFORM payments.cancel_webhooks(d.endpoint_id);
    END IF;
    RETURN true;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON payments.webhook_endpoints, payments.webhook_secrets, payments.webhook_events,
    payments.webhook_deliveries TO payments;
GRANT SELECT, UPDATE ON payments.webhook_cursor TO payments;
