"""A real Kafka cluster on this machine: fetched, configured, started and stopped."""
