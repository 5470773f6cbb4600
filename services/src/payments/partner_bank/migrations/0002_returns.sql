-- Money of a completed order that is asked back (in the words of ISO 20022 a pacs.004), once for each reference.
CREATE TABLE bank.returns (
    reference          text PRIMARY KEY,  -- the asker's, fixed before the first try
    reference_number   text NOT NULL UNIQUE,  -- the bank's own, BNK...
    original_reference text NOT NULL,
    amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
    currency           text NOT NULL,
    reason             text,
    error_code         text,  -- NULL: accepted
    received_at        timestamptz NOT NULL,
    completes_at       timestamptz NOT NULL
);
CREATE INDEX returns_by_original ON bank.returns (original_reference);

-- References whose order had not come in when it was canceled, and will be rejected should it ever come.
CREATE TABLE bank.cancellations (
    reference  text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- An order and its cancellation take turns.
CREATE FUNCTION bank.lock_reference(p_reference text) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('bank.transfers ' || p_reference, 0))
$$;

-- As before, but an order that was canceled beforehand is rejected.
CREATE OR REPLACE FUNCTION bank.accept(
    p_reference text, p_number text, p_from text, p_to text, p_to_name text, p_routing text, p_amount bigint,
    p_currency text, p_fee bigint, p_error text, p_delay interval, p_settlement interval
) RETURNS bank.transfers LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written bank.transfers;
    moment timestamptz;
    canceled boolean;
BEGIN
    PERFORM bank.lock_reference(p_reference);
    moment := clock_timestamp();
    canceled := EXISTS (SELECT FROM bank.cancellations WHERE reference = p_reference);
    INSERT INTO bank.transfers (reference, reference_number, from_account, to_account, to_name, routing_number,
                                amount_minor, currency, fee_minor, error_code, received_at, completes_at,
                                estimated_settlement)
    VALUES (p_reference, p_number, p_from, p_to, p_to_name, p_routing, p_amount, p_currency,
            CASE WHEN canceled THEN 0 ELSE p_fee END, CASE WHEN canceled THEN 'CANCELED' ELSE p_error END,
            moment, moment + p_delay, moment + p_settlement)
    ON CONFLICT (reference) DO NOTHING
    RETURNING * INTO written;
    IF written.reference IS NULL THEN
        SELECT * INTO STRICT written FROM bank.transfers WHERE reference = p_reference;
    END IF;
    RETURN written;
END $$;

-- Cancels an order that has not come in: it never will be taken. One that has come in stands as it is and is
-- returned.
CREATE FUNCTION bank.cancel(p_reference text) RETURNS SETOF bank.transfers
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM bank.lock_reference(p_reference);
    RETURN QUERY SELECT * FROM bank.transfers WHERE reference = p_reference;
    IF NOT FOUND THEN
        INSERT INTO bank.cancellations (reference) VALUES (p_reference) ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- Takes a return once and decides it; a repeat finds the first one.
--   p_declined  an error code, when the payee's side refuses whatever the rules say
CREATE FUNCTION bank.accept_return(
    p_reference text, p_number text, p_original text, p_amount bigint, p_currency text, p_reason text,
    p_declined text, p_delay interval
) RETURNS bank.returns LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    original bank.transfers;
    written bank.returns;
    moment timestamptz;
    returned bigint;
BEGIN
    -- The lock makes returns of one order take turns: their sum never exceeds it.
    SELECT * INTO original FROM bank.transfers WHERE reference = p_original FOR NO KEY UPDATE;
    moment := clock_timestamp();
    SELECT coalesce(sum(amount_minor), 0) INTO returned FROM bank.returns
    WHERE original_reference = p_original AND error_code IS NULL;
    INSERT INTO bank.returns (reference, reference_number, original_reference, amount_minor, currency, reason,
                              error_code, received_at, completes_at)
    VALUES (p_reference, p_number, p_original, p_amount, p_currency, p_reason,
            CASE WHEN original.reference IS NULL THEN 'ORIGINAL_NOT_FOUND'
                 WHEN original.error_code IS NOT NULL OR original.completes_at > moment
                     THEN 'ORIGINAL_NOT_COMPLETED'
                 WHEN original.currency <> p_currency THEN 'CURRENCY_MISMATCH'
                 WHEN returned + p_amount > original.amount_minor THEN 'RETURN_EXCEEDS_ORIGINAL'
                 ELSE p_declined END,
            moment, moment + p_delay)
    ON CONFLICT (reference) DO NOTHING
    RETURNING * INTO written;
    IF written.reference IS NULL THEN
        SELECT * INTO STRICT written FROM bank.returns WHERE reference = p_reference;
    END IF;
    RETURN written;
END $$;

-- Faults may be asked for one kind of order, for references that begin alike, and by chance: the n-th order
-- that could show a fault shows it when a number drawn from seed and n is below the probability.
ALTER TABLE bank.faults
    ADD order_kind text CHECK (order_kind IN ('transfer', 'return')),
    ADD reference_prefix text,
    ADD probability double precision NOT NULL DEFAULT 1 CHECK (probability > 0 AND probability <= 1),
    ADD seed bigint NOT NULL DEFAULT 0,
    ADD drawn bigint NOT NULL DEFAULT 0;

-- The fault that this order shows, counted down; NULL for none.
CREATE FUNCTION bank.take_fault(
    p_kind text, p_reference text, OUT o_fault text, OUT o_seconds double precision
) LANGUAGE plpgsql AS $$
DECLARE
    asked bank.faults;
    shown boolean;
BEGIN
    FOR asked IN
        SELECT * FROM bank.faults
        WHERE remaining > 0 AND (order_kind IS NULL OR order_kind = p_kind)
            AND (reference IS NULL OR reference = p_reference)
            AND (reference_prefix IS NULL OR starts_with(p_reference, reference_prefix))
        ORDER BY id FOR UPDATE
    LOOP
        shown := ('x' || left(md5(asked.seed || ':' || asked.drawn), 8))::bit(32)::bigint
                 < asked.probability * 4294967296;
        UPDATE bank.faults SET drawn = drawn + 1, remaining = remaining - shown::integer WHERE id = asked.id;
        IF shown THEN
            o_fault := asked.fault;
            o_seconds := asked.seconds;
            RETURN;
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bank FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bank.accept, bank.accept_return, bank.cancel, bank.take_fault TO bank;
GRANT SELECT ON bank.returns, bank.cancellations TO bank;
GRANT UPDATE (remaining, drawn) ON bank.faults TO bank;
