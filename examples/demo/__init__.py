"""The demo: a broker's alerts, distributed to a community, on a real Kubernetes and a real Kafka. See `python examples/demo --help`."""
