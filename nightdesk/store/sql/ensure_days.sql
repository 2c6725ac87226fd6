SELECT ensure_day(tick_table, day)
FROM unnest(%(tables)s::text[], %(days)s::date[]) AS wanted (tick_table, day)
