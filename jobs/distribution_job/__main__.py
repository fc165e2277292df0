"""`python -m distribution_job`."""

from distribution_job.cli import main

if __name__ == "__main__":
    main()
