CREATE TABLE payments.payments (
    id                    text PRIMARY KEY,
    customer_id           text NOT NULL,
    from_account          text NOT NULL,
    to_account            text NOT NULL,
    to_routing_number     text,                       -- set: the payee's account is at another bank
    to_name               text,
    amount_minor          bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000),
    fee_minor             bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
    currency              text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    currency_exponent     smallint NOT NULL CHECK (currency_exponent BETWEEN 0 AND 4),
    description           text,
    metadata              jsonb NOT NULL DEFAULT '{}',
    status                text NOT NULL CHECK (status IN ('requires_confirmation', 'requires_action',
                              'requires_review', 'processing', 'succeeded', 'failed', 'canceled')),
    reference             text,                       -- the customer's, once succeeded
    bank_reference        text,                       -- fixed before the partner bank is ever called
    bank_transfer         text,                       -- the partner bank's own number of the transfer
    assessment            jsonb,                      -- the risk-service's last answer
    payments_24h          integer NOT NULL DEFAULT 0, -- the customer's other payments, when confirmed
    otp_required          boolean NOT NULL DEFAULT false,
    reviewed_by           text,                       -- the operator who approved or rejected it
    next_action           jsonb,
    last_error            jsonb,                      -- why the last attempt had no effect
    failure               jsonb,                      -- why it failed for good
    cancellation_reason   text,
    amount_refunded_minor bigint NOT NULL DEFAULT 0 CHECK (amount_refunded_minor BETWEEN 0 AND amount_minor),
    stage                 text NOT NULL DEFAULT 'new' CHECK (stage IN ('new', 'authorized', 'submitted')),
    claim                 text,                       -- who works on it while it is processing
    next_check_at         timestamptz,                -- when the janitor may take it over
    checks                integer NOT NULL DEFAULT 0, -- times that the janitor looked at it
    unsettled             boolean NOT NULL DEFAULT false, -- its request has let go, the outcome is not known
    confirm_route         text,                       -- with confirm_key: where the final answer is kept
    confirm_key           text,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    confirmed_at          timestamptz,
    canceled_at           timestamptz,
    expires_at            timestamptz,                -- null: never
    CHECK ((status = 'processing') = (claim IS NOT NULL)),
    CHECK (status <> 'succeeded' OR (reference IS NOT NULL AND confirmed_at IS NOT NULL))
);
CREATE INDEX payments_customer ON payments.payments (customer_id, created_at, id);
CREATE INDEX payments_created ON payments.payments (created_at, id);
CREATE UNIQUE INDEX payments_reference ON payments.payments (reference) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX payments_bank_reference ON payments.payments (bank_reference) WHERE bank_reference IS NOT NULL;
CREATE INDEX payments_stuck ON payments.payments (next_check_at) WHERE status = 'processing';
CREATE INDEX payments_unconfirmed ON payments.payments (expires_at)
    WHERE status IN ('requires_confirmation', 'requires_action') AND expires_at IS NOT NULL;
CREATE INDEX payments_reviews ON payments.payments (created_at, id) WHERE status = 'requires_review';

-- An answer is kept when it is final; without one the same request may go on with the same key.
CREATE TABLE payments.idempotency_keys (
    owner         text NOT NULL,      -- customer, or user for operators
    route         text NOT NULL,
    key           text NOT NULL,
    fingerprint   bytea NOT NULL,
    subject       text NOT NULL,      -- payment or refund
    answer_status integer,
    answer_body   text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, route, key)
);
CREATE INDEX idempotency_keys_age ON payments.idempotency_keys (created_at);

CREATE TABLE payments.refunds (
    id            text PRIMARY KEY,
    payment_id    text NOT NULL REFERENCES payments.payments (id),
    customer_id   text NOT NULL,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      text NOT NULL,
    reason        text,
    status        text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
    failure       jsonb,
    claim         text,
    next_check_at timestamptz,
    checks        integer NOT NULL DEFAULT 0,
    owner         text NOT NULL,      -- with route and key: where the final answer is kept
    route         text NOT NULL,
    key           text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_payment ON payments.refunds (payment_id);
CREATE INDEX refunds_stuck ON payments.refunds (next_check_at) WHERE status = 'pending';

-- Also the history of a payment (GET /v1/payments/{id}/events): rows are never deleted.
CREATE INDEX outbox_history ON payments.outbox (key, id) WHERE topic = 'payment-events';

CREATE FUNCTION payments.rfc3339(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- The functions below are PL/pgSQL with one expression each: its plan is kept for the session, while a function
-- in SQL that cannot be inlined is planned again at every call.

CREATE TYPE payments.payment_document AS (
    id text, object text, status text, amount bigint, currency text, fee bigint, customer_id text,
    from_account text, to_account text, to_routing_number text, to_name text, description text, metadata jsonb,
    reference text, risk jsonb, next_action jsonb, last_error jsonb, failure jsonb, cancellation_reason text,
    amount_refunded bigint, created_at text, updated_at text, confirmed_at text, canceled_at text, expires_at text
);

-- The payment as everybody sees it. Why a payment was refused or is under review stays inside.
CREATE FUNCTION payments.document(p payments.payments) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN to_json(ROW(
        p.id, 'payment', p.status, p.amount_minor, p.currency, p.fee_minor, p.customer_id,
        p.from_account, p.to_account, p.to_routing_number, p.to_name, p.description, p.metadata,
        p.reference,
        CASE WHEN p.assessment->>'decision' = 'allow' THEN p.assessment->'public' END,
        CASE WHEN p.status IN ('requires_action', 'requires_review') THEN p.next_action END,
        p.last_error, p.failure, p.cancellation_reason,
        p.amount_refunded_minor,
        payments.rfc3339(p.created_at), payments.rfc3339(p.updated_at), payments.rfc3339(p.confirmed_at),
        payments.rfc3339(p.canceled_at), payments.rfc3339(p.expires_at))::payments.payment_document);
END $$;

-- The payment as the platform's own services and its operators see it; `told` is its document.
CREATE FUNCTION payments.inside(p payments.payments, told json) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN told::jsonb || jsonb_build_object(
        'assessment', p.assessment,
        'payments_24h', p.payments_24h,
        'otp_required', p.otp_required,
        'reviewed_by', p.reviewed_by,
        'stage', p.stage,
        'bank_reference', p.bank_reference,
        'bank_transfer', p.bank_transfer);
END $$;

CREATE FUNCTION payments.inside(p payments.payments) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN payments.inside(p, payments.document(p));
END $$;

CREATE TYPE payments.refund_document AS (
    id text, object text, payment text, status text, amount bigint, currency text, customer_id text, reason text,
    failure jsonb, created_at text, updated_at text
);

CREATE FUNCTION payments.refund_document(r payments.refunds) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN to_json(ROW(
        r.id, 'refund', r.payment_id, r.status, r.amount_minor, r.currency, r.customer_id, r.reason, r.failure,
        payments.rfc3339(r.created_at), payments.rfc3339(r.updated_at))::payments.refund_document);
END $$;

GRANT SELECT, INSERT, UPDATE ON payments.payments TO payments;
GRANT SELECT, INSERT, UPDATE, DELETE ON payments.idempotency_keys, payments.refunds TO payments;
GRANT SELECT, INSERT, UPDATE (sequence, published_at) ON payments.outbox TO payments;
