CREATE SEQUENCE kyc.version_seq;

CREATE TABLE kyc.customers (
    customer_id         text PRIMARY KEY CHECK (customer_id ~ '^[A-Za-z0-9._:-]{1,128}$'),
    kind                text NOT NULL DEFAULT 'individual' CHECK (kind IN ('individual', 'business')),
    name                text NOT NULL CHECK (name ~ '\S'),
    email               text,
    phone               text CHECK (phone ~ '^\+[0-9]{6,15}$'),
    push_token          text,
    country             text CHECK (country ~ '^[A-Z]{2}$'),
    date_of_birth       date,
    status              text NOT NULL DEFAULT 'pending' CHECK (status IN ('verified', 'pending', 'rejected')),
    level               text NOT NULL DEFAULT 'basic' CHECK (level IN ('basic', 'full', 'enhanced')),
    documents_expire_on date,
    version             bigint NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customers_version ON kyc.customers (version);

-- A UUIDv7 (RFC 9562): 48 bits of milliseconds, then the random bits of a version 4 one.
CREATE FUNCTION kyc.uuid7() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT left(moment, 8) || '-' || right(moment, 4) || '-7' || substr(gen_random_uuid()::text, 16)
    FROM (SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')) AS t (moment)
$$;

-- The lock is held until commit: versions become visible in their order, so max(version) never misses a change.
CREATE FUNCTION kyc.number_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('kyc.version_seq'));
    NEW.version := nextval('kyc.version_seq');
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- Each change is an event in the change's own transaction, whoever makes it. It carries no personal data.
CREATE FUNCTION kyc.tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.version IS DISTINCT FROM OLD.version THEN
        INSERT INTO kyc.outbox (event_id, topic, key, type, payload)
        VALUES (kyc.uuid7(), 'payment-events', NEW.customer_id, 'kyc.changed', jsonb_build_object(
            'customer_id', NEW.customer_id, 'status', NEW.status, 'level', NEW.level, 'version', NEW.version));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER number_change BEFORE INSERT OR UPDATE ON kyc.customers
    FOR EACH ROW EXECUTE FUNCTION kyc.number_change();
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE ON kyc.customers
    FOR EACH ROW EXECUTE FUNCTION kyc.tell_change();

GRANT SELECT ON kyc.customers TO kyc;
GRANT SELECT, UPDATE (sequence, published_at), DELETE ON kyc.outbox TO kyc;
