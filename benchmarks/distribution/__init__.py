"""How fast the distribution job is, beside what it is made of and beside a streaming query for each filter."""
