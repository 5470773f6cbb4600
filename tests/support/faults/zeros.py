"""What must be nothing after any fault, asked of the tables by the superuser. Each query returns violations.

Written from the meaning of the tables alone: none of the platform's functions or code is used.
"""

# Money.
MONEY = {
    "sum per currency": """
        SELECT currency, sum(amount_minor)::text FROM accounts.entries
        GROUP BY 1 HAVING sum(amount_minor) <> 0""",
    "sum per transfer": """
        SELECT transfer_id, sum(amount_minor)::text FROM accounts.entries
        GROUP BY 1 HAVING sum(amount_minor) <> 0 OR count(*) <> 2""",
    "transfer without its entries": """
        SELECT t.id, t.amount_minor::text FROM accounts.transfers t WHERE
            NOT EXISTS (SELECT FROM accounts.entries e WHERE (e.transfer_id, e.account_number, e.amount_minor)
                        = (t.id, t.to_account, t.amount_minor))
            OR NOT EXISTS (SELECT FROM accounts.entries e
                        WHERE (e.transfer_id, e.account_number, e.amount_minor)
                        = (t.id, t.from_account, -t.amount_minor))""",
    "balance is not its entries": """
        SELECT a.account_number, a.posted_minor::text FROM accounts.accounts a
        LEFT JOIN (SELECT account_number, sum(amount_minor) AS entered FROM accounts.entries GROUP BY 1) e
            USING (account_number)
        LEFT JOIN (SELECT account_number, sum(posted_minor) AS shared FROM accounts.shares GROUP BY 1) s
            USING (account_number)
        WHERE coalesce(a.posted_minor, s.shared, 0) <> coalesce(e.entered, 0)""",
    "held is not its holds": """
        SELECT a.account_number, a.held_minor::text FROM accounts.accounts a
        LEFT JOIN (SELECT account_number, sum(amount_minor + fee_minor) AS reserved FROM accounts.holds
                   WHERE status = 'held' GROUP BY 1) h
            USING (account_number) WHERE a.held_minor <> coalesce(h.reserved, 0)""",
    "negative customer": """
        SELECT account_number, (posted_minor - held_minor)::text FROM accounts.accounts
        WHERE kind = 'customer' AND posted_minor - held_minor < 0""",
    "payment posted twice": """
        SELECT payment_id, count(*)::text FROM accounts.transfers
        WHERE kind IN ('payment', 'fee') GROUP BY payment_id, kind HAVING count(*) > 1""",
    "succeeded without its transfer": """
        SELECT p.id, p.reference FROM payments.payments p WHERE p.status = 'succeeded' AND NOT EXISTS (
            SELECT FROM accounts.transfers t WHERE t.kind = 'payment' AND t.payment_id = p.id
                AND t.amount_minor = p.amount_minor AND t.currency = p.currency
                AND t.from_account = p.from_account
                AND t.to_account = CASE WHEN p.to_routing_number IS NULL THEN p.to_account
                                        ELSE 'internal.settlement.' || p.currency END)""",
    "transfer without success": """
        SELECT t.payment_id, coalesce(p.status, 'no such payment') FROM accounts.transfers t
        LEFT JOIN payments.payments p ON p.id = t.payment_id
        WHERE t.kind IN ('payment', 'fee') AND p.status IS DISTINCT FROM 'succeeded'""",
    "refund without its transfer, or the other way": """
        SELECT coalesce(r.id, t.refund_id), coalesce(r.status, 'no such refund') FROM payments.refunds r
        FULL JOIN (SELECT * FROM accounts.transfers WHERE kind = 'refund') t ON t.refund_id = r.id
        WHERE (r.status IS NOT DISTINCT FROM 'succeeded') <> (t.id IS NOT NULL)
            OR t.amount_minor <> r.amount_minor""",
    "refunds do not sum up": """
        SELECT p.id, p.amount_refunded_minor::text FROM payments.payments p
        LEFT JOIN (SELECT payment_id, sum(amount_minor) AS refunded FROM accounts.transfers
                   WHERE kind = 'refund' GROUP BY 1) t ON t.payment_id = p.id
        WHERE p.amount_refunded_minor <> coalesce(t.refunded, 0)
            OR coalesce(t.refunded, 0) > p.amount_minor""",
    "hold without an open payment": """
        SELECT h.payment_id, coalesce(p.status, 'no such payment') FROM accounts.holds h
        LEFT JOIN payments.payments p ON p.id = h.payment_id
        WHERE h.status = 'held' AND p.status IS DISTINCT FROM 'processing'""",
    "hold posted without success, or the other way": """
        SELECT p.id, coalesce(h.status, 'no hold') FROM payments.payments p
        LEFT JOIN accounts.holds h ON h.payment_id = p.id
        WHERE p.to_routing_number IS NOT NULL
            AND (p.status = 'succeeded') <> (h.status IS NOT DISTINCT FROM 'posted')""",
    "the bank's book differs": """
        SELECT coalesce(p.id, b.reference), coalesce(p.status, 'no such payment') FROM
            (SELECT * FROM payments.payments WHERE to_routing_number IS NOT NULL) p
        FULL JOIN (SELECT * FROM bank.transfers WHERE error_code IS NULL) b ON b.reference = p.bank_reference
        WHERE (p.status IS NOT DISTINCT FROM 'succeeded') <> (b.reference IS NOT NULL)
            OR (b.amount_minor, b.currency, b.fee_minor) <> (p.amount_minor, p.currency, p.fee_minor)""",
    "the bank's returns differ": """
        SELECT coalesce(r.id, b.reference), coalesce(r.status, 'no such refund') FROM
            (SELECT * FROM payments.refunds WHERE bank_reference IS NOT NULL) r
        FULL JOIN (SELECT * FROM bank.returns WHERE error_code IS NULL) b ON b.reference = r.bank_reference
        WHERE (r.status IS NOT DISTINCT FROM 'succeeded') <> (b.reference IS NOT NULL)
            OR (b.amount_minor, b.currency) <> (r.amount_minor, r.currency)""",
    "bank's order without a payment": """
        SELECT b.reference, b.reference_number FROM bank.transfers b
        WHERE NOT EXISTS (SELECT FROM payments.payments p WHERE p.bank_reference = b.reference)""",
}

