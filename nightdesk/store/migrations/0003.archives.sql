-- A day is dropped only while it holds what was archived, and a day that was put back stays for a while.

ALTER TABLE archives ADD COLUMN restored_at timestamptz;

DROP FUNCTION drop_day(text, date);

-- Drop the partition of a UTC day that is over; gives up after a second rather than hold up those who write. With
-- `expected_rows`, only if it holds exactly so many: nobody can add one between the count and the drop.
CREATE FUNCTION drop_day(tick_table text, day date, expected_rows int8 DEFAULT NULL) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s'
AS $$
DECLARE
    day_table text := tick_table || to_char(day, '_YYYYMMDD');
    found_rows int8;
BEGIN
    IF tick_table NOT IN ('trades', 'agg_trades', 'quotes', 'depths') THEN
        RAISE EXCEPTION '% is not a table of ticks', tick_table USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF day >= current_date - 1 THEN
        RAISE EXCEPTION '% is too recent to be dropped', day USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(day_table) IS NULL THEN
        RETURN false;
    END IF;
    IF expected_rows IS NOT NULL THEN
        EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', day_table);
        EXECUTE format('SELECT count(*) FROM %I', day_table) INTO found_rows;
        IF found_rows <> expected_rows THEN
            RETURN false;
        END IF;
    END IF;
    EXECUTE format('DROP TABLE %I', day_table);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION drop_day(text, date, int8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_day(text, date, int8) TO nightdesk_writer;
