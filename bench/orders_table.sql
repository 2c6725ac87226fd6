CREATE TEMPORARY TABLE bare (
    reference text, symbol text, trader text, side text, quantity numeric, price numeric, status text,
    ordered_at timestamptz
) ON COMMIT DROP
