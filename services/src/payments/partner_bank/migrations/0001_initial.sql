-- The partner bank's own book. The platform knows of it only what the bank's routes answer.

CREATE TABLE bank.transfers (
    reference            text PRIMARY KEY,  -- the sender's, fixed before the first try
    reference_number     text NOT NULL UNIQUE,  -- the bank's own, BNK...
    from_account         text NOT NULL,
    to_account           text NOT NULL,
    to_name              text,
    routing_number       text NOT NULL,
    amount_minor         bigint NOT NULL CHECK (amount_minor > 0),
    currency             text NOT NULL,
    fee_minor            bigint NOT NULL CHECK (fee_minor >= 0),
    error_code           text,  -- NULL: accepted
    received_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The outcome is decided and written once, when the order comes in, and told from this moment on. So an
    -- order never hangs, whoever dies meanwhile.
    completes_at         timestamptz NOT NULL,
    estimated_settlement timestamptz NOT NULL
);

-- Faults to show, in dev and staging: each is shown `remaining` more times, for one reference or for any.
CREATE TABLE bank.faults (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fault      text NOT NULL,
    seconds    double precision NOT NULL CHECK (seconds >= 0),
    reference  text,
    remaining  integer NOT NULL CHECK (remaining >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX faults_open ON bank.faults (id) WHERE remaining > 0;

-- Takes an order once; a repeat finds the first one. Changes nothing after that.
CREATE FUNCTION bank.accept(
    p_reference text, p_number text, p_from text, p_to text, p_to_name text, p_routing text, p_amount bigint,
    p_currency text, p_fee bigint, p_error text, p_delay interval, p_settlement interval
) RETURNS bank.transfers LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written bank.transfers;
    moment timestamptz := clock_timestamp();
BEGIN
    INSERT INTO bank.transfers (reference, reference_number, from_account, to_account, to_name, routing_number,
                                amount_minor, currency, fee_minor, error_code, received_at, completes_at,
                                estimated_settlement)
    VALUES (p_reference, p_number, p_from, p_to, p_to_name, p_routing, p_amount, p_currency, p_fee, p_error,
            moment, moment + p_delay, moment + p_settlement)
    ON CONFLICT (reference) DO NOTHING
    RETURNING * INTO written;
    IF written.reference IS NULL THEN
        SELECT * INTO STRICT written FROM bank.transfers WHERE reference = p_reference;
    END IF;
    RETURN written;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bank FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bank.accept TO bank;
GRANT SELECT ON bank.transfers TO bank;
GRANT SELECT, INSERT, UPDATE (remaining) ON bank.faults TO bank;
