"""The testbed: a real Kafka broker, a real control plane and one real node, for the tests and for trying things out.

Nothing here is a mock and nothing needs Docker. `python -m testbed --help` says how to use it.
"""
