-- Begins a refund. p_amount null: all that is left. p_customer null: an operator asks.
-- Outcomes: done (body is the work to do), replay, key_reused, in_flight, illegal (body is the payment),
-- exceeds (body is the payment), not_found.
CREATE FUNCTION payments.begin_refund(
    p_payment text, p_customer text, p_owner text, p_route text, p_key text, p_fingerprint bytea,
    p_id text, p_amount bigint, p_reason text, p_claim text, p_lease interval
) RETURNS TABLE (outcome text, status_code integer, body text)
LANGUAGE plpgsql AS $$
DECLARE
    p payments.payments;
    r payments.refunds;
    known record;
    remaining bigint;
BEGIN
    -- The lock makes refunds of one payment take turns: their sum can never exceed it.
    SELECT * INTO p FROM payments.payments
    WHERE id = p_payment AND (p_customer IS NULL OR customer_id = p_customer) FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found'; RETURN NEXT; RETURN;
    END IF;
    SELECT * INTO known FROM payments.recall(p_owner, p_route, p_key, p_fingerprint);
    IF known.outcome <> 'fresh' THEN
        outcome := CASE known.outcome WHEN 'open' THEN 'in_flight' ELSE known.outcome END;
        status_code := known.status_code; body := known.body;
        RETURN NEXT; RETURN;
    END IF;
    IF p.status <> 'succeeded' OR p.to_routing_number IS NOT NULL THEN
        outcome := 'illegal'; body := payments.document(p); RETURN NEXT; RETURN;
    END IF;
    SELECT p.amount_minor - coalesce(sum(amount_minor), 0) INTO remaining
    FROM payments.refunds WHERE payment_id = p_payment AND status <> 'failed';
    IF remaining = 0 OR p_amount > remaining THEN
        outcome := 'exceeds'; body := payments.document(p); RETURN NEXT; RETURN;
    END IF;
    INSERT INTO payments.refunds (id, payment_id, customer_id, amount_minor, currency, reason, status,
        claim, next_check_at, owner, route, key)
    VALUES (p_id, p_payment, p.customer_id, coalesce(p_amount, remaining), p.currency, p_reason, 'pending',
        p_claim, now() + p_lease, p_owner, p_route, p_key)
    RETURNING * INTO r;
    INSERT INTO payments.idempotency_keys (owner, route, key, fingerprint, subject)
    VALUES (p_owner, p_route, p_key, p_fingerprint, p_id);
    outcome := 'done';
    body := payments.refund_work(r)::text;
    RETURN NEXT;
END $$;

-- The refund as whoever works on it needs it.
CREATE FUNCTION payments.refund_work(r payments.refunds) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT row_to_json(d) FROM (
        SELECT r.id, r.payment_id, r.amount_minor AS amount, r.currency, r.checks, r.route, r.claim,
               p.from_account AS payer_account, p.to_account AS payee_account
        FROM payments.payments AS p WHERE p.id = r.payment_id) AS d
$$;

-- Ends a refund: succeeded, or failed with p_failure. The final answer is p_body, or the refund itself.
-- Outcomes: settled, lost. document is the refund now.
CREATE FUNCTION payments.settle_refund(
    p_id text, p_claim text, p_status text, p_failure jsonb, p_status_code integer, p_body text,
    p_event_ids text[], p_traceparent text
) RETURNS TABLE (outcome text, document text)
LANGUAGE plpgsql AS $$
DECLARE
    r payments.refunds;
    p payments.payments;
    told jsonb;
BEGIN
    -- The payment first, as everywhere: nobody waits for each other.
    SELECT payment.* INTO p FROM payments.payments AS payment
    JOIN payments.refunds AS refund ON refund.payment_id = payment.id
    WHERE refund.id = p_id FOR UPDATE OF payment;
    UPDATE payments.refunds
    SET status = p_status, failure = p_failure, claim = NULL, next_check_at = NULL, updated_at = now()
    WHERE id = p_id AND status = 'pending' AND claim = p_claim
    RETURNING * INTO r;
    IF NOT FOUND THEN
        outcome := 'lost';
        SELECT payments.refund_document(refund)::text INTO document
        FROM payments.refunds AS refund WHERE refund.id = p_id;
        RETURN NEXT; RETURN;
    END IF;
    document := payments.refund_document(r)::text;
    told := document::jsonb;
    UPDATE payments.idempotency_keys
    SET answer_status = p_status_code, answer_body = coalesce(p_body, document)
    WHERE owner = r.owner AND route = r.route AND key = r.key AND answer_status IS NULL;
    PERFORM payments.emit(p_event_ids[1], 'payment-events', p.id, 'refund.' || p_status, told, p_traceparent);
    IF p_status = 'succeeded' THEN
        p.amount_refunded_minor := p.amount_refunded_minor + r.amount_minor;
        p := payments.save(p);
        PERFORM payments.emit(p_event_ids[2], 'payment-events', p.id, 'payment.refunded', payments.inside(p), p_traceparent);
        PERFORM payments.emit(p_event_ids[3], 'notification-events', p.id, 'refund.succeeded', told, p_traceparent);
    END IF;
    outcome := 'settled';
    RETURN NEXT;
END $$;

-- Forgets a refund that surely had no effect, so that its key can be used again.
CREATE FUNCTION payments.drop_refund(p_id text, p_claim text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    r payments.refunds;
BEGIN
    DELETE FROM payments.refunds WHERE id = p_id AND status = 'pending' AND claim = p_claim RETURNING * INTO r;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM payments.idempotency_keys
    WHERE owner = r.owner AND route = r.route AND key = r.key AND answer_status IS NULL;
    RETURN true;
END $$;

-- Hands refunds whose time has come to the janitor, each to one only.
CREATE FUNCTION payments.claim_stuck_refunds(p_claim text, p_lease interval, p_limit integer) RETURNS SETOF text
LANGUAGE sql AS $$
    UPDATE payments.refunds AS r
    SET claim = p_claim, next_check_at = now() + p_lease, checks = r.checks + 1
    WHERE r.id IN (
        SELECT id FROM payments.refunds WHERE status = 'pending' AND next_check_at <= now()
        ORDER BY next_check_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING payments.refund_work(r)::text
$$;