# Liveness: what is still on its way, and must have come to an end 60 s after healing.
OPEN = {
    "payment in processing": "SELECT id, stage FROM payments.payments WHERE status = 'processing'",
    "refund pending": "SELECT id, payment_id FROM payments.refunds WHERE status = 'pending'",
}

_OUTBOXES = ("payments", "accounts", "otp", "gateway", "kyc", "ofac")
_ALL_EVENTS = " UNION ALL ".join(
    f"SELECT event_id, topic, key, type, sequence, '{schema}' AS schema FROM {schema}.outbox"
    for schema in _OUTBOXES
)
EVENTS = f"SELECT event_id, topic FROM ({_ALL_EVENTS}) AS events"

# Events that are still on their way, or never will be.
TRAIL = {
    "event not published": " UNION ALL ".join(
        f"SELECT event_id, type FROM {schema}.outbox WHERE published_at IS NULL" for schema in _OUTBOXES
    ),
    "gap in the sequence": f"""
        SELECT schema || ' ' || topic, (max(sequence) - count(*))::text FROM ({_ALL_EVENTS}) AS events
        GROUP BY schema, topic HAVING max(sequence) <> count(*)""",
    "event not in the audit trail": f"""
        SELECT e.event_id, e.type FROM ({_ALL_EVENTS}) AS e LEFT JOIN audit.events a USING (event_id)
        WHERE e.topic = 'payment-events' AND a.event_id IS NULL""",
    "customer not told": f"""
        SELECT e.event_id, c.channel FROM ({_ALL_EVENTS}) AS e
        CROSS JOIN (VALUES ('sms'), ('email'), ('push')) AS c (channel)
        LEFT JOIN notification.deliveries d ON d.dedupe_key = e.event_id AND d.channel = c.channel
        WHERE e.topic = 'notification-events' AND d.status IS DISTINCT FROM 'sent'
            AND d.permanent IS NOT TRUE  -- a customer without such an address""",
}

# Effects that must not be there twice.
EFFECTS = {
    "event twice in the audit trail": """
        SELECT event_id, count(*)::text FROM audit.events GROUP BY 1 HAVING count(*) > 1""",
    "broken audit chain": """
        SELECT seq::text, event_id FROM (
            SELECT seq, event_id, prev_hash, lag(hash) OVER (ORDER BY seq) AS before,
                   lag(seq) OVER (ORDER BY seq) AS seq_before FROM audit.events) AS chain
        WHERE seq_before IS NOT NULL AND (prev_hash <> before OR seq <> seq_before + 1)""",
    "customer told twice": """
        SELECT d.delivery_id, count(*)::text FROM notification.deliveries d
        JOIN notification.sandbox_messages m USING (delivery_id)
        GROUP BY d.delivery_id, d.attempts HAVING count(*) > d.attempts""",
    "success told twice": """
        SELECT key, count(*)::text FROM payments.outbox
        WHERE type = 'payment.succeeded' GROUP BY key, topic HAVING count(*) > 1""",
    "success not told": """
        SELECT p.id, p.status FROM payments.payments p WHERE p.status = 'succeeded' AND NOT EXISTS (
            SELECT FROM payments.outbox o WHERE o.key = p.id AND o.type = 'payment.succeeded'
                AND o.topic = 'payment-events')""",
    "posting not told": """
        SELECT t.id, t.kind FROM accounts.transfers t WHERE NOT EXISTS (
            SELECT FROM accounts.outbox o
            WHERE o.type = 'transfer.posted' AND o.payload->>'transfer_id' = t.id)""",
}
