-- The ids stored in each minute: enough to see whether they are contiguous, without sorting a day of trades.
SELECT symbol_id, (extract(epoch FROM date_bin('1 minute', time, 'epoch'))::int8 / 60), count(trade_id),
    min(trade_id), max(trade_id), sum(trade_id)
FROM trades
WHERE symbol_id = ANY (%(symbol_ids)s::int4[]) AND time >= %(from)s::timestamptz AND time < %(to)s::timestamptz
GROUP BY 1, 2
ORDER BY 1, 2
