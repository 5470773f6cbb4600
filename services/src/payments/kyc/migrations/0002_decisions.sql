ALTER TABLE kyc.customers DROP CONSTRAINT customers_status_check;
ALTER TABLE kyc.customers ADD CONSTRAINT customers_status_check
    CHECK (status IN ('verified', 'pending', 'rejected', 'documents_required', 'expired'));
CREATE INDEX customers_expiry ON kyc.customers (documents_expire_on) WHERE status = 'verified';
CREATE INDEX customers_status ON kyc.customers (status, customer_id);

-- Every decision that was made, and what it changed. Never updated.
CREATE TABLE kyc.decisions (
    decision_id         text PRIMARY KEY DEFAULT kyc.uuid7(),
    customer_id         text NOT NULL REFERENCES kyc.customers,
    decision            text NOT NULL CHECK (decision IN ('approve', 'reject', 'require_documents', 'expire')),
    reason              text NOT NULL CHECK (reason ~ '\S'),
    level               text NOT NULL,
    documents_expire_on date,
    status_before       text NOT NULL,
    status              text NOT NULL,
    made_by             text NOT NULL CHECK (made_by ~ '\S'),
    made_at             timestamptz NOT NULL DEFAULT now(),
    request_key         text UNIQUE
);
CREATE INDEX decisions_customer ON kyc.decisions (customer_id, decision_id);

-- The only way in which the service changes a customer: a decision on record and its event, in one transaction.
-- No row when there is no such customer; the decision that was made when `key` has been used.
CREATE FUNCTION kyc.decide(
    customer text, verdict text, why text, new_level text, expire_on date, who text, key text, trace text
) RETURNS SETOF kyc.decisions LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before kyc.customers;
    made   kyc.decisions;
BEGIN
    SELECT * INTO before FROM kyc.customers WHERE customer_id = customer FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO made FROM kyc.decisions WHERE request_key = key;
    IF FOUND THEN
        RETURN NEXT made;
        RETURN;
    END IF;
    UPDATE kyc.customers SET
        status = CASE verdict WHEN 'approve' THEN 'verified' WHEN 'reject' THEN 'rejected'
                              WHEN 'expire' THEN 'expired' ELSE 'documents_required' END,
        level = coalesce(new_level, level),
        documents_expire_on = CASE verdict WHEN 'approve' THEN expire_on ELSE documents_expire_on END
    WHERE customer_id = customer;
    INSERT INTO kyc.decisions (customer_id, decision, reason, level, documents_expire_on, status_before, status,
                               made_by, request_key)
    SELECT customer, verdict, why, c.level, c.documents_expire_on, before.status, c.status, who, key
    FROM kyc.customers c WHERE c.customer_id = customer
    RETURNING * INTO made;
    INSERT INTO kyc.outbox (event_id, topic, key, type, payload, traceparent)
    VALUES (kyc.uuid7(), 'payment-events', customer, 'kyc.decided', jsonb_build_object(
        'customer_id', customer, 'decision_id', made.decision_id, 'decision', verdict, 'level', made.level,
        'status_before', made.status_before, 'status', made.status,
        'documents_expire_on', made.documents_expire_on, 'by', who), trace);
    RETURN NEXT made;
END
$$;

-- Marks customers whose documents ended before today (UTC); returns how many of at most `most`.
CREATE FUNCTION kyc.expire_documents(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended text;
    count integer := 0;
BEGIN
    FOR ended IN
        SELECT customer_id FROM kyc.customers
        WHERE status = 'verified' AND documents_expire_on < (now() AT TIME ZONE 'UTC')::date
        ORDER BY customer_id LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM kyc.decide(ended, 'expire', 'the documents have expired', NULL, NULL, 'kyc-service', NULL, NULL);
        count := count + 1;
    END LOOP;
    RETURN count;
END
$$;

REVOKE ALL ON FUNCTION kyc.decide(text, text, text, text, date, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION kyc.expire_documents(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kyc.decide(text, text, text, text, date, text, text, text) TO kyc;
GRANT EXECUTE ON FUNCTION kyc.expire_documents(integer) TO kyc;
GRANT SELECT ON kyc.decisions TO kyc;
