-- What the superuser does, and all it does; safe to repeat. Passwords are set by `migrate`.
DO $$
BEGIN
    IF to_regrole('nightdesk_owner') IS NULL THEN
        CREATE ROLE nightdesk_owner LOGIN;
    END IF;
    IF to_regrole('nightdesk_writer') IS NULL THEN
        CREATE ROLE nightdesk_writer LOGIN;
    END IF;
    IF to_regrole('nightdesk_reader') IS NULL THEN
        CREATE ROLE nightdesk_reader LOGIN;
    END IF;
    IF to_regrole('nightdesk_backup') IS NULL THEN
        CREATE ROLE nightdesk_backup LOGIN;
    END IF;
    IF to_regrole('nightdesk_clerk') IS NULL THEN
        CREATE ROLE nightdesk_clerk LOGIN;
    END IF;
    EXECUTE format('ALTER DATABASE %I OWNER TO nightdesk_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO nightdesk_writer, nightdesk_reader, nightdesk_backup, nightdesk_clerk', current_database());
    -- Who imports orders puts them into a table of the transaction's own first.
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO nightdesk_writer, nightdesk_clerk', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

ALTER ROLE nightdesk_reader SET default_transaction_read_only = on;
ALTER ROLE nightdesk_reader SET statement_timeout = '15s';
ALTER ROLE nightdesk_reader SET idle_in_transaction_session_timeout = '15s';
-- A backup reads everything, and is restored into a database of its own to be verified.
GRANT pg_read_all_data TO nightdesk_backup;
ALTER ROLE nightdesk_backup CREATEDB;
ALTER ROLE nightdesk_backup SET lock_timeout = '30s';
ALTER ROLE nightdesk_writer SET lock_timeout = '30s';
-- Of the largest file that the api takes; the second of two waits for the first.
ALTER ROLE nightdesk_clerk SET statement_timeout = '3min';
ALTER ROLE nightdesk_clerk SET lock_timeout = '2min';
ALTER ROLE nightdesk_clerk SET idle_in_transaction_session_timeout = '60s';
