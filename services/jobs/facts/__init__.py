"""What only the alerter and Prometheus know of a day, asked for and stored, so that reports read PostgreSQL alone."""
