"""What the applications that run beside the operator share: documents checked by a schema, and the way to Kafka.

It knows none of them.
"""
