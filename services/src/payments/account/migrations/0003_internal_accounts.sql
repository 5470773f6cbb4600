-- Every payment to another bank takes part in the same two internal accounts. Were their balances kept in their
-- rows, all such payments would wait for each other's commits. So an internal account's balance is spread over
-- shares, one for each group of sessions, and is their sum; its row holds none.
CREATE TABLE accounts.shares (
    account_number text COLLATE "C" NOT NULL REFERENCES accounts.accounts,
    share          smallint NOT NULL,
    posted_minor   bigint NOT NULL,
    PRIMARY KEY (account_number, share)
) WITH (fillfactor = 50);

ALTER TABLE accounts.accounts ALTER posted_minor DROP NOT NULL, ALTER available_minor DROP NOT NULL;
INSERT INTO accounts.shares (account_number, share, posted_minor)
SELECT account_number, 0, posted_minor FROM accounts.accounts WHERE kind = 'internal';
UPDATE accounts.accounts SET posted_minor = NULL WHERE kind = 'internal';
ALTER TABLE accounts.accounts ADD CONSTRAINT customers_have_a_balance CHECK (
    (kind = 'customer') = (posted_minor IS NOT NULL));

-- Reconciliation: when the bank's book was last compared with a return that was posted, and what differed.
CREATE TABLE accounts.returns (
    refund_id  text PRIMARY KEY,
    checked_at timestamptz,
    difference text
);
CREATE INDEX returns_to_check ON accounts.returns (refund_id) WHERE checked_at IS NULL OR difference IS NOT NULL;
INSERT INTO accounts.returns (refund_id)
SELECT refund_id FROM accounts.transfers WHERE kind = 'refund' AND bank_reference IS NOT NULL;

-- Accounts with their balances, whichever kind they are.
CREATE VIEW accounts.balances AS
SELECT account_number, customer_id, kind, account_type, name, currency, status, held_minor, created_at,
       posted_minor, posted_minor - held_minor AS available_minor
FROM (
    SELECT a.account_number, a.customer_id, a.kind, a.account_type, a.name, a.currency, a.status, a.held_minor,
           a.created_at,
           CASE a.kind WHEN 'customer' THEN a.posted_minor
                ELSE (SELECT coalesce(sum(s.posted_minor), 0)::bigint FROM accounts.shares AS s
                      WHERE s.account_number = a.account_number) END AS posted_minor
    FROM accounts.accounts AS a
) AS whole;

-- Nobody knows an internal account's balance after an entry before all are committed.
ALTER TABLE accounts.entries
    ALTER balance_after_minor DROP NOT NULL,
    ADD CONSTRAINT customers_see_their_balance CHECK (
        balance_after_minor IS NOT NULL OR account_number LIKE 'internal.%');

