SELECT
    EXISTS (SELECT FROM trades), EXISTS (SELECT FROM bars),
    EXISTS (SELECT FROM runs WHERE state IN ('succeeded', 'failed'))
