SELECT job, planned_until FROM schedules
