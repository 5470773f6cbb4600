\set password `cat /etc/payment-platform/superuser/password`
-- An error would log the statement, and with it the password.
SET log_min_error_statement = panic;
ALTER ROLE postgres PASSWORD :'password';
SELECT format('CREATE DATABASE %I', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
