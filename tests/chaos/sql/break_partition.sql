-- Today's partition of trades refuses every row from now on.
DO $$
BEGIN
    CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''this partition is broken''; END';
    EXECUTE format(
        'CREATE TRIGGER chaos_refuse BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION chaos_refuse()',
        'trades_' || to_char(now(), 'YYYYMMDD')
    );
END
$$
