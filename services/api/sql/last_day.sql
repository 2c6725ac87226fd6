-- What went wrong since a moment, and what is still open, in one row.
SELECT
    (SELECT count(*) FROM gaps WHERE state IN ('open', 'filling')) AS open_gaps,
    (SELECT count(*) FROM gaps WHERE state = 'unfillable' AND opened_at >= %(since)s) AS unfillable_gaps,
    (
        SELECT count(*) FROM runs
        WHERE scheduled_for >= %(since)s AND state IN ('failed', 'missed')
    ) AS bad_runs,
    (
        SELECT count(*) FROM runs WHERE scheduled_for >= %(since)s AND state = 'succeeded'
    ) AS good_runs,
    (
        SELECT coalesce(jsonb_agg(to_jsonb(worst)), '[]')
        FROM (
            SELECT run_id, job, state, coalesce(error, reason) AS why
            FROM runs
            WHERE scheduled_for >= %(since)s AND state IN ('failed', 'missed')
            ORDER BY run_id DESC
            LIMIT 3
        ) AS worst
    ) AS worst
