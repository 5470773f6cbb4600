-- `empty`, `restored` (from some backup), or the name of a thing that is there.
SELECT CASE
    WHEN to_regclass('restore.origin') IS NOT NULL THEN 'restored'
    ELSE coalesce(
        (SELECT 'schema ' || nspname FROM pg_namespace
         WHERE nspname NOT IN ('public', 'information_schema') AND nspname !~ '^pg_' ORDER BY nspname LIMIT 1),
        (SELECT 'relation public.' || relname FROM pg_class AS c
         WHERE relnamespace = 'public'::regnamespace
             AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e') ORDER BY relname LIMIT 1),
        'empty') END;
