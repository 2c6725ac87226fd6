CREATE TEMPORARY TABLE staged (
    place int, reference text, symbol text, trader text, side text, quantity numeric, price numeric, status text,
    ordered_at timestamptz, reason text
) ON COMMIT DROP
