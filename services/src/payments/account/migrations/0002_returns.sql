-- A posting is in the currency of its account and of its transfer, whoever writes it.
ALTER TABLE accounts.accounts ADD CONSTRAINT accounts_currency UNIQUE (account_number, currency);
ALTER TABLE accounts.transfers ADD CONSTRAINT transfers_currency UNIQUE (id, currency);
ALTER TABLE accounts.entries
    DROP CONSTRAINT entries_account_number_fkey,
    DROP CONSTRAINT entries_transfer_id_fkey,
    ADD CONSTRAINT currency_of_the_account FOREIGN KEY (account_number, currency)
        REFERENCES accounts.accounts (account_number, currency),
    ADD CONSTRAINT currency_of_the_transfer FOREIGN KEY (transfer_id, currency)
        REFERENCES accounts.transfers (id, currency);
ALTER TABLE accounts.holds
    DROP CONSTRAINT holds_account_number_fkey,
    ADD CONSTRAINT currency_of_the_account FOREIGN KEY (account_number, currency)
        REFERENCES accounts.accounts (account_number, currency),
    ADD expired boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT expired_is_voided CHECK (NOT expired OR status = 'voided');

-- Statements read by time, sums from the index alone.
CREATE INDEX entries_by_time ON accounts.entries (account_number, created_at, id) INCLUDE (amount_minor);

-- As before, with the reference under which the bank will be asked: an overdue hold is looked up by it.
CREATE FUNCTION accounts.reserve(
    p_payment text, p_account text, p_amount bigint, p_fee bigint, p_currency text, p_expires_in interval,
    p_actor text, p_traceparent text, p_bank_reference text,
    OUT o_refusal text, OUT o_id text, OUT o_status text, OUT o_expires_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payer accounts.accounts;
    before accounts.holds;
BEGIN
    SELECT * INTO payer FROM accounts.accounts WHERE account_number = p_account FOR NO KEY UPDATE;
    o_refusal := accounts.refusal(payer, p_actor, p_currency, 'account_number');
    IF o_refusal LIKE 'account_not_found/%' THEN
        RETURN;
    END IF;
    IF o_refusal IS NULL AND payer.available_minor < p_amount + p_fee THEN
        o_refusal := 'insufficient_funds/account_number';
    END IF;
    IF o_refusal IS NULL THEN
        INSERT INTO accounts.holds (payment_id, account_number, amount_minor, fee_minor, currency, status,
                                    expires_at, bank_reference)
        VALUES (p_payment, p_account, p_amount, p_fee, p_currency, 'held', clock_timestamp() + p_expires_in,
                p_bank_reference)
        ON CONFLICT DO NOTHING
        RETURNING id, status, expires_at INTO o_id, o_status, o_expires_at;
        IF o_id IS NOT NULL THEN
            UPDATE accounts.accounts SET held_minor = held_minor + p_amount + p_fee
            WHERE account_number = p_account;
            INSERT INTO accounts.outbox (key, type, payload, traceparent)
            VALUES (p_payment, 'hold.created', jsonb_build_object(
                'hold_id', o_id, 'payment_id', p_payment, 'account_number', accounts.mask(p_account),
                'amount', p_amount, 'fee', p_fee, 'currency', p_currency, 'expires_at', o_expires_at),
                p_traceparent);
            RETURN;
        END IF;
    END IF;
    SELECT * INTO before FROM accounts.holds WHERE payment_id = p_payment;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF before.status = 'voided' THEN
        o_refusal := 'illegal_state/payment_id';
    ELSIF (before.account_number, before.amount_minor, before.fee_minor, before.currency)
          <> (p_account, p_amount, p_fee, p_currency) OR before.bank_reference <> p_bank_reference THEN
        o_refusal := 'payment_mismatch/payment_id';
    ELSE
        o_refusal := NULL;
        o_id := before.id;
        o_status := before.status;
        o_expires_at := before.expires_at;
    END IF;
END $$;

-- Still called by the version before.
CREATE OR REPLACE FUNCTION accounts.reserve(
    p_payment text, p_account text, p_amount bigint, p_fee bigint, p_currency text, p_expires_in interval,
    p_actor text, p_traceparent text,
    OUT o_refusal text, OUT o_id text, OUT o_status text, OUT o_expires_at timestamptz
) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM accounts.reserve(p_payment, p_account, p_amount, p_fee, p_currency, p_expires_in, p_actor,
                                   p_traceparent, NULL)
$$;

-- Turns a hold into postings: the amount to the settlement account, the fee to the fee account.
-- The bank has moved the money, so the account's status does not matter any more.
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
    PERFORM FROM accounts.accounts WHERE account_number IN (hold.account_number, settlement, fees)
    ORDER BY account_number FOR NO KEY UPDATE;
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

-- Gives an overdue hold back, once the bank has said that its order was not and never will be carried out.
-- True when this call did it.
CREATE FUNCTION accounts.expire_hold(p_payment text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hold accounts.holds;
BEGIN
    SELECT * INTO hold FROM accounts.holds
    WHERE payment_id = p_payment AND status = 'held' AND expires_at <= clock_timestamp() FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE accounts.accounts SET held_minor = held_minor - hold.amount_minor - hold.fee_minor
    WHERE account_number = hold.account_number;
    UPDATE accounts.holds
    SET status = 'voided', expired = true, resolved_at = clock_timestamp(), checked_at = now(), difference = NULL
    WHERE id = hold.id;
    INSERT INTO accounts.outbox (key, type, payload)
    VALUES (p_payment, 'hold.voided', jsonb_build_object(
        'hold_id', hold.id, 'payment_id', p_payment, 'account_number', accounts.mask(hold.account_number),
        'amount', hold.amount_minor, 'fee', hold.fee_minor, 'currency', hold.currency, 'expired', true));
    RETURN true;
END $$;

-- Money of a payment to another bank that the bank has returned: from the settlement account to the payer, once
-- for each refund and never more than the payment. It has come in, so the account's status does not matter.
CREATE FUNCTION accounts.post_return(
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
    PERFORM FROM accounts.accounts WHERE account_number IN (payment.from_account, payment.to_account)
    ORDER BY account_number FOR NO KEY UPDATE;
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
    END IF;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA accounts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    accounts.reserve(text, text, bigint, bigint, text, interval, text, text, text),
    accounts.expire_hold, accounts.post_return TO accounts;
