-- Accounts, holds and the double-entry ledger. Amounts are minor units of the account's currency.
-- The role `accounts` reads the tables and calls the functions at the end; only these functions write, so
-- no statement of the service can move money in another way or change history.

-- A UUIDv7 (RFC 9562) as text: 48 bits of milliseconds, then the random bits of a version 4.
CREATE FUNCTION accounts.new_id() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid::text
$$;

-- Events and logs never carry a customer's full account number.
CREATE FUNCTION accounts.mask(number text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN number LIKE 'internal.%' THEN number
           ELSE repeat('*', greatest(0, length(number) - 4)) || right(number, 4) END
$$;

-- Collation C: numbers compare by bytes, so customers' accounts (upper case) lock before internal ones
-- (lower case), which all payments to other banks share and should hold shortest.
CREATE TABLE accounts.accounts (
    account_number  text COLLATE "C" PRIMARY KEY,
    customer_id     text,
    kind            text NOT NULL CHECK (kind IN ('customer', 'internal')),
    account_type    text NOT NULL DEFAULT 'CHECKING',
    name            text NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'frozen', 'closed')),
    posted_minor    bigint NOT NULL DEFAULT 0,
    held_minor      bigint NOT NULL DEFAULT 0 CHECK (held_minor >= 0),
    available_minor bigint NOT NULL GENERATED ALWAYS AS (posted_minor - held_minor) STORED,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customers_are_never_overdrawn CHECK (kind = 'internal' OR available_minor >= 0),
    CONSTRAINT customers_accounts_have_an_owner CHECK ((kind = 'customer') = (customer_id IS NOT NULL)),
    CONSTRAINT number_tells_the_kind CHECK (
        account_number ~ CASE kind WHEN 'customer' THEN '^[A-Z0-9][A-Z0-9_-]{2,33}$' ELSE '^internal[.]' END)
) WITH (fillfactor = 50);  -- room for balances to be updated in place
CREATE INDEX accounts_by_customer ON accounts.accounts (customer_id, account_number);

CREATE TABLE accounts.holds (
    id             text PRIMARY KEY DEFAULT accounts.new_id(),
    payment_id     text NOT NULL UNIQUE,
    account_number text COLLATE "C" REFERENCES accounts.accounts,
    amount_minor   bigint NOT NULL CHECK (amount_minor >= 0),
    fee_minor      bigint NOT NULL CHECK (fee_minor >= 0),
    currency       text,
    status         text NOT NULL CHECK (status IN ('held', 'posted', 'voided')),
    bank_reference text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    resolved_at    timestamptz,
    -- Reconciliation: when the bank's book was last compared, and what differed.
    checked_at     timestamptz,
    difference     text,
    -- Without an account: voided before it was ever made.
    CONSTRAINT money_is_held_on_an_account CHECK (
        status = 'voided' OR (account_number IS NOT NULL AND currency IS NOT NULL AND amount_minor > 0)),
    CONSTRAINT resolved_once CHECK ((status = 'held') = (resolved_at IS NULL))
);
CREATE INDEX holds_open ON accounts.holds (expires_at) WHERE status = 'held';
CREATE INDEX holds_to_check ON accounts.holds (resolved_at)
    WHERE status = 'posted' AND (checked_at IS NULL OR difference IS NOT NULL);

CREATE TABLE accounts.transfers (
    id             text PRIMARY KEY DEFAULT accounts.new_id(),
    kind           text NOT NULL CHECK (kind IN ('payment', 'refund', 'fee', 'opening')),
    payment_id     text NOT NULL,  -- of an opening balance: opening:<account number>
    refund_id      text,
    from_account   text COLLATE "C" NOT NULL,  -- both exist, for the entries refer to them
    to_account     text COLLATE "C" NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text NOT NULL,
    bank_reference text,
    posted_at      timestamptz NOT NULL,
    CONSTRAINT two_accounts CHECK (from_account <> to_account),
    CONSTRAINT refunds_have_an_id CHECK ((kind = 'refund') = (refund_id IS NOT NULL))
);
CREATE UNIQUE INDEX transfers_once ON accounts.transfers (payment_id, kind) WHERE kind <> 'refund';
CREATE UNIQUE INDEX refunds_once ON accounts.transfers (refund_id) WHERE kind = 'refund';
CREATE INDEX refunds_by_payment ON accounts.transfers (payment_id) WHERE kind = 'refund';

