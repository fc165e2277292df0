"""Recounting what has been published against what the filters let through, from the source and the topics. It only reads."""
