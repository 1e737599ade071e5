"""python3 corpus.py GATE POLICY CASES: prints the cases whose answer is another one, then their number."""

import re
import runpy
import sys


def plain(text):
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n", "\\": "\\"}.get(m.group(1), m.group(0)), text)


gate = runpy.run_path(sys.argv[1], run_name="gate")
policy = gate["read_policy"](sys.argv[2])
run = wrong = 0
with open(sys.argv[3], encoding="utf-8", newline="\n") as cases:
    for line in cases:
        if line.startswith("#"):
            continue
        name, queue, user, groups, nodes, script, expected = map(plain, line.rstrip("\n").split("\t"))
        found = gate["judge"](
            policy,
            script,
            queue,
            user,
            "job.sh",
            [group for group in groups.split(",") if group],
            None if nodes == "-" else int(nodes),
        )
        run += 1
        if (found or "-") != expected:
            wrong += 1
            print("%s:\nexpected %s\nfound    %s" % (name, expected, found))
print("%d cases, %d wrong" % (run, wrong))
sys.exit(0 if run and not wrong else 1)