CREATE TABLE accounts.entries (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id         text NOT NULL REFERENCES accounts.transfers,
    account_number      text COLLATE "C" NOT NULL REFERENCES accounts.accounts,
    amount_minor        bigint NOT NULL CHECK (amount_minor <> 0),
    currency            text NOT NULL,
    balance_after_minor bigint NOT NULL,
    created_at          timestamptz NOT NULL
);
CREATE INDEX entries_by_account ON accounts.entries (account_number, id);
CREATE INDEX entries_by_transfer ON accounts.entries (transfer_id);

ALTER TABLE accounts.outbox
    ALTER event_id SET DEFAULT accounts.new_id(), ALTER topic SET DEFAULT 'payment-events';

-- Double entry: whoever writes, each statement's entries sum to 0 for each transfer and currency ...
CREATE FUNCTION accounts.refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM written GROUP BY transfer_id, currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'the entries of a transfer must sum to 0 in each currency'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entries_balance AFTER INSERT ON accounts.entries
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION accounts.refuse_unbalanced();

-- ... and history stays as it was written.
CREATE FUNCTION accounts.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only; correct it by a transfer', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts.entries
    FOR EACH STATEMENT EXECUTE FUNCTION accounts.refuse_change();
CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts.transfers
    FOR EACH STATEMENT EXECUTE FUNCTION accounts.refuse_change();

