"""How every function here reports failure."""


class Failure(Exception):
    """A status of ENV-1.1 (or `integrity` of KEY), and a reason for people."""

    def __init__(self, status, reason):
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


def require(condition, status, reason):
    if not condition:
        raise Failure(status, reason)
