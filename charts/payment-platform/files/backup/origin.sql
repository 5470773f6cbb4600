-- Where the database comes from; with it a second restore knows that there is nothing to do.
CREATE SCHEMA restore;
CREATE TABLE restore.origin (manifest jsonb NOT NULL, restored_at timestamptz NOT NULL DEFAULT clock_timestamp());
INSERT INTO restore.origin (manifest) VALUES (:'manifest'::jsonb);
