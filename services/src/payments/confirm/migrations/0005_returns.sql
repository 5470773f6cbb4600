-- Refunds of payments to another bank: the bank is asked for the money under a reference of the refund's own,
-- which is committed with the refund before the bank is asked.
ALTER TABLE payments.refunds ADD bank_reference text;  -- NULL: both accounts are ours
CREATE UNIQUE INDEX refunds_bank_reference ON payments.refunds (bank_reference) WHERE bank_reference IS NOT NULL;

-- The refund as whoever works on it needs it.
CREATE OR REPLACE FUNCTION payments.refund_work(r payments.refunds) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT row_to_json(d) FROM (
        SELECT r.id, r.payment_id, r.amount_minor AS amount, r.currency, r.checks, r.route, r.claim,
               p.from_account AS payer_account, p.to_account AS payee_account,
               r.bank_reference, p.bank_reference AS original_reference
        FROM payments.payments AS p WHERE p.id = r.payment_id) AS d
$$;

-- Begins a refund. p_amount null: all that is left. p_customer null: an operator asks.
--   p_bank_reference  to ask the other bank under, if the payment went there
-- Outcomes: done (body is the work to do), replay, key_reused, in_flight, illegal (body is the payment),
-- exceeds (body is the payment), not_found.
-- The function of this name with one argument less serves the version before, which knows no such refunds.
CREATE FUNCTION payments.begin_refund(
    p_payment text, p_customer text, p_owner text, p_route text, p_key text, p_fingerprint bytea,
    p_id text, p_amount bigint, p_reason text, p_claim text, p_lease interval, p_bank_reference text
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
    IF p.status <> 'succeeded' THEN
        outcome := 'illegal'; body := payments.document(p); RETURN NEXT; RETURN;
    END IF;
    SELECT p.amount_minor - coalesce(sum(amount_minor), 0) INTO remaining
    FROM payments.refunds WHERE payment_id = p_payment AND status <> 'failed';
    IF remaining = 0 OR p_amount > remaining THEN
        outcome := 'exceeds'; body := payments.document(p); RETURN NEXT; RETURN;
    END IF;
    INSERT INTO payments.refunds (id, payment_id, customer_id, amount_minor, currency, reason, status,
        claim, next_check_at, owner, route, key, bank_reference)
    VALUES (p_id, p_payment, p.customer_id, coalesce(p_amount, remaining), p.currency, p_reason, 'pending',
        p_claim, now() + p_lease, p_owner, p_route, p_key,
        CASE WHEN p.to_routing_number IS NOT NULL THEN p_bank_reference END)
    RETURNING * INTO r;
    INSERT INTO payments.idempotency_keys (owner, route, key, fingerprint, subject)
    VALUES (p_owner, p_route, p_key, p_fingerprint, p_id);
    outcome := 'done';
    body := payments.refund_work(r)::text;
    RETURN NEXT;
END $$;

-- Hands refunds whose time has come to the janitor, each to one only.
CREATE FUNCTION payments.claim_refunds(p_claim text, p_lease interval, p_limit integer) RETURNS SETOF text
LANGUAGE sql AS $$
    UPDATE payments.refunds AS r
    SET claim = p_claim, next_check_at = now() + p_lease, checks = r.checks + 1
    WHERE r.id IN (
        SELECT id FROM payments.refunds WHERE status = 'pending' AND next_check_at <= now()
        ORDER BY next_check_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING payments.refund_work(r)::text
$$;

-- The janitors of the version before would take a refund from another bank for one between our accounts.
CREATE OR REPLACE FUNCTION payments.claim_stuck_refunds(p_claim text, p_lease interval, p_limit integer)
RETURNS SETOF text LANGUAGE sql AS $$
    UPDATE payments.refunds AS r
    SET claim = p_claim, next_check_at = now() + p_lease, checks = r.checks + 1
    WHERE r.id IN (
        SELECT id FROM payments.refunds
        WHERE status = 'pending' AND next_check_at <= now() AND bank_reference IS NULL
        ORDER BY next_check_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING payments.refund_work(r)::text
$$;
