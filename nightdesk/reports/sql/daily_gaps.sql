-- Gaps opened that day, by cause, as they are now. `ids` are those between a gap's ends, `missing` what is missing still;
-- how long filling took is known of gaps that are filled, whose rows nobody changes any more.
SELECT
    g.cause,
    count(*) AS opened,
    count(*) FILTER (WHERE g.state IN ('open', 'filling')) AS open,
    count(*) FILTER (WHERE g.state = 'filled') AS filled,
    count(*) FILTER (WHERE g.state = 'filled' AND g.source = '') AS filled_by_itself,
    count(*) FILTER (WHERE g.state = 'unfillable') AS unfillable,
    coalesce(sum(g.to_id - g.from_id + 1), 0)::int8 AS ids,
    coalesce(sum(missing.ids), 0)::int8 AS missing,
    coalesce(
        array_agg(extract(epoch FROM g.updated_at - g.opened_at)::float8 ORDER BY g.gap_id) FILTER (WHERE g.state = 'filled'),
        '{}'
    ) AS fill_s
FROM gaps AS g
CROSS JOIN LATERAL (
    SELECT sum(upper(one) - lower(one))::int8 AS ids FROM unnest(g.missing) AS one
) AS missing
WHERE g.opened_at >= %(begin)s AND g.opened_at < %(end)s
GROUP BY g.cause
ORDER BY opened DESC, g.cause
