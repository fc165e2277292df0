"""Kafka's admin protocol: the only place that imports a Kafka client."""
