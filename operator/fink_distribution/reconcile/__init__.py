"""observe -> plan -> apply -> report, a module a kind. It knows Kafka and Kubernetes by our own two packages only."""
