"""The list of checks, by what they are about. Reports show no account number in full."""

from payments.verification.check import Check

ENTRIES = Check(
    "transfers_have_their_entries",
    "each transfer has two entries: its amount off one account and on the other",
    "accounts.transfers",
)
#: The ledger in itself: double entry, balances, holds.
LEDGER = (
    Check("entries_sum_to_zero", "the entries of each currency sum to 0", "accounts.entries"),
    ENTRIES,
    Check("balances_equal_entries", "each account's balance is the sum of its entries", "accounts.balances"),
    Check(
        "balances_follow_each_other",
        "each entry's balance is the one before it plus its amount",
        "accounts.entries",
    ),
    Check(
        "no_customer_is_overdrawn",
        "no customer's balance is negative, now or ever",
        "accounts.accounts WHERE kind = 'customer'",
    ),
    Check(
        "held_money_equals_holds",
        "what is held on each account is the sum of its open holds",
        "accounts.holds WHERE status = 'held'",
    ),
    Check(
        "holds_are_resolved",
        "a posted hold has its postings, a voided one none, an open one a payment in processing",
        "accounts.holds",
    ),
)
# A payment's money moves in this order, each step in a transaction of its own: (hold, bank transfer,)
# posting, payment succeeded. So what is younger than the cutoff may be ahead in one book, never behind.
POSTINGS = (
    Check(
        "payments_are_posted_once",
        "each succeeded payment has one posting between its accounts, each posting its payment",
        "payments.payments WHERE status = 'succeeded'",
    ),
    Check(
        "refunds_are_posted_once",
        "each succeeded refund has one posting back, each such posting its refund",
        "payments.refunds WHERE status = 'succeeded'",
    ),
)
BANK = (
    Check(
        "bank_book_equals_ledger",
        "partner bank and ledger have the same transfers: amount, fee, accounts",
        "bank.transfers",
    ),
    Check(
        "bank_returns_equal_ledger",
        "what the partner bank returned has been posted to the payer, and nothing else",
        "bank.returns",
    ),
)
OUTCOMES = Check(
    "outcomes_are_told_once",
    "each succeeded payment and refund has one event that says so",
    "(SELECT status FROM payments.payments UNION ALL SELECT status FROM payments.refunds) AS outcomes"
    " WHERE status = 'succeeded'",
)
OUTBOXES = (
    Check("events_are_published", "each event that was written has been sent", "({outboxes}) AS o"),
    Check(
        "event_numbers_are_gapless",
        "each source numbers what it sends to a topic without gaps",
        "({outboxes}) AS o",
    ),
)
AUDITED = Check(
    "audit_has_every_event",
    "the audit trail has each event as its source wrote it, and no other",
    "({outboxes}) AS o WHERE topic = 'payment-events'",
)
#: The audit trail in itself.
TRAIL = (
    Check(
        "audit_chain_is_whole",
        "each entry of the trail fits its hash and the one before; the last is the noted head",
        "audit.events",
    ),
    Check("audit_numbers_are_gapless", "of each source the trail has every number once", "audit.events"),
    Check(
        "audit_anchors_hold",
        "each anchor in Kafka is still an entry of the trail, and the trail is anchored",
        "unnest(%(anchor_sequences)s::bigint[])",
    ),
)

MONEY = (*LEDGER, *POSTINGS, *OUTBOXES)
RECONCILIATION = (*POSTINGS, ENTRIES, *BANK, OUTCOMES, AUDITED)
EVERYTHING = (*LEDGER, *POSTINGS, *BANK, OUTCOMES, *OUTBOXES, AUDITED, *TRAIL)
COMMANDS = {"money": MONEY, "reconcile": RECONCILIATION, "run": EVERYTHING}
