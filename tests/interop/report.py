"""Counting for the checks here: silent on success, one closing line."""


class Report:
    def __init__(self, quiet=False):
        self.quiet = quiet
        self.passed = self.failed = self.skipped = 0

    def equal(self, name, got, wanted):
        if got == wanted:
            self.passed += 1
            return
        self.failed += 1
        if self.quiet:
            return
        print(f"not ok - {name}: got {str(got)[:120]}, "
              f"wanted {str(wanted)[:120]}")

    def skip(self, reason):
        self.skipped += 1
        print(f"skip: {reason}")

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, "
              f"{self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0
