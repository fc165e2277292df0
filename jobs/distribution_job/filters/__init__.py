"""Filters that come with the job; they show fink-filters' contract, see `distribution_job.python_filters`."""