-- As before. The customers' accounts are locked by the caller; shares come after them, and of two transfers in
-- one transaction those of the settlement account first, so nobody waits in a circle.
CREATE OR REPLACE FUNCTION accounts.record_transfer(
    p_kind text, p_payment text, p_refund text, p_from text, p_to text, p_amount bigint, p_currency text,
    p_bank_reference text, p_key text, p_traceparent text,
    OUT o_id text, OUT o_at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts.transfers (kind, payment_id, refund_id, from_account, to_account, amount_minor, currency,
                                    bank_reference, posted_at)
    VALUES (p_kind, p_payment, p_refund, p_from, p_to, p_amount, p_currency, p_bank_reference, clock_timestamp())
    ON CONFLICT DO NOTHING
    RETURNING id, posted_at INTO o_id, o_at;
    IF o_id IS NULL THEN
        RETURN;
    END IF;
    WITH moved AS (
        UPDATE accounts.accounts
        SET posted_minor = posted_minor + CASE account_number WHEN p_from THEN -p_amount ELSE p_amount END
        WHERE account_number IN (p_from, p_to) AND kind = 'customer'
        RETURNING account_number, posted_minor
    ), shared AS (
        INSERT INTO accounts.shares AS s (account_number, share, posted_minor)
        SELECT side, pg_backend_pid() % 64, CASE side WHEN p_from THEN -p_amount ELSE p_amount END
        FROM unnest(ARRAY[p_from, p_to]) AS side WHERE side LIKE 'internal.%'
        ON CONFLICT (account_number, share) DO UPDATE SET posted_minor = s.posted_minor + excluded.posted_minor
        RETURNING s.account_number
    )
    INSERT INTO accounts.entries (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
    SELECT o_id, account_number, CASE account_number WHEN p_from THEN -p_amount ELSE p_amount END, p_currency,
           posted_minor, o_at
    FROM (SELECT account_number, posted_minor FROM moved
          UNION ALL SELECT account_number, NULL FROM shared) AS sides;
    INSERT INTO accounts.outbox (key, type, payload, traceparent)
    VALUES (p_key, 'transfer.posted', jsonb_build_object(
        'transfer_id', o_id, 'kind', p_kind, 'refund_id', p_refund,
        'payment_id', CASE WHEN p_kind <> 'opening' THEN p_payment END,
        'from_account', accounts.mask(p_from), 'to_account', accounts.mask(p_to),
        'amount', p_amount, 'currency', p_currency, 'bank_reference', p_bank_reference, 'posted_at', o_at),
        p_traceparent);
END $$;

-- As before, without waiting for the internal accounts.
CREATE OR REPLACE FUNCTION accounts.post_hold(
    p_payment text, p_bank_reference text, p_traceparent text,
    OUT o_refusal text, OUT o_hold_id text, OUT o_transfer_id text, OUT o_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hold accounts.holds;
    settlement text;
    fees text;
BEGIN
    SELECT * INTO hold FROM accounts.holds WHERE payment_id = p_payment FOR UPDATE;
    IF NOT FOUND THEN
        o_refusal := 'payment_not_found/payment_id';
        RETURN;
    END IF;
    o_hold_id := hold.id;
    IF hold.status = 'voided' THEN
        o_refusal := 'illegal_state/payment_id';
        RETURN;
    END IF;
    IF hold.bank_reference <> p_bank_reference THEN
        o_refusal := 'payment_mismatch/bank_reference';
        RETURN;
    END IF;
    IF hold.status = 'posted' THEN
        SELECT id, posted_at INTO o_transfer_id, o_at FROM accounts.transfers
        WHERE payment_id = p_payment AND kind = 'payment';
        RETURN;
    END IF;
    settlement := 'internal.settlement.' || hold.currency;
    fees := 'internal.fees.' || hold.currency;
    UPDATE accounts.accounts SET held_minor = held_minor - hold.amount_minor - hold.fee_minor
    WHERE account_number = hold.account_number;
    SELECT r.o_id, r.o_at INTO STRICT o_transfer_id, o_at FROM accounts.record_transfer(
        'payment', p_payment, NULL, hold.account_number, settlement, hold.amount_minor, hold.currency,
        p_bank_reference, p_payment, p_traceparent) AS r;
    IF o_transfer_id IS NULL THEN
        RAISE EXCEPTION 'payment % has a hold and was posted without it', p_payment
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF hold.fee_minor > 0 THEN
        PERFORM accounts.record_transfer(
            'fee', p_payment, NULL, hold.account_number, fees, hold.fee_minor, hold.currency,
            p_bank_reference, p_payment, p_traceparent);
    END IF;
    UPDATE accounts.holds SET status = 'posted', bank_reference = p_bank_reference, resolved_at = o_at
    WHERE id = hold.id;
    INSERT INTO accounts.outbox (key, type, payload, traceparent)
    VALUES (p_payment, 'hold.posted', jsonb_build_object(
        'hold_id', hold.id, 'payment_id', p_payment, 'account_number', accounts.mask(hold.account_number),
        'amount', hold.amount_minor, 'fee', hold.fee_minor, 'currency', hold.currency,
        'bank_reference', p_bank_reference, 'transfer_id', o_transfer_id), p_traceparent);
END $$;

-- As before, without waiting for the internal accounts; and noted for the comparison with the bank.
CREATE OR REPLACE FUNCTION accounts.post_return(
    p_payment text, p_refund text, p_amount bigint, p_currency text, p_bank_reference text, p_traceparent text,
    OUT o_refusal text, OUT o_id text, OUT o_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payment accounts.transfers;
    before accounts.transfers;
    refunded bigint;
BEGIN
    SELECT * INTO payment FROM accounts.transfers WHERE payment_id = p_payment AND kind = 'payment';
    IF NOT FOUND THEN
        o_refusal := 'payment_not_found/payment_id';
        RETURN;
    END IF;
    -- The lock makes refunds of one payment take turns: their sum stands still.
    PERFORM FROM accounts.accounts WHERE account_number = payment.from_account FOR NO KEY UPDATE;
    SELECT * INTO before FROM accounts.transfers WHERE refund_id = p_refund AND kind = 'refund';
    IF FOUND THEN
        IF (before.payment_id, before.to_account, before.amount_minor, before.currency, before.bank_reference)
           IS DISTINCT FROM (p_payment, payment.from_account, p_amount, p_currency, p_bank_reference) THEN
            o_refusal := 'payment_mismatch/payment_id';
        ELSE
            o_id := before.id;
            o_at := before.posted_at;
        END IF;
        RETURN;
    END IF;
    SELECT coalesce(sum(amount_minor), 0) INTO refunded FROM accounts.transfers
    WHERE payment_id = p_payment AND kind = 'refund';
    o_refusal := CASE
        WHEN payment.bank_reference IS NULL THEN 'payment_mismatch/payment_id'  -- it never left this bank
        WHEN payment.currency <> p_currency THEN 'currency_mismatch/currency'
        WHEN refunded + p_amount > payment.amount_minor THEN 'refund_exceeds_payment/amount' END;
    IF o_refusal IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT r.o_id, r.o_at INTO o_id, o_at FROM accounts.record_transfer(
        'refund', p_payment, p_refund, payment.to_account, payment.from_account, p_amount, p_currency,
        p_bank_reference, p_payment, p_traceparent) AS r;
    IF o_id IS NULL THEN  -- the refund's id was used for another payment at this very moment
        o_refusal := 'payment_mismatch/refund_id';
        RETURN;
    END IF;
    INSERT INTO accounts.returns (refund_id) VALUES (p_refund);
END $$;

-- As before, without waiting for the internal accounts.
CREATE OR REPLACE FUNCTION accounts.open_account(
    p_number text, p_customer text, p_currency text, p_opening bigint DEFAULT 0,
    p_name text DEFAULT 'Checking account', p_type text DEFAULT 'CHECKING'
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    opening text := 'internal.opening.' || p_currency;
BEGIN
    INSERT INTO accounts.accounts (account_number, kind, account_type, name, currency, posted_minor)
    VALUES (opening, 'internal', 'INTERNAL', 'Opening balances', p_currency, NULL),
           ('internal.settlement.' || p_currency, 'internal', 'INTERNAL', 'Settlement with the partner bank',
            p_currency, NULL),
           ('internal.fees.' || p_currency, 'internal', 'INTERNAL', 'Fees of the partner bank', p_currency, NULL)
    ON CONFLICT DO NOTHING;
    INSERT INTO accounts.accounts (account_number, customer_id, kind, account_type, name, currency)
    VALUES (p_number, p_customer, 'customer', p_type, p_name, p_currency)
    ON CONFLICT DO NOTHING;
    IF NOT EXISTS (SELECT FROM accounts.accounts
                   WHERE account_number = p_number AND customer_id = p_customer AND currency = p_currency) THEN
        RAISE EXCEPTION 'account % exists for another customer or currency', p_number
            USING ERRCODE = 'unique_violation';
    END IF;
    IF p_opening > 0 THEN
        PERFORM FROM accounts.accounts WHERE account_number = p_number FOR NO KEY UPDATE;
        PERFORM accounts.record_transfer('opening', 'opening:' || p_number, NULL, opening, p_number, p_opening,
                                         p_currency, NULL, p_customer, NULL);
    END IF;
END $$;

GRANT SELECT ON accounts.shares, accounts.balances, accounts.returns TO accounts;
GRANT UPDATE (checked_at, difference) ON accounts.returns TO accounts;
