"""Run the project's own vectors."""


def run_all(report):
    report.skip("spec/vectors is not there yet")
