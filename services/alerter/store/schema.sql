-- The alerter's own file: what fires, who was told, how that went. Times are Unix seconds. Version 1.

CREATE TABLE alerts (
    alert_id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    source TEXT NOT NULL,
    tier TEXT NOT NULL,
    "group" TEXT NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    started_s REAL NOT NULL,
    seen_s REAL NOT NULL,
    missing_s REAL,
    ended_s REAL,
    told_s REAL,
    is_end_told INTEGER NOT NULL,
    is_momentary INTEGER NOT NULL,
    acknowledged_s REAL,
    acknowledged_by TEXT,
    acknowledged_note TEXT
) STRICT;

CREATE INDEX alerts_firing ON alerts (alert_id) WHERE ended_s IS NULL;
CREATE INDEX alerts_ended ON alerts (ended_s);
CREATE INDEX alerts_started ON alerts (started_s);
CREATE INDEX alerts_fingerprint ON alerts (fingerprint, alert_id);

CREATE TABLE groups (
    "key" TEXT PRIMARY KEY,
    "to" TEXT NOT NULL,
    tier TEXT NOT NULL,
    is_always INTEGER NOT NULL,
    opened_s REAL NOT NULL,
    told_s REAL,
    step INTEGER NOT NULL,
    due_s REAL,
    channels TEXT NOT NULL,
    dedup_key TEXT NOT NULL
) STRICT;

CREATE TABLE silences (
    silence_id INTEGER PRIMARY KEY,
    match TEXT NOT NULL,
    starts_s REAL NOT NULL,
    ends_s REAL NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- The outbox: a notification, and one delivery for each channel that it is for.

CREATE TABLE notifications (
    notification_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    tier TEXT NOT NULL,
    created_s REAL NOT NULL,
    groups TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;

CREATE INDEX notifications_created ON notifications (created_s);

CREATE TABLE notified (
    notification_id INTEGER NOT NULL REFERENCES notifications ON DELETE CASCADE,
    alert_id INTEGER NOT NULL,
    PRIMARY KEY (notification_id, alert_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notified_alert ON notified (alert_id);

-- `failing_s` is when the first attempt failed, 0 where its channel is left alone; `is_stood_in` whether another channel
-- was asked because of that, or none needs to be.
CREATE TABLE deliveries (
    delivery_id INTEGER PRIMARY KEY,
    notification_id INTEGER NOT NULL REFERENCES notifications ON DELETE CASCADE,
    channel TEXT NOT NULL,
    urgency INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'delivered', 'failed', 'withdrawn')),
    due_s REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    failing_s REAL,
    is_stood_in INTEGER NOT NULL DEFAULT 0,
    ended_s REAL,
    receipt TEXT NOT NULL DEFAULT '',
    UNIQUE (notification_id, channel)
) STRICT;

CREATE INDEX deliveries_open ON deliveries (channel, urgency, notification_id) WHERE ended_s IS NULL;
CREATE INDEX deliveries_alone ON deliveries (delivery_id)
    WHERE is_stood_in = 0 AND state <> 'delivered' AND state <> 'withdrawn';
CREATE INDEX deliveries_receipts ON deliveries (delivery_id) WHERE receipt <> '';

CREATE TABLE attempts (
    attempt_id INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    at_s REAL NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    latency_s REAL NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX attempts_delivery ON attempts (delivery_id);

-- Channels that failed for good: since when, why, and how often since they last delivered.
CREATE TABLE disabled (
    channel TEXT PRIMARY KEY,
    since_s REAL NOT NULL,
    again_s REAL NOT NULL,
    failures INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
