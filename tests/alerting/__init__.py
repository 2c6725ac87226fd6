"""A real Prometheus and a real alerter, as processes, for tests that look at them from outside."""
