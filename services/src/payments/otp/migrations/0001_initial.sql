-- Tries count for the payment, not for the code: a new code gives no new tries (NIST SP 800-63B 3.2.2).
CREATE TABLE otp.payments (
    payment_id  text PRIMARY KEY,
    customer_id text NOT NULL,
    tries       integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- The code of a challenge is good while the challenge is the payment's latest one that may have been sent.
CREATE TABLE otp.challenges (
    challenge_id text PRIMARY KEY,
    payment_id   text NOT NULL REFERENCES otp.payments,
    mac          bytea NOT NULL CHECK (length(mac) = 32),
    binding      bytea NOT NULL CHECK (length(binding) = 32),
    delivery     text NOT NULL DEFAULT 'sending' CHECK (delivery IN ('sending', 'sent', 'unsent')),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX challenges_payment ON otp.challenges (payment_id, created_at);

CREATE FUNCTION otp.tell(
    p_event_id text, p_type text, p_payment_id text, p_customer_id text, p_challenge_id text, p_tries_left integer,
    p_traceparent text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO otp.outbox (event_id, topic, key, type, payload, traceparent)
    VALUES (p_event_id, 'payment-events', p_payment_id, p_type, jsonb_build_object(
        'payment_id', p_payment_id, 'customer_id', p_customer_id, 'challenge_id', p_challenge_id,
        'tries_left', p_tries_left), p_traceparent)
$$;

-- Decides whether a code is to be sent, and if so stores the challenge for it.
-- outcome: send | active (the customer has a good code) | limited (retry_after seconds) | exhausted | foreign.
CREATE FUNCTION otp.issue(
    p_payment_id text, p_customer_id text, p_challenge_id text, p_mac bytea, p_binding bytea, p_resend boolean,
    p_ttl interval, p_max_tries integer, p_max_resends integer, p_window interval, p_gap interval,
    OUT outcome text, OUT expires_at timestamptz, OUT retry_after integer
) LANGUAGE plpgsql AS $$
DECLARE
    max_attempts CONSTANT integer := 20;  -- in a window, those that surely were not delivered included
    sending_for  CONSTANT interval := '15 seconds';  -- then an unanswered delivery counts as lost
    payment otp.payments;
    latest  otp.challenges;
    moment  timestamptz;
    sends   integer;
    attempts integer;
    oldest  timestamptz;
BEGIN
    INSERT INTO otp.payments (payment_id, customer_id) VALUES (p_payment_id, p_customer_id) ON CONFLICT DO NOTHING;
    SELECT * INTO payment FROM otp.payments p WHERE p.payment_id = p_payment_id FOR UPDATE;
    moment := clock_timestamp();
    IF payment.customer_id <> p_customer_id THEN
        outcome := 'foreign';
        RETURN;
    END IF;
    IF payment.tries >= p_max_tries THEN
        outcome := 'exhausted';
        RETURN;
    END IF;
    SELECT * INTO latest FROM otp.challenges c
    WHERE c.payment_id = p_payment_id AND c.delivery <> 'unsent' ORDER BY c.created_at DESC LIMIT 1;
    IF NOT p_resend AND latest.binding = p_binding AND latest.used_at IS NULL AND latest.expires_at > moment
        AND (latest.delivery = 'sent' OR latest.created_at > moment - sending_for)
    THEN
        outcome := 'active';
        expires_at := latest.expires_at;
        RETURN;
    END IF;
    SELECT count(*) FILTER (WHERE c.delivery <> 'unsent'), count(*), min(c.created_at) INTO sends, attempts, oldest
    FROM otp.challenges c WHERE c.payment_id = p_payment_id AND c.created_at > moment - p_window;
    IF latest.created_at > moment - p_gap THEN
        outcome := 'limited';
        retry_after := ceil(extract(epoch FROM latest.created_at + p_gap - moment));
        RETURN;
    END IF;
    IF sends > p_max_resends OR attempts >= max_attempts THEN
        outcome := 'limited';
        retry_after := ceil(extract(epoch FROM oldest + p_window - moment));
        RETURN;
    END IF;
    outcome := 'send';
    expires_at := moment + p_ttl;
    INSERT INTO otp.challenges (challenge_id, payment_id, mac, binding, created_at, expires_at)
    VALUES (p_challenge_id, p_payment_id, sha256(p_mac || convert_to(p_challenge_id, 'UTF8')), p_binding, moment,
            expires_at);
END
$$;

-- Notes how the delivery of a challenge's code ended; a delivered one is an event.
CREATE FUNCTION otp.delivered(p_challenge_id text, p_sent boolean, p_max_tries integer, p_event_id text, p_traceparent text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    challenge otp.challenges;
    payment   otp.payments;
BEGIN
    UPDATE otp.challenges c SET delivery = CASE WHEN p_sent THEN 'sent' ELSE 'unsent' END
    WHERE c.challenge_id = p_challenge_id AND c.delivery = 'sending' RETURNING * INTO challenge;
    IF FOUND AND p_sent THEN
        SELECT * INTO payment FROM otp.payments p WHERE p.payment_id = challenge.payment_id;
        PERFORM otp.tell(p_event_id, 'otp.sent', payment.payment_id, payment.customer_id, p_challenge_id,
                         greatest(p_max_tries - payment.tries, 0), p_traceparent);
    END IF;
END
$$;

-- Takes a try and compares, in one transaction behind the payment's row lock: however many guesses arrive at
-- once, no more than p_max_tries are ever compared. What is compared are hashes under a key that no caller has,
-- so the time a comparison takes tells nothing about the code.
-- outcome: ok | invalid | expired | exhausted | not_found.
CREATE FUNCTION otp.verify(
    p_payment_id text, p_customer_id text, p_mac bytea, p_max_tries integer, p_event_ids text[], p_traceparent text,
    OUT outcome text, OUT tries_left integer
) LANGUAGE plpgsql AS $$
DECLARE
    payment otp.payments;
    latest  otp.challenges;
BEGIN
    SELECT * INTO payment FROM otp.payments p
    WHERE p.payment_id = p_payment_id AND p.customer_id = p_customer_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found';
        tries_left := 0;
        RETURN;
    END IF;
    tries_left := greatest(p_max_tries - payment.tries, 0);
    IF tries_left = 0 THEN
        outcome := 'exhausted';
        RETURN;
    END IF;
    SELECT * INTO latest FROM otp.challenges c
    WHERE c.payment_id = p_payment_id AND c.delivery <> 'unsent' ORDER BY c.created_at DESC LIMIT 1;
    IF NOT FOUND OR latest.used_at IS NOT NULL THEN
        outcome := 'not_found';
        RETURN;
    END IF;
    IF latest.expires_at <= clock_timestamp() THEN
        outcome := 'expired';
        RETURN;
    END IF;
    tries_left := tries_left - 1;
    UPDATE otp.payments p SET tries = p.tries + 1 WHERE p.payment_id = p_payment_id;
    IF latest.mac = sha256(p_mac || convert_to(latest.challenge_id, 'UTF8')) THEN
        outcome := 'ok';
        UPDATE otp.challenges c SET used_at = clock_timestamp() WHERE c.challenge_id = latest.challenge_id;
        PERFORM otp.tell(p_event_ids[1], 'otp.verified', p_payment_id, p_customer_id, latest.challenge_id, tries_left,
                         p_traceparent);
        RETURN;
    END IF;
    outcome := 'invalid';
    PERFORM otp.tell(p_event_ids[1], 'otp.failed', p_payment_id, p_customer_id, latest.challenge_id, tries_left,
                     p_traceparent);
    IF tries_left = 0 THEN
        PERFORM otp.tell(p_event_ids[2], 'otp.exhausted', p_payment_id, p_customer_id, latest.challenge_id, 0,
                         p_traceparent);
    END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE (tries) ON otp.payments TO otp;
GRANT SELECT, INSERT, UPDATE (delivery, used_at) ON otp.challenges TO otp;
GRANT SELECT, INSERT, UPDATE (sequence, published_at), DELETE ON otp.outbox TO otp;
