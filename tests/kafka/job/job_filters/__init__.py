"""Filters for the tests of the job; FINK_FILTER_PACKAGES allows them there."""
