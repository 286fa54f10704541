"""Scenarios register themselves here."""

SCENARIOS = {}


class Scenario:
    def __init__(self, function, rows, stores, weight, check, slow):
        self.name, self.function = function.__name__, function
        self.rows, self.stores, self.weight = rows, stores, weight
        self.check, self.slow = check, slow
        self.text = " ".join((function.__doc__ or "").split())


def scenario(*rows, stores=("postgres", "sqlite"), weight=4, check=1,
             slow=False):
    """ROWS of the matrix that it shows.  WEIGHT: how often seeds choose it.
    CHECK: how many times `make check` runs it on each store.  SLOW: only
    where there is time."""
    def register(function):
        SCENARIOS[function.__name__] = Scenario(function, rows, stores,
                                                weight, check, slow)
        return function
    return register
