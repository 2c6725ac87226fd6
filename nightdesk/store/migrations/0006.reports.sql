-- What reports read and only others knew: alerts as the alerter told them, and what Prometheus measured of a day.

-- Episodes of alerts, copied from the alerter, which forgets its own. Its numbers begin anew with a new file, hence the key.
CREATE TABLE alert_history (
    started_at timestamptz NOT NULL,
    alert_id int8 NOT NULL,
    name text NOT NULL,
    tier text NOT NULL,
    source text NOT NULL,
    summary text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    ended_at timestamptz,
    told_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (started_at, alert_id)
);

CREATE INDEX alert_history_name ON alert_history (name, started_at);

-- One measurement of a UTC day. What is not here is not known, which is another thing than 0.
CREATE TABLE daily_facts (
    day date NOT NULL,
    fact text NOT NULL,
    subject text NOT NULL DEFAULT '',
    value float8 NOT NULL,
    PRIMARY KEY (day, fact, subject)
);

-- Every gap by when it was opened, whatever became of it.
CREATE INDEX gaps_day ON gaps (opened_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_history, daily_facts TO nightdesk_writer;
GRANT SELECT ON alert_history, daily_facts TO nightdesk_reader;