-- Why account `a` cannot take part, as `<problem code>/<field>`; NULL when it can.
CREATE FUNCTION accounts.refusal(a accounts.accounts, p_owner text, p_currency text, p_field text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        -- Another's account and an internal one look as if they did not exist.
        WHEN a.kind IS DISTINCT FROM 'customer' OR a.customer_id <> p_owner THEN 'account_not_found/' || p_field
        WHEN a.status <> 'open' THEN 'account_' || a.status || '/' || p_field
        WHEN a.currency <> p_currency THEN 'currency_mismatch/' || p_field
    END
$$;

-- Writes one transfer: its row, two entries, both balances, the event. The accounts are locked by the caller.
-- Returns the time of posting, NULL when this transfer had been posted before.
CREATE FUNCTION accounts.record_transfer(
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
        WHERE account_number IN (p_from, p_to)
        RETURNING account_number, posted_minor
    )
    INSERT INTO accounts.entries (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
    SELECT o_id, account_number, CASE account_number WHEN p_from THEN -p_amount ELSE p_amount END, p_currency,
           posted_minor, o_at
    FROM moved;
    INSERT INTO accounts.outbox (key, type, payload, traceparent)
    VALUES (p_key, 'transfer.posted', jsonb_build_object(
        'transfer_id', o_id, 'kind', p_kind, 'refund_id', p_refund,
        'payment_id', CASE WHEN p_kind <> 'opening' THEN p_payment END,
        'from_account', accounts.mask(p_from), 'to_account', accounts.mask(p_to),
        'amount', p_amount, 'currency', p_currency, 'bank_reference', p_bank_reference, 'posted_at', o_at),
        p_traceparent);
END $$;

-- Moves money between two customers' accounts, once for each payment or refund.
-- p_actor: the customer who asks, NULL for a service or an operator. A payment is the payer's to make, a refund
-- either side's (who may ask for one is confirm-service's to say) and never more than the payment.
-- o_refusal: `<problem code>/<field>`, NULL when the transfer is posted, now or before.
CREATE FUNCTION accounts.post_transfer(
    p_kind text, p_payment text, p_refund text, p_from text, p_to text, p_amount bigint, p_currency text,
    p_actor text, p_traceparent text,
    OUT o_refusal text, OUT o_id text, OUT o_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    account accounts.accounts;
    payer accounts.accounts;
    payee accounts.accounts;
    before accounts.transfers;
BEGIN
    -- Everyone locks in the same order, so transfers to and fro never deadlock.
    FOR account IN
        SELECT * FROM accounts.accounts WHERE account_number IN (p_from, p_to)
        ORDER BY account_number FOR NO KEY UPDATE
    LOOP
        IF account.account_number = p_from THEN
            payer := account;
        ELSE
            payee := account;
        END IF;
    END LOOP;
    IF p_kind = 'payment' AND payer.customer_id <> p_actor
       OR p_kind = 'refund' AND payer.customer_id <> p_actor AND payee.customer_id <> p_actor THEN
        o_refusal := 'account_not_found/from_account';
        RETURN;
    END IF;
    o_refusal := coalesce(
        CASE WHEN p_from = p_to THEN 'self_transfer/to_account' END,
        accounts.refusal(payer, NULL, p_currency, 'from_account'),
        accounts.refusal(payee, NULL, p_currency, 'to_account'),
        CASE WHEN payer.available_minor < p_amount THEN 'insufficient_funds/from_account' END,
        CASE WHEN p_kind = 'refund' THEN
            accounts.refund_refusal(p_payment, p_refund, p_from, p_to, p_amount, p_currency) END);
    IF o_refusal IS NULL THEN
        SELECT r.o_id, r.o_at INTO o_id, o_at FROM accounts.record_transfer(
            p_kind, p_payment, p_refund, p_from, p_to, p_amount, p_currency, NULL, p_payment, p_traceparent) AS r;
        IF o_id IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    -- Refused or repeated: what has been posted once is answered as it was.
    IF p_kind = 'refund' THEN
        SELECT * INTO before FROM accounts.transfers WHERE refund_id = p_refund AND kind = 'refund';
    ELSE
        SELECT * INTO before FROM accounts.transfers
        WHERE payment_id = p_payment AND kind = p_kind AND kind <> 'refund';
    END IF;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF (before.payment_id, before.from_account, before.to_account, before.amount_minor, before.currency)
       = (p_payment, p_from, p_to, p_amount, p_currency) THEN
        o_refusal := NULL;
        o_id := before.id;
        o_at := before.posted_at;
    ELSE
        o_refusal := 'payment_mismatch/payment_id';
    END IF;
END $$;

-- Why a refund cannot be made; NULL when it can. Both accounts are locked, so the sum stands still.
CREATE FUNCTION accounts.refund_refusal(
    p_payment text, p_refund text, p_from text, p_to text, p_amount bigint, p_currency text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    payment accounts.transfers;
    refunded bigint;
BEGIN
    SELECT * INTO payment FROM accounts.transfers WHERE payment_id = p_payment AND kind = 'payment';
    IF NOT FOUND THEN
        RETURN 'payment_not_found/payment_id';
    END IF;
    IF (payment.to_account, payment.from_account, payment.currency) <> (p_from, p_to, p_currency) THEN
        RETURN 'payment_mismatch/payment_id';
    END IF;
    SELECT coalesce(sum(amount_minor), 0) INTO refunded FROM accounts.transfers
    WHERE payment_id = p_payment AND kind = 'refund' AND refund_id <> p_refund;
    IF refunded + p_amount > payment.amount_minor THEN
        RETURN 'refund_exceeds_payment/amount';
    END IF;
    RETURN NULL;
END $$;

-- Holds amount + fee on a customer's account, once for each payment.
CREATE FUNCTION accounts.reserve(
    p_payment text, p_account text, p_amount bigint, p_fee bigint, p_currency text, p_expires_in interval,
    p_actor text, p_traceparent text,
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
        INSERT INTO accounts.holds (payment_id, account_number, amount_minor, fee_minor, currency, status, expires_at)
        VALUES (p_payment, p_account, p_amount, p_fee, p_currency, 'held', clock_timestamp() + p_expires_in)
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
          <> (p_account, p_amount, p_fee, p_currency) THEN
        o_refusal := 'payment_mismatch/payment_id';
    ELSE
        o_refusal := NULL;
        o_id := before.id;
        o_status := before.status;
        o_expires_at := before.expires_at;
    END IF;
END $$;

-- Turns a hold into postings: the amount to the settlement account, the fee to the fee account.
-- The bank has moved the money, so the account's status does not matter any more.
CREATE FUNCTION accounts.post_hold(
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
    IF hold.status = 'posted' THEN
        IF hold.bank_reference <> p_bank_reference THEN
            o_refusal := 'payment_mismatch/bank_reference';
            RETURN;
        END IF;
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

-- Gives a hold back. Without a hold it remembers that there must be none: a reservation that was slow on its
-- way and comes after this finds itself voided.
CREATE FUNCTION accounts.void_hold(
    p_payment text, p_traceparent text, OUT o_refusal text, OUT o_hold_id text, OUT o_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hold accounts.holds;
BEGIN
    INSERT INTO accounts.holds (payment_id, amount_minor, fee_minor, status, expires_at, resolved_at)
    VALUES (p_payment, 0, 0, 'voided', now(), now())
    ON CONFLICT DO NOTHING
    RETURNING id, resolved_at INTO o_hold_id, o_at;
    IF o_hold_id IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT hold FROM accounts.holds WHERE payment_id = p_payment FOR UPDATE;
    o_hold_id := hold.id;
    o_at := hold.resolved_at;
    IF hold.status = 'posted' THEN
        o_refusal := 'illegal_state/payment_id';
    ELSIF hold.status = 'held' THEN
        UPDATE accounts.accounts SET held_minor = held_minor - hold.amount_minor - hold.fee_minor
        WHERE account_number = hold.account_number;
        UPDATE accounts.holds SET status = 'voided', resolved_at = clock_timestamp() WHERE id = hold.id
        RETURNING resolved_at INTO o_at;
        INSERT INTO accounts.outbox (key, type, payload, traceparent)
        VALUES (p_payment, 'hold.voided', jsonb_build_object(
            'hold_id', hold.id, 'payment_id', p_payment, 'account_number', accounts.mask(hold.account_number),
            'amount', hold.amount_minor, 'fee', hold.fee_minor, 'currency', hold.currency), p_traceparent);
    END IF;
END $$;

-- Opens a customer's account, with the internal accounts of its currency, and posts its opening balance; safe
-- to call again. For the migration Job and tools of administrators: the role of the service may not call it.
CREATE FUNCTION accounts.open_account(
    p_number text, p_customer text, p_currency text, p_opening bigint DEFAULT 0,
    p_name text DEFAULT 'Checking account', p_type text DEFAULT 'CHECKING'
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    opening text := 'internal.opening.' || p_currency;
BEGIN
    INSERT INTO accounts.accounts (account_number, kind, account_type, name, currency)
    VALUES (opening, 'internal', 'INTERNAL', 'Opening balances', p_currency),
           ('internal.settlement.' || p_currency, 'internal', 'INTERNAL', 'Settlement with the partner bank', p_currency),
           ('internal.fees.' || p_currency, 'internal', 'INTERNAL', 'Fees of the partner bank', p_currency)
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
        PERFORM FROM accounts.accounts WHERE account_number IN (p_number, opening)
        ORDER BY account_number FOR NO KEY UPDATE;
        PERFORM accounts.record_transfer('opening', 'opening:' || p_number, NULL, opening, p_number, p_opening,
                                         p_currency, NULL, p_customer, NULL);
    END IF;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA accounts FROM PUBLIC;
GRANT SELECT ON accounts.accounts, accounts.holds, accounts.transfers, accounts.entries TO accounts;
GRANT SELECT, UPDATE (sequence, published_at), DELETE ON accounts.outbox TO accounts;
GRANT UPDATE (checked_at, difference) ON accounts.holds TO accounts;
GRANT EXECUTE ON FUNCTION
    accounts.refusal, accounts.mask, accounts.post_transfer, accounts.reserve, accounts.post_hold,
    accounts.void_hold TO accounts;
