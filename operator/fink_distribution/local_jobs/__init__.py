"""What `fink start` runs on this machine: the distribution, a look at its topic, and the Slack notifier."""
