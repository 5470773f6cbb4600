-- One row for each message and channel. What was written is not kept: it may be a one-time password.
CREATE TABLE notification.deliveries (
    delivery_id         text PRIMARY KEY,
    dedupe_key          text NOT NULL,
    channel             text NOT NULL CHECK (channel IN ('sms', 'email', 'push')),
    customer_id         text NOT NULL,
    type                text NOT NULL,
    provider            text NOT NULL,
    status              text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
    attempts            integer NOT NULL DEFAULT 1,
    provider_message_id text,
    error               text,
    permanent           boolean NOT NULL DEFAULT false,
    claimed_at          timestamptz NOT NULL DEFAULT now(),
    created_at          timestamptz NOT NULL DEFAULT now(),
    finished_at         timestamptz,
    UNIQUE (dedupe_key, channel)
);
CREATE INDEX deliveries_customer ON notification.deliveries (customer_id, created_at);

CREATE TABLE notification.sandbox_messages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id text NOT NULL,
    customer_id text NOT NULL,
    type        text NOT NULL,
    channel     text NOT NULL,
    recipient   text NOT NULL,
    subject     text NOT NULL,
    body        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sandbox_messages_recipient ON notification.sandbox_messages (recipient, id DESC);
CREATE INDEX sandbox_messages_customer ON notification.sandbox_messages (customer_id, id DESC);

GRANT SELECT, INSERT, UPDATE ON notification.deliveries TO notification;
GRANT SELECT, INSERT ON notification.sandbox_messages TO notification;
