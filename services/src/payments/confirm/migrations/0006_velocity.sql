ALTER TABLE payments.payments
    ADD COLUMN velocity         jsonb,        -- what the customer did before, when confirmed: see payments.velocity
    ADD COLUMN processing_since timestamptz,  -- the beginning of the last attempt
    ADD COLUMN stuck_at         timestamptz;  -- when payment.stuck was told; of an earlier attempt when it is older

-- What each customer has paid, by clock hour: windows of any length cost a few rows to read. A week is kept.
CREATE TABLE payments.spending (
    customer_id  text NOT NULL,
    currency     text NOT NULL,
    hour         timestamptz NOT NULL,
    amount_minor numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, hour)
) WITH (fillfactor = 80);
CREATE INDEX spending_age ON payments.spending (hour);

-- Whom each customer has ever paid; routing is '' for an account of this platform.
CREATE TABLE payments.payees (
    customer_id   text NOT NULL,
    account       text NOT NULL,
    routing       text NOT NULL,
    first_paid_at timestamptz NOT NULL,
    PRIMARY KEY (customer_id, account, routing)
);

CREATE FUNCTION payments.note_success() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payments.payees (customer_id, account, routing, first_paid_at)
    VALUES (NEW.customer_id, NEW.to_account, coalesce(NEW.to_routing_number, ''), now())
    ON CONFLICT DO NOTHING;
    -- Last, because the customer's other payments wait for this row.
    INSERT INTO payments.spending AS hourly (customer_id, currency, hour, amount_minor)
    VALUES (NEW.customer_id, NEW.currency, date_trunc('hour', now(), 'UTC'), NEW.amount_minor)
    ON CONFLICT (customer_id, currency, hour)
        DO UPDATE SET amount_minor = hourly.amount_minor + excluded.amount_minor;
    RETURN NULL;
END $$;

-- Part of whatever ends a payment: no further call, and nothing to forget.
CREATE TRIGGER payments_success AFTER UPDATE OF status ON payments.payments
    FOR EACH ROW WHEN (NEW.status = 'succeeded' AND OLD.status <> 'succeeded')
    EXECUTE FUNCTION payments.note_success();

INSERT INTO payments.payees
SELECT customer_id, to_account, coalesce(to_routing_number, ''), min(confirmed_at)
FROM payments.payments WHERE status = 'succeeded' GROUP BY 1, 2, 3;
INSERT INTO payments.spending
SELECT customer_id, currency, date_trunc('hour', confirmed_at, 'UTC'), sum(amount_minor)
FROM payments.payments WHERE status = 'succeeded' AND confirmed_at > now() - interval '8 days' GROUP BY 1, 2, 3;
UPDATE payments.payments SET processing_since = updated_at WHERE status = 'processing';

-- The customer's other payments before this one. Counts are of those created within the window and end at 100:
-- rules ask whether there are more than a few. Sums are of those that succeeded, in this currency, in minor
-- units; their windows begin with a clock hour, so they are up to an hour longer and never shorter.
CREATE FUNCTION payments.velocity(p payments.payments) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    counted record;
    summed record;
BEGIN
    SELECT count(*) FILTER (WHERE created_at > now() - interval '1 hour') AS h1,
           count(*) FILTER (WHERE created_at > now() - interval '24 hours') AS h24,
           count(*) AS d7
    INTO counted FROM (
        SELECT other.created_at FROM payments.payments AS other
        WHERE other.customer_id = p.customer_id AND other.id <> p.id
            AND other.created_at > now() - interval '7 days'
        ORDER BY other.created_at DESC LIMIT 100) AS recent;
    SELECT coalesce(sum(amount_minor) FILTER (
               WHERE hour >= date_trunc('hour', now() - interval '1 hour', 'UTC')), 0) AS h1,
           coalesce(sum(amount_minor) FILTER (
               WHERE hour >= date_trunc('hour', now() - interval '24 hours', 'UTC')), 0) AS h24,
           coalesce(sum(amount_minor), 0) AS d7
    INTO summed FROM payments.spending
    WHERE customer_id = p.customer_id AND currency = p.currency
        AND hour >= date_trunc('hour', now() - interval '7 days', 'UTC');
    RETURN jsonb_build_object(
        'payments_1h', counted.h1, 'payments_24h', counted.h24, 'payments_7d', counted.d7,
        'sum_1h', summed.h1, 'sum_24h', summed.h24, 'sum_7d', summed.d7,
        'new_payee', NOT EXISTS (
            SELECT FROM payments.payees
            WHERE customer_id = p.customer_id AND account = p.to_account
                AND routing = coalesce(p.to_routing_number, '')));
END $$;

-- As in 0002, with the velocity.
CREATE OR REPLACE FUNCTION payments.work(p payments.payments, p_inside jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_inside || jsonb_build_object('claim', p.claim, 'confirm_route', p.confirm_route,
                                          'reviewed', p.reviewed_by IS NOT NULL, 'checks', p.checks,
                                          'velocity', p.velocity);
END $$;

-- As in 0002, with what is new in a payment.
CREATE OR REPLACE FUNCTION payments.save(n payments.payments) RETURNS payments.payments
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments.payments SET
        status = n.status, reference = n.reference, bank_transfer = n.bank_transfer,
        assessment = n.assessment, payments_24h = n.payments_24h, velocity = n.velocity,
        processing_since = n.processing_since, otp_required = n.otp_required,
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

-- As in 0002, with the whole velocity instead of one count.
CREATE OR REPLACE FUNCTION payments.act(
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
        n.processing_since := now();
        n.velocity := payments.velocity(p);
        n.payments_24h := (n.velocity->>'payments_24h')::integer;
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

-- Payments whose outcome nobody knows for longer than p_age, each told once for each attempt: payment.stuck.
CREATE FUNCTION payments.alert_stuck(p_age interval, p_event_ids text[])
RETURNS TABLE (id text, since timestamptz, stage text, checks integer)
LANGUAGE plpgsql AS $$
DECLARE
    n payments.payments;
    told integer := 0;
BEGIN
    FOR n IN SELECT * FROM payments.payments AS p
        WHERE p.status = 'processing' AND p.processing_since < now() - p_age
            AND (p.stuck_at IS NULL OR p.stuck_at < p.processing_since)
        ORDER BY p.processing_since LIMIT cardinality(p_event_ids) FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE payments.payments AS p SET stuck_at = now() WHERE p.id = n.id;
        told := told + 1;
        PERFORM payments.emit(
            p_event_ids[told], 'payment-events', n.id, 'payment.stuck', payments.inside(n), NULL);
        id := n.id; since := n.processing_since; stage := n.stage; checks := n.checks;
        RETURN NEXT;
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON payments.spending TO payments;
GRANT SELECT, INSERT ON payments.payees TO payments;
