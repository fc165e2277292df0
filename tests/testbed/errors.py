"""The testbed's one kind of failure: a sentence for the person who started it."""


class TestbedError(Exception):
    """Something the person can mend: the message says what is wrong and what to do."""

    __test__ = False  # the name starts with Test, and pytest would collect it
