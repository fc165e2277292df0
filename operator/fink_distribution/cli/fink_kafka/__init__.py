"""`fink_kafka`: a local Kafka, and topics, users and permissions of any, from the shell."""
