"""What the applications that run beside the operator share: documents checked by a schema, the way to Kafka, and the port that they answer at.

It knows none of them.
"""
