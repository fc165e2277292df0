"""kopf's part: watching, finalizers, retries of deletions, liveness. Thin: everything is done in `reconcile`."""
