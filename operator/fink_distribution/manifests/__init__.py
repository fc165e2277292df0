"""Manifests as people keep them in files: read, checked, planned and written. No Kafka, no Kubernetes."""
