DELETE FROM schedules WHERE job <> ALL (%(jobs)s::text[])
