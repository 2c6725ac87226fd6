-- Nobody lives for longer ahead than a lease lasts; who seems to has died before the clock was set back.
SELECT worker FROM workers WHERE expires_at > now() AND expires_at < now() + interval '2 minutes' ORDER BY worker
