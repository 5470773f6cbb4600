"""One statement of damage for each thing that the proof must see, and all that it must then say."""

PAID = "(SELECT min(id) FROM payments.payments AS p WHERE status = 'succeeded' AND to_routing_number IS NULL"
PAID += " AND NOT EXISTS (SELECT FROM payments.refunds WHERE payment_id = p.id))"
ABROAD = (
    "(SELECT min(id) FROM payments.payments WHERE status = 'succeeded' AND to_routing_number IS NOT NULL)"
)
WAITING = "(SELECT min(id) FROM payments.payments WHERE status = 'requires_confirmation' AND id <> 'txn_001')"
REFUND = "(SELECT min(id) FROM payments.refunds WHERE status = 'succeeded' AND bank_reference IS NULL)"
RETURN = "(SELECT min(bank_reference) FROM payments.refunds)"
TRANSFER = f"(SELECT id FROM accounts.transfers WHERE payment_id = {PAID} AND kind = 'payment')"
PAYER = f"(SELECT from_account FROM payments.payments WHERE id = {PAID})"

DAMAGES: dict[str, tuple[str, set[str]]] = {
    "an entry alone": (
        f"UPDATE accounts.entries SET amount_minor = amount_minor + 1 WHERE id ="
        f" (SELECT min(id) FROM accounts.entries WHERE transfer_id = {TRANSFER})",
        {"sum_is_not_zero", "entries_differ", "balance_differs", "history_broken"},
    ),
    "a transfer without entries": (
        f"DELETE FROM accounts.entries WHERE transfer_id = {TRANSFER}",
        {"transfer_without_entries", "balance_differs", "history_broken"},
    ),
    "entries without their transfer": (
        f"DELETE FROM accounts.transfers WHERE id = {TRANSFER}",
        {"entries_without_transfer", "payment_missing_in_ledger"},
    ),
    "a balance": (
        f"UPDATE accounts.accounts SET posted_minor = posted_minor + 1 WHERE account_number = {PAYER}",
        {"balance_differs"},
    ),
    "a share of an internal balance": (
        "UPDATE accounts.shares SET posted_minor = posted_minor + 1 WHERE (account_number, share) ="
        " (SELECT account_number, min(share) FROM accounts.shares"
        " WHERE account_number = 'internal.settlement.USD' GROUP BY account_number)",
        {"balance_differs"},
    ),
    "an overdrawn customer": (
        "ALTER TABLE accounts.accounts DROP CONSTRAINT customers_are_never_overdrawn;"
        f"UPDATE accounts.accounts SET posted_minor = -5 WHERE account_number = {PAYER}",
        {"balance_differs", "customer_overdrawn"},
    ),
    "held money without a hold": (
        f"UPDATE accounts.accounts SET held_minor = 7 WHERE account_number = {PAYER}",
        {"held_differs"},
    ),
    "a hold that was forgotten": (
        "INSERT INTO accounts.holds (payment_id, account_number, amount_minor, fee_minor, currency, status,"
        f" expires_at) VALUES ({WAITING}, {PAYER}, 5, 2, 'USD', 'held', now());"
        f"UPDATE accounts.accounts SET held_minor = 7 WHERE account_number = {PAYER}",
        {"hold_left_over"},
    ),
    "a hold given back though it was posted": (
        f"UPDATE accounts.holds SET status = 'voided' WHERE payment_id = {ABROAD}",
        {"posting_despite_hold"},
    ),
    "another hold than was posted": (
        f"UPDATE accounts.holds SET fee_minor = fee_minor + 1 WHERE payment_id = {ABROAD}",
        {"hold_differs"},
    ),
    "a fee never taken": (
        "UPDATE payments.payments SET fee_minor = fee_minor + 1 WHERE id = " + ABROAD,
        {"amount_differs"},
    ),
    "a posting for a payment never confirmed": (
        f"UPDATE accounts.transfers SET payment_id = {WAITING} WHERE id = {TRANSFER}",
        {"status_differs", "payment_missing_in_ledger"},
    ),
    "success that nobody paid for": (
        "UPDATE payments.payments SET status = 'succeeded', reference = 'PAYX', confirmed_at = now()"
        f" WHERE id = {WAITING}",
        {"payment_missing_in_ledger", "event_missing"},
    ),
    "a refund that failed all the same": (
        f"UPDATE payments.refunds SET status = 'failed' WHERE id = {REFUND}",
        {"status_differs", "refunded_sum_differs"},
    ),
    "a refund posted to the wrong side": (
        "UPDATE accounts.transfers SET from_account = to_account, to_account = from_account"
        f" WHERE refund_id = {REFUND}",
        {"entries_differ", "accounts_differ"},
    ),
    "a return never posted": (
        "DELETE FROM accounts.entries WHERE transfer_id = (SELECT id FROM accounts.transfers"
        f" WHERE bank_reference = {RETURN});"
        f"DELETE FROM accounts.transfers WHERE bank_reference = {RETURN};"
        f"UPDATE payments.refunds SET status = 'failed' WHERE bank_reference = {RETURN}",
        {
            "bank_return_without_posting",
            "refunded_sum_differs",
            "balance_differs",
            "event_without_outcome",
        },
    ),
    "a return that the bank never made": (
        f"UPDATE bank.returns SET error_code = 'NO' WHERE reference = {RETURN}",
        {"status_differs"},
    ),
    "refunds above the payment": (
        "ALTER TABLE payments.payments DROP CONSTRAINT payments_check;"
        f"UPDATE payments.refunds SET amount_minor = 1000000000 WHERE id = {REFUND}",
        {"amount_differs", "refunded_too_much"},
    ),
    "an event never sent": (
        "UPDATE payments.outbox SET published_at = NULL WHERE id = (SELECT max(id) FROM payments.outbox)",
        {"event_not_published"},
    ),
    "an event that is gone": (
        "DELETE FROM accounts.outbox WHERE topic = 'payment-events' AND sequence = 20",
        {"sequence_gap", "audit_event_unknown"},
    ),
    "the first event is gone": (
        "DELETE FROM payments.outbox WHERE topic = 'payment-events' AND sequence = 1",
        {"sequence_gap", "audit_event_unknown"},
    ),
    "success told twice": (
        "INSERT INTO payments.outbox (event_id, topic, key, type, payload, sequence, published_at)"
        " SELECT 'again', topic, key, type, payload, (SELECT max(sequence) + 1 FROM payments.outbox AS m"
        " WHERE m.topic = o.topic), now() FROM payments.outbox AS o"
        f" WHERE type = 'payment.succeeded' AND topic = 'payment-events' AND key = {PAID}",
        {"event_twice", "event_missing_in_audit"},
    ),
}
