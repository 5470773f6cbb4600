-- The trace that an event belongs to; the spans of its deliveries are part of it.
ALTER TABLE payments.webhook_events ADD COLUMN traceparent text;

-- As payments.claim_webhooks, which services of the version before call, with the traces of the events.
CREATE FUNCTION payments.claim_traced_webhooks(p_claim text, p_lease interval, p_limit integer, p_parallel integer)
RETURNS TABLE (
    id text, endpoint_id text, event_id text, url text, body text, secrets text[], attempt integer, traceparent text)
LANGUAGE plpgsql AS $$
BEGIN
    FOR id, endpoint_id, event_id, url, body, secrets, attempt IN
        SELECT * FROM payments.claim_webhooks(p_claim, p_lease, p_limit, p_parallel)
    LOOP
        -- No join: it would not see an event that was kept since the statement began.
        SELECT event.traceparent INTO traceparent FROM payments.webhook_events AS event WHERE event.id = event_id;
        RETURN NEXT;
    END LOOP;
END $$;
