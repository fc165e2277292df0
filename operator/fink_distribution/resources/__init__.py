"""The kinds, as values: specs read from what the API server has checked, status as it is written. Pure."""
