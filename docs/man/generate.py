#!/usr/bin/env python3
"""Write the manual pages from what the command says of itself.

    docs/man/generate.py build/release/envelope

One mdoc page a verb, and envelope.1.  tests/lint/man_matches.sh checks that no
option is missing.
"""
import pathlib
import re
import subprocess
import sys

ENVELOPE = sys.argv[1]
HERE = pathlib.Path(__file__).parent
DATE = "November 22, 2026"


def run(*args):
    return subprocess.run([ENVELOPE, *args], check=True, text=True,
                          capture_output=True).stdout


def esc(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(re.sub(r"^([.'])", r"\\&\1", line)
                     for line in text.split("\n"))


def plain(text):
    """Running text: no line may begin with a control character."""
    return "\n".join(re.sub(r"^([.'])", r"\\&\1", line.replace("\\", "\\e"))
                     for line in text.split("\n"))


class Help:
    """--help, taken apart."""

    def __init__(self, verb):
        text = run(*verb.split(), "--help")
        lines = text.rstrip("\n").split("\n")
        self.verb = verb
        self.usage = lines[0].removeprefix("usage: envelope ")
        self.operands = self.usage.removeprefix(verb).replace(
            " [OPTION]...", "").replace(" COMMAND", "").strip()
        self.body, self.options, self.examples, self.parts = [], [], [], []
        where = "body"
        for line in lines[2:]:
            if line in ("options:", "options of every command:", "examples:"):
                where = line
            elif where == "body" and re.match(r"  %s \S" % verb, line):
                self.parts.append(line.split()[1])
            elif where == "body" and line.startswith("`envelope " + verb +
                                                     " COMMAND"):
                continue
            elif where == "body":
                self.body.append(line)
            elif where == "options:" and line.strip():
                self.add_option(line)
            elif where == "examples:":
                self.examples.append(line.strip())

    def add_option(self, line):
        m = re.match(r"  (?:-(\w), |    )--([a-z-]+)(?: (\S+))?\s+(.*)", line)
        if m:
            self.options.append([m[1], m[2], m[3], m[4]])
        else:
            self.options[-1][3] += " " + line.strip()

    def text(self):
        paragraphs = "\n".join(self.body).strip().split("\n\n")
        out = []
        for p in paragraphs:
            if p.startswith("  "):
                out.append(".Bd -literal -offset indent\n%s\n.Ed"
                           % esc("\n".join(l[2:] for l in p.split("\n"))))
            else:
                out.append(plain(p))
        return "\n.Pp\n".join(out).replace(".Pp\n.Bd", ".Bd")


def option_items(options):
    out = [".Bl -tag -width Ds"]
    for letter, name, arg, text in options:
        flags = (("Fl %s , " % letter) if letter else "") + "Fl \\-" + name
        out.append(".It %s%s" % (flags, (" Ar " + arg) if arg else ""))
        out.append(plain(text[0].upper() + text[1:] + "."))
    return "\n".join(out + [".El"])


def synopsis(help_):
    out = [".Nm envelope", ".Cm " + help_.verb]
    for letter, name, arg, _ in help_.options:
        out.append(".Op Fl \\-%s%s" % (name, (" Ar " + arg) if arg else ""))
    for word in help_.operands.split():
        if word.startswith("["):
            out.append(".Op Ar %s" % word.strip("[]."))
            if word.endswith("..."):
                out[-1] += " ..."
        elif word not in ("|", "TOPIC]"):
            out.append(".Ar " + word)
    return "\n".join(out)


def examples(lines):
    return ".Bd -literal -offset indent\n%s\n.Ed" % esc("\n".join(lines))


def head(name, summary):
    return (".\\\" Written by docs/man/generate.py from the command itself.\n"
            ".Dd %s\n.Dt %s 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s"
            % (DATE, name.upper(), name, summary))


def page(verb, summary):
    help_ = Help(verb)
    name = "envelope-" + verb
    out = [head(name, summary), ".Sh SYNOPSIS"]
    parts = [Help("%s %s" % (verb, p)) for p in help_.parts]
    for part in parts or [help_]:
        out.append(synopsis(part))
    out += [".Sh DESCRIPTION", help_.text()]
    if parts:
        for part in parts:
            out.append(".Ss envelope %s" % part.verb)
            out.append(part.text())
            if part.options:
                out += [".Pp", option_items(part.options)]
    elif help_.options:
        out += [".Sh OPTIONS", option_items(help_.options)]
    out += [".Pp", "The options of every command are in\n.Xr envelope 1 ."]
    every = [e for h in (parts or [help_]) for e in h.examples]
    out += [".Sh EXIT STATUS", "0 on success; the others are in\n"
            ".Xr envelope 1 .", ".Sh EXAMPLES", examples(every),
            ".Sh SEE ALSO", ".Xr envelope 1"]
    (HERE / (name + ".1")).write_text("\n".join(out) + "\n")


def table(topic):
    return ".Bd -literal\n%s\n.Ed" % esc(run("help", topic).rstrip("\n"))


def main():
    verbs = re.findall(r"^  ([a-z]+)  +(.+)$", run("help"), re.M)
    for verb, summary in verbs:
        page(verb, summary)
    common = Help("key list")
    lines = run("key", "list", "--help").split(
        "options of every command:\n")[1].split("\n\nexamples:")[0]
    common.options = []
    for line in lines.split("\n"):
        common.add_option(line)
    out = [head("envelope", "seal secrets into envelopes bound to their "
                "place, and rotate their keys"),
           ".Sh SYNOPSIS", ".Nm envelope\n.Ar command\n.Op Ar option ...\n"
           ".Op Ar argument ...", ".Sh DESCRIPTION",
           "Each command has a page of its own.", ".Bl -tag -width Ds"]
    for verb, summary in verbs:
        out += [".It Xr envelope-%s 1" % verb,
                plain(summary[0].upper() + summary[1:] + ".")]
    out += [".El", ".Sh OPTIONS", "Every command takes these.",
            option_items(common.options)]
    for title, topic in (("CONTEXT", "context"), ("FORMATS", "formats"),
                         ("ENVIRONMENT", "environment"), ("FILES", "files"),
                         ("EXIT STATUS", "exit-codes")):
        out += [".Sh " + title, table(topic)]
    out += [".Sh SEE ALSO"] + [".Xr envelope-%s 1%s" % (v, " ," if v !=
                               verbs[-1][0] else "") for v, _ in verbs]
    (HERE / "envelope.1").write_text("\n".join(out) + "\n")


main()
