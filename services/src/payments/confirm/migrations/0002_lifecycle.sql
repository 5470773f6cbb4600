CREATE FUNCTION payments.emit(
    p_event_id text, p_topic text, p_payment text, p_type text, p_payload jsonb, p_traceparent text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payments.outbox (event_id, topic, key, type, payload, traceparent)
    VALUES (p_event_id, p_topic, p_payment, p_type, p_payload, p_traceparent);
END $$;

-- What is known of an idempotency key: replay (with the answer), key_reused, open (no final answer yet), fresh.
CREATE FUNCTION payments.recall(p_owner text, p_route text, p_key text, p_fingerprint bytea)
RETURNS TABLE (outcome text, subject text, status_code integer, body text)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN k.key IS NULL THEN 'fresh'
                WHEN k.fingerprint <> p_fingerprint THEN 'key_reused'
                WHEN k.answer_status IS NULL THEN 'open'
                ELSE 'replay' END,
           k.subject, k.answer_status, k.answer_body
    FROM (SELECT) AS one
    LEFT JOIN payments.idempotency_keys AS k ON k.owner = p_owner AND k.route = p_route AND k.key = p_key
$$;

CREATE TYPE payments.original_answer AS (
    status text, transaction_id text, reference text, amount numeric, confirmed_at text
);

-- The body of a confirmed payment's answer, in the shape of the route that it was confirmed on.
CREATE FUNCTION payments.success(p payments.payments, told json) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p.confirm_route = 'POST /payment/confirm' THEN
        RETURN to_json(ROW(
            'SUCCESS', p.id, p.reference,
            round(p.amount_minor / 10::numeric ^ p.currency_exponent, p.currency_exponent),
            payments.rfc3339(p.confirmed_at))::payments.original_answer);
    END IF;
    RETURN told;
END $$;

-- The payment as whoever works on it needs it; p_inside spares building the document twice.
CREATE FUNCTION payments.work(p payments.payments, p_inside jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_inside || jsonb_build_object('claim', p.claim, 'confirm_route', p.confirm_route,
                                          'reviewed', p.reviewed_by IS NOT NULL, 'checks', p.checks);
END $$;

-- Writes everything of a payment that may change.
CREATE FUNCTION payments.save(n payments.payments) RETURNS payments.payments
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments.payments SET
        status = n.status, reference = n.reference, bank_transfer = n.bank_transfer,
        assessment = n.assessment, payments_24h = n.payments_24h, otp_required = n.otp_required,
        reviewed_by = n.reviewed_by, next_action = n.next_action, last_error = n.last_error,
        failure = n.failure, cancellation_reason = n.cancellation_reason,
        amount_refunded_minor = n.amount_refunded_minor, stage = n.stage, claim = n.claim,
        next_check_at = n.next_check_at, checks = n.checks, unsettled = n.unsettled,
        confirm_route = n.confirm_route, confirm_key = n.confirm_key, confirmed_at = n.confirmed_at,
        canceled_at = n.canceled_at, updated_at = now()
    WHERE id = n.id
    RETURNING * INTO n;
    RETURN n;
END $$;

-- Creates a payment. p_new: its columns.
-- Outcomes: created, replay, key_reused.
CREATE FUNCTION payments.create_payment(
    p_new jsonb, p_route text, p_key text, p_fingerprint bytea, p_expiry interval,
    p_event_id text, p_traceparent text
) RETURNS TABLE (outcome text, subject text, status_code integer, body text)
LANGUAGE plpgsql AS $$
DECLARE
    n payments.payments;
BEGIN
    n := jsonb_populate_record(NULL::payments.payments, p_new);
    n.metadata := coalesce(n.metadata, '{}');
    n.status := 'requires_confirmation';
    n.stage := 'new';
    n.payments_24h := 0;
    n.otp_required := false;
    n.amount_refunded_minor := 0;
    n.checks := 0;
    n.unsettled := false;
    n.created_at := now();
    n.updated_at := now();
    n.expires_at := now() + p_expiry;
    body := payments.document(n)::text;
    INSERT INTO payments.idempotency_keys (owner, route, key, fingerprint, subject, answer_status, answer_body)
    VALUES (n.customer_id, p_route, p_key, p_fingerprint, n.id, 201, body)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM payments.recall(n.customer_id, p_route, p_key, p_fingerprint);
        RETURN;
    END IF;
    INSERT INTO payments.payments SELECT n.*;
    PERFORM payments.emit(p_event_id, 'payment-events', n.id, 'payment.created', payments.inside(n), p_traceparent);
    outcome := 'created'; subject := n.id; status_code := 201;
    RETURN NEXT;
END $$;

-- Begins an action on a payment: confirm, cancel, approve or reject (see domain.py for the states).
--   p_customer    owner, null for operators
--   p_from        states in which the action is allowed
--   p_changes     columns that change, the status among them
--   p_expected    what the request says of the payment: amount (decimal), from_account, to_account
--   p_lease       how long the caller may work on a payment that is processing before the janitor takes over
-- Outcomes: done (body is the work to do, or the final answer when p_claim is null), replay, key_reused,
-- in_flight, waiting (this key's payment is under review or its outcome unknown; body is the payment),
-- illegal (body is the payment), mismatch (body is an array of field names), not_found.
CREATE FUNCTION payments.act(
    p_id text, p_customer text, p_owner text, p_route text, p_key text, p_fingerprint bytea,
    p_from text[], p_changes jsonb, p_expected jsonb, p_type text, p_claim text, p_lease interval,
    p_event_ids text[], p_traceparent text
) RETURNS TABLE (outcome text, status_code integer, body text)
LANGUAGE plpgsql AS $$
DECLARE
    p payments.payments;
    n payments.payments;
    known record;
    told json;
    event jsonb;
BEGIN
    SELECT * INTO p FROM payments.payments
    WHERE id = p_id AND (p_customer IS NULL OR customer_id = p_customer) FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found'; RETURN NEXT; RETURN;
    END IF;

    SELECT * INTO known FROM payments.recall(p_owner, p_route, p_key, p_fingerprint);
    IF known.outcome IN ('replay', 'key_reused') THEN
        outcome := known.outcome; status_code := known.status_code; body := known.body;
        RETURN NEXT; RETURN;
    END IF;
    IF known.outcome = 'open' AND NOT p.status = ANY (p_from) THEN
        IF p.status = 'processing' AND NOT p.unsettled THEN
            outcome := 'in_flight'; RETURN NEXT; RETURN;
        ELSIF p.status IN ('processing', 'requires_review') THEN
            outcome := 'waiting'; body := payments.document(p); RETURN NEXT; RETURN;
        END IF;
    END IF;

    IF p_expected IS NOT NULL THEN
        SELECT json_agg(field)::text INTO body FROM (
            SELECT 'amount' AS field WHERE (p_expected->>'amount')::numeric
                <> p.amount_minor / 10::numeric ^ p.currency_exponent
            UNION ALL SELECT 'from_account' WHERE p_expected->>'from_account' <> p.from_account
            UNION ALL SELECT 'to_account' WHERE p_expected->>'to_account' <> p.to_account) AS wrong;
        IF body IS NOT NULL THEN
            outcome := 'mismatch'; RETURN NEXT; RETURN;
        END IF;
    END IF;
    IF NOT p.status = ANY (p_from) THEN
        outcome := 'illegal'; body := payments.document(p); RETURN NEXT; RETURN;
    END IF;

    n := jsonb_populate_record(p, p_changes);
    IF p_claim IS NOT NULL THEN
        n.claim := p_claim;
        n.next_check_at := now() + p_lease;
        n.checks := 0;
        n.unsettled := false;
        SELECT count(*) INTO n.payments_24h FROM (
            SELECT FROM payments.payments AS other
            WHERE other.customer_id = p.customer_id AND other.id <> p.id
                AND other.created_at > now() - interval '24 hours'
            LIMIT 100) AS recent;  -- the rule only asks whether there are more than a few
    END IF;
    IF n.status = 'canceled' THEN
        n.canceled_at := now();
    END IF;
    n := payments.save(n);
    told := payments.document(n);
    event := payments.inside(n, told);
    IF p_claim IS NOT NULL THEN
        body := payments.work(n, event);
    ELSE
        body := told;
        status_code := 200;
    END IF;
    IF known.outcome = 'fresh' THEN
        INSERT INTO payments.idempotency_keys (owner, route, key, fingerprint, subject, answer_status, answer_body)
        VALUES (p_owner, p_route, p_key, p_fingerprint, p_id, status_code, CASE WHEN p_claim IS NULL THEN body END)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN  -- the same key was used with another payment at this very moment
            RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = 'idempotency_keys_pkey',
                MESSAGE = 'the idempotency key was taken meanwhile';
        END IF;
    END IF;
    PERFORM payments.emit(p_event_ids[1], 'payment-events', p_id, p_type, event, p_traceparent);
    IF n.status = 'failed' THEN
        PERFORM payments.emit(p_event_ids[2], 'notification-events', p_id, p_type, told::jsonb, p_traceparent);
    END IF;
    outcome := 'done';
    RETURN NEXT;
END $$;

-- Ends an attempt: the payment leaves processing, its events are written, its final answer is kept.
--   p_status_code  status of the final answer; null when the key stays open
--   p_body         the final answer; null for the one of a payment that has succeeded
-- Outcomes: settled, lost (somebody else has taken the payment over). document is the payment now.
CREATE FUNCTION payments.settle(
    p_id text, p_claim text, p_from text[], p_changes jsonb, p_type text, p_status_code integer, p_body text,
    p_event_ids text[], p_traceparent text
) RETURNS TABLE (outcome text, document text, body text)
LANGUAGE plpgsql AS $$
DECLARE
    p payments.payments;
    n payments.payments;
    told json;
BEGIN
    SELECT * INTO p FROM payments.payments WHERE id = p_id FOR UPDATE;
    IF p.claim IS DISTINCT FROM p_claim OR NOT p.status = ANY (p_from) THEN
        outcome := 'lost'; document := payments.document(p); RETURN NEXT; RETURN;
    END IF;
    n := jsonb_populate_record(p, p_changes);
    n.claim := NULL;
    n.next_check_at := NULL;
    n.unsettled := false;
    IF n.status = 'succeeded' THEN
        n.confirmed_at := now();
    END IF;
    n := payments.save(n);
    told := payments.document(n);
    document := told;
    body := coalesce(p_body, CASE WHEN n.status = 'succeeded' THEN payments.success(n, told) ELSE document END);
    IF p_status_code IS NOT NULL THEN
        UPDATE payments.idempotency_keys SET answer_status = p_status_code, answer_body = settle.body
        WHERE owner = n.customer_id AND route = n.confirm_route AND key = n.confirm_key AND answer_status IS NULL;
    END IF;
    PERFORM payments.emit(p_event_ids[1], 'payment-events', p_id, p_type, payments.inside(n, told), p_traceparent);
    IF n.status IN ('succeeded', 'failed') THEN
        PERFORM payments.emit(p_event_ids[2], 'notification-events', p_id, p_type, told::jsonb, p_traceparent);
    END IF;
    outcome := 'settled';
    RETURN NEXT;
END $$;

-- Cancels payments that were not confirmed in time; one event id for each that may be canceled.
CREATE FUNCTION payments.expire(p_from text[], p_changes jsonb, p_type text, p_event_ids text[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    n payments.payments;
    done integer := 0;
BEGIN
    FOR n IN SELECT * FROM payments.payments
        WHERE status = ANY (p_from) AND status IN ('requires_confirmation', 'requires_action')
            AND expires_at <= now()
        ORDER BY expires_at LIMIT cardinality(p_event_ids) FOR UPDATE SKIP LOCKED
    LOOP
        n := jsonb_populate_record(n, p_changes);
        n.canceled_at := now();
        n := payments.save(n);
        done := done + 1;
        PERFORM payments.emit(p_event_ids[done], 'payment-events', n.id, p_type, payments.inside(n), NULL);
    END LOOP;
    RETURN done;
END $$;

-- Hands payments whose time has come to the janitor, each to one only.
CREATE FUNCTION payments.claim_stuck(p_claim text, p_lease interval, p_limit integer) RETURNS SETOF text
LANGUAGE sql AS $$
    UPDATE payments.payments AS p
    SET claim = p_claim, next_check_at = now() + p_lease, checks = p.checks + 1, unsettled = true
    WHERE p.id IN (
        SELECT id FROM payments.payments WHERE status = 'processing' AND next_check_at <= now()
        ORDER BY next_check_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING payments.work(p, payments.inside(p))::text
$$;
