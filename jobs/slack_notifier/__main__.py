"""`python -m slack_notifier`."""

from slack_notifier.cli import main

if __name__ == "__main__":
    main()
