"""python3 event.py HOOK: runs a hook of OpenPBS on the event of EVENT and prints what becomes of the job."""

import runpy
import sys

import pbs

runpy.run_path(sys.argv[1])
event = pbs.event()
if event.progname is not None:
    print("starts " + " ".join([event.progname] + event.argv[1:]))
print("accept" + "".join(" %s=%s" % pair for pair in sorted(event.job.Resource_List.items())))
