"""A DistributionStream as the Kubernetes objects that run it. Pure."""
