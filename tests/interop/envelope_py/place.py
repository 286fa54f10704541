"""Paths and the default `field`: spec/job-v1.md, JOB-20 and JOB-30 on.

A path is a list of segments: a string is a member's name, ANY_MEMBER and
ANY_ELEMENT are the wildcards.
"""

import re

from .status import require

ANY_MEMBER = {"any": "member"}
ANY_ELEMENT = {"any": "element"}
_SEGMENT = re.compile(r"(\*|[^.*\[\0]+)((?:\[\*\])*)\Z")
_ROOT = re.compile(r"((?:\[\*\])+)(?:\.|\Z)")


def parse_path(dotted):
    """spec: JOB-20, the dotted form."""
    path = []
    root = _ROOT.match(dotted)
    if root:
        path += [ANY_ELEMENT] * root.group(1).count("*")
        if root.end() == len(dotted) and not dotted.endswith("."):
            return path
        dotted = dotted[root.end():]
    for part in dotted.split("."):
        match = _SEGMENT.match(part)
        require(match, "usage", "JOB-20: not a path")
        path.append(ANY_MEMBER if match.group(1) == "*" else match.group(1))
        path += [ANY_ELEMENT] * match.group(2).count("*")
    return path


def escape(component):
    """spec: JOB-33"""
    for number, letter in enumerate("~.*["):
        component = component.replace(letter, f"~{number}")
    return component


def put_into(path, into):
    """spec: JOB-21.  The path where the envelope lives."""
    if into is None:
        return path
    require(isinstance(path[-1], str), "usage", "JOB-21: ends in a wildcard")
    return path[:-1] + [into]


def field(components, path):
    """spec: JOB-31, JOB-32.  path: names, and ANY_ELEMENT."""
    out = ".".join(escape(component) for component in components)
    for segment in path:
        out += "[*]" if segment == ANY_ELEMENT else "." + escape(segment)
    return out
