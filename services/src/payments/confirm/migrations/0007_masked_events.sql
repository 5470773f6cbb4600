CREATE FUNCTION payments.mask(number text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN repeat('*', greatest(length(number) - 4, 0)) || right(number, 4);
END $$;

-- Events go to Kafka and to the audit trail, so their account numbers are masked (PCI DSS 3.4.1). A webhook's document
-- takes them from the payment.
CREATE OR REPLACE FUNCTION payments.emit(
    p_event_id text, p_topic text, p_payment text, p_type text, p_payload jsonb, p_traceparent text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_payload ? 'from_account' THEN
        p_payload := p_payload || jsonb_build_object(
            'from_account', payments.mask(p_payload->>'from_account'),
            'to_account', payments.mask(p_payload->>'to_account'));
    END IF;
    INSERT INTO payments.outbox (event_id, topic, key, type, payload, traceparent)
    VALUES (p_event_id, p_topic, p_payment, p_type, p_payload, p_traceparent);
END $$;
