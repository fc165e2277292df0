"""The Kubernetes API: the only place that imports a Kubernetes client."""
