"""Fink Distribution: a Kubernetes operator that redistributes astronomical alerts over Kafka."""
