"""Backups of the database: what pg_dump made is described, kept, thinned out, fetched again and checked."""
