-- What the verdicts of some days rest on, one row a UTC day, each figure by way of an index: a month takes milliseconds.
WITH days AS (
    SELECT
        %(from_day)s::date + number AS day,
        (%(from_day)s::date + number)::timestamp AT TIME ZONE 'UTC' AS begins,
        (%(from_day)s::date + number + 1)::timestamp AT TIME ZONE 'UTC' AS ends
    FROM generate_series(0, %(to_day)s::date - %(from_day)s::date - 1) AS number
),
first AS MATERIALIZED (
    SELECT symbol_id, (SELECT min(time) FROM bars AS b WHERE b.symbol_id = s.symbol_id) AS time FROM symbols AS s
)
SELECT
    d.day, s.symbols, s.seen AS symbols_seen, c.verified AS symbols_verified, c.percent AS complete_percent,
    c.least AS least_percent, g.opened AS gaps_opened, g.open AS gaps_open, g.unfillable AS gaps_unfillable,
    r.succeeded AS runs_succeeded, r.failed AS runs_failed, r.missed AS runs_missed,
    a.told AS alerts_told, a.pages, a.unanswered AS pages_unanswered, a.firing AS pages_firing,
    e.errors, e.lines AS error_lines, e.fresh AS new_errors, f.*
FROM days AS d
CROSS JOIN LATERAL (
    SELECT
        count(*) AS symbols,
        count(*) FILTER (
            WHERE EXISTS (SELECT FROM bars AS b WHERE b.symbol_id = s.symbol_id AND b.time >= d.begins AND b.time < d.ends)
        ) AS seen
    FROM first AS s
    WHERE s.time < d.ends
) AS s
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE c.unchecked < c.minutes) AS verified,
        100.0 * sum(c.complete) / nullif(sum(c.minutes - c.unchecked), 0) AS percent,
        min(c.percent) FILTER (WHERE c.unchecked < c.minutes) AS least
    FROM completeness AS c
    WHERE c.day = d.day AND c.symbol_id IN (SELECT symbol_id FROM symbols)
) AS c
CROSS JOIN LATERAL (
    SELECT
        count(*) AS opened,
        count(*) FILTER (WHERE g.state IN ('open', 'filling')) AS open,
        count(*) FILTER (WHERE g.state = 'unfillable') AS unfillable
    FROM gaps AS g
    WHERE g.opened_at >= d.begins AND g.opened_at < d.ends
) AS g
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE r.state = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE r.state = 'failed') AS failed,
        count(*) FILTER (WHERE r.state = 'missed') AS missed
    FROM runs AS r
    WHERE r.scheduled_for >= d.begins AND r.scheduled_for < d.ends
) AS r
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE a.told_at IS NOT NULL AND a.started_at >= d.begins) AS told,
        count(*) FILTER (WHERE a.tier = 'critical' AND a.told_at IS NOT NULL AND a.started_at >= d.begins) AS pages,
        count(*) FILTER (
            WHERE a.tier = 'critical' AND a.told_at IS NOT NULL AND a.started_at >= d.begins AND a.acknowledged_at IS NULL
        ) AS unanswered,
        count(*) FILTER (WHERE a.tier = 'critical' AND (a.ended_at IS NULL OR a.ended_at >= d.ends)) AS firing
    FROM alert_history AS a
    WHERE a.tier <> 'info' AND a.started_at < d.ends AND (a.ended_at IS NULL OR a.ended_at >= d.begins)
) AS a
CROSS JOIN LATERAL (
    SELECT
        count(*) AS errors,
        coalesce(sum(e.lines), 0)::int8 AS lines,
        CASE
            WHEN EXISTS (SELECT FROM log_counts AS l WHERE l.day >= d.day - 7 AND l.day < d.day)
            THEN count(*) FILTER (
                WHERE NOT EXISTS (SELECT FROM log_errors AS o WHERE o.fingerprint = e.fingerprint AND o.day < d.day)
            )
        END AS fresh
    FROM log_errors AS e
    WHERE e.day = d.day
) AS e
CROSS JOIN LATERAL (
    SELECT
        max(f.value) FILTER (WHERE f.fact = 'told_s') AS told_s,
        max(f.value) FILTER (WHERE f.fact = 'alerts_until_s') AS alerts_until_s,
        max(f.value) FILTER (WHERE f.fact = 'until_s') AS measured_until_s,
        max(f.value) FILTER (WHERE f.fact = 'unobserved_s') AS unobserved_s,
        max(f.value) FILTER (WHERE f.fact = 'downtime_s') AS downtime_s,
        max(f.value) FILTER (WHERE f.fact = 'planned_downtime_s') AS planned_downtime_s,
        sum(f.value) FILTER (WHERE f.fact = 'restarts') AS restarts,
        min(f.value) FILTER (WHERE f.fact = 'disk_free_ratio_min') AS disk_free_ratio,
        min(f.value) FILTER (WHERE f.fact = 'memory_available_ratio_min') AS memory_available_ratio,
        max(f.value / l.value) FILTER (WHERE f.fact = 'memory_peak_bytes' AND l.value > 0) AS memory_used_ratio
    FROM daily_facts AS f
    LEFT JOIN daily_facts AS l ON l.day = f.day AND l.fact = 'memory_limit_bytes' AND l.subject = f.subject
    WHERE f.day = d.day
) AS f
ORDER BY d.day
