#!/bin/sh
# Every verb of the command table has a manual page, every option that a verb
# takes is in it, and no page speaks of an option that its verb does not take.
python3 - <<'P'
import glob
import re
import sys

bad = []
specs = open("cli/options.c").read()
names = dict(re.findall(r'\[(OPT_\w+)\] = \{\s*"([a-z-]+)"', specs))
common = re.search(r"every verb takes these \*/(.*?)OPT_COMMON_END",
                   open("cli/options.h").read(), re.S)[1]
common = {names[i] for i in re.findall(r"OPT_\w+", common)}
listed = re.search(r"commands\[\] = \{(.*?)\};", open("cli/command.c").read(),
                   re.S)[1]
listed = set(re.findall(r"&(cmd_\w+)", listed))
pages, verbs = {}, {}
for path in glob.glob("cli/cmd_*.c"):
    text = open(path).read()
    lists = {name: [names[i] for i in re.findall(r"OPT_\w+", body)
                    if i != "OPT_END"]
             for name, body in re.findall(
                 r"enum option_id (\w+)\[\] = \{(.*?)\};", text, re.S)}
    for symbol, body in re.findall(
            r"const struct command (cmd_\w+) = \{(.*?)\n\};", text, re.S):
        if symbol not in listed:
            bad.append("%s: %s is not in the command table" % (path, symbol))
            continue
        verb = re.search(r'\.name = "([a-z -]+)"', body)[1]
        taken = re.search(r"\.options = (\w+)", body)
        options = lists.get(taken[1], []) if taken else []
        verbs.setdefault(verb.split()[0], set()).update(options)
for verb, options in sorted(verbs.items()):
    path = "docs/man/envelope-%s.1" % verb
    try:
        page = open(path).read()
    except FileNotFoundError:
        bad.append("%s is missing" % path)
        continue
    there = set(re.findall(r"^\.It (?:Fl \w , )?Fl \\-([a-z-]+)", page, re.M))
    for name in sorted(options - there):
        bad.append("%s: --%s is missing" % (path, name))
    for name in sorted(there - options):
        bad.append("%s: `%s` takes no --%s" % (path, verb, name))
main = open("docs/man/envelope.1").read()
there = set(re.findall(r"^\.It (?:Fl \w , )?Fl \\-([a-z-]+)", main, re.M))
for name in sorted(common ^ there):
    bad.append("docs/man/envelope.1: --%s" % name)
for verb in sorted(verbs):
    if ".Xr envelope-%s 1" % verb not in main:
        bad.append("docs/man/envelope.1: %s is missing" % verb)
if len(verbs) < 15 or len(names) < 20:
    bad.append("the tables were not found")
print("\n".join(bad))
sys.exit(bool(bad))
P
