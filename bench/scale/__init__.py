"""What more workers and more symbols change: throughput, commit latency, PostgreSQL's load."""
