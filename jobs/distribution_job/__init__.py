"""The distribution job: one read of the science alerts, all filters at once, one write to many Kafka topics.

It is told what to do by one JSON document (`schemas/stream-job.schema.json`) and knows nothing of who wrote it.
Run it with `python -m distribution_job --config FILE`.
"""
