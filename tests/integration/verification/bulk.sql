-- Every third payment goes to another bank. A thousand accounts, each paying and paid.
SELECT count(accounts.open_account('BULK' || lpad(n::text, 4, '0'), 'bulk-' || n, 'USD', 1000000000000)::text)
FROM generate_series(0, 999) AS n;
CREATE TABLE public.bulk AS
    SELECT n, 'bulk-' || lpad(n::text, 9, '0') AS id, 'BULK' || lpad((n % 1000)::text, 4, '0') AS payer,
        'BULK' || lpad(((n * 7 + 1) % 1000)::text, 4, '0') AS payee, 100 + n * 31 % 90000 AS amount, n % 3 = 0 AS off
    FROM generate_series(1, {count}) AS n WHERE n % 1000 <> (n * 7 + 1) % 1000;
INSERT INTO payments.payments (id, customer_id, from_account, to_account, to_routing_number, to_name, amount_minor,
        fee_minor, currency, currency_exponent, status, reference, bank_reference, confirmed_at)
    SELECT id, 'bulk', payer, CASE WHEN off THEN '9876543210' ELSE payee END, CASE WHEN off THEN '021000021' END,
        CASE WHEN off THEN 'Wilma' END, amount, CASE WHEN off THEN 250 ELSE 0 END, 'USD', 2, 'succeeded', 'PAY' || id,
        CASE WHEN off THEN 'PAY' || id END, now()
    FROM public.bulk;
INSERT INTO bank.transfers (reference, reference_number, from_account, to_account, to_name, routing_number,
        amount_minor, currency, fee_minor, completes_at, estimated_settlement)
    SELECT 'PAY' || id, 'BNK' || id, payer, '9876543210', 'Wilma', '021000021', amount, 'USD', 250, now(), now()
    FROM public.bulk WHERE off;
INSERT INTO accounts.holds (payment_id, account_number, amount_minor, fee_minor, currency, status, expires_at,
        resolved_at)
    SELECT id, payer, amount, 250, 'USD', 'posted', now(), now() FROM public.bulk WHERE off;
INSERT INTO accounts.transfers (id, kind, payment_id, from_account, to_account, amount_minor, currency,
        bank_reference, posted_at)
    SELECT 't' || id, 'payment', id, payer, CASE WHEN off THEN 'internal.settlement.USD' ELSE payee END, amount,
        'USD', CASE WHEN off THEN 'PAY' || id END, now()
    FROM public.bulk
    UNION ALL
    SELECT 'f' || id, 'fee', id, payer, 'internal.fees.USD', 250, 'USD', 'PAY' || id, now()
    FROM public.bulk WHERE off;
INSERT INTO accounts.entries (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
    SELECT transfer, account_number, amount, 'USD', a.posted_minor
        + sum(amount) OVER (PARTITION BY account_number ORDER BY transfer), now()
    FROM (SELECT id AS transfer, from_account AS account_number, -amount_minor AS amount FROM accounts.transfers
          WHERE payment_id LIKE 'bulk-%'
          UNION ALL
          SELECT id, to_account, amount_minor FROM accounts.transfers WHERE payment_id LIKE 'bulk-%') AS moves
    JOIN accounts.accounts AS a USING (account_number)
    ORDER BY transfer;
UPDATE accounts.accounts AS a SET posted_minor = total
    FROM (SELECT account_number, sum(amount_minor) AS total FROM accounts.entries GROUP BY 1) AS e
    WHERE e.account_number = a.account_number AND a.kind = 'customer';
DELETE FROM accounts.shares;
INSERT INTO accounts.shares (account_number, share, posted_minor)
    SELECT account_number, 0, sum(amount_minor) FROM accounts.entries JOIN accounts.accounts USING (account_number)
    WHERE kind = 'internal' GROUP BY account_number;
INSERT INTO payments.outbox (event_id, topic, key, type, payload, sequence, published_at)
    SELECT id || type, 'payment-events', id, type, jsonb_build_object('id', id, 'amount', amount),
        (SELECT max(sequence) FROM payments.outbox WHERE topic = 'payment-events') + row_number() OVER (), now()
    FROM public.bulk, unnest(ARRAY['payment.created', 'payment.succeeded']) AS type;
INSERT INTO accounts.outbox (event_id, key, type, payload)
    SELECT 'e' || id, payment_id, 'transfer.posted', jsonb_build_object('transfer_id', id)
    FROM accounts.transfers WHERE payment_id LIKE 'bulk-%';
UPDATE accounts.outbox AS o SET sequence = n.number, published_at = now()
    FROM (SELECT id, (SELECT max(sequence) FROM accounts.outbox) + row_number() OVER (ORDER BY id) AS number
          FROM accounts.outbox WHERE sequence IS NULL) AS n
    WHERE n.id = o.id;
