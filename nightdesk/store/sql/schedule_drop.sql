DELETE FROM schedules WHERE job <> ALL (%(marks)s::text[])
