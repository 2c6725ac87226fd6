UPDATE runs SET overlapped = true, reason = one.reason
FROM unnest(%(runs)s::int8[], %(reasons)s::text[]) AS one (run_id, reason)
WHERE runs.run_id = one.run_id AND runs.state = 'expected' AND NOT runs.overlapped
RETURNING runs.run_id
