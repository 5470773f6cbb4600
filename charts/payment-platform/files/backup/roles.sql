-- The roles that have rights in the dump, without a password: the migrations that follow give each its own.
SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM jsonb_array_elements_text(:'manifest'::jsonb -> 'facts' -> 'roles') AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
