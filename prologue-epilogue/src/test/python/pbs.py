"""Stands in for OpenPBS' module pbs: an event from a recording, by the files that EVENT and CONFIG name."""

import json
import os
import sys

QUEUEJOB, MODIFYJOB, EXECJOB_PROLOGUE, EXECJOB_LAUNCH, EXECJOB_EPILOGUE, EXECJOB_END, EXECJOB_PRETERM = range(7)
LOG_WARNING = 4
_TYPES = {
    "queuejob": QUEUEJOB,
    "modifyjob": MODIFYJOB,
    "execjob_prologue": EXECJOB_PROLOGUE,
    "execjob_launch": EXECJOB_LAUNCH,
    "execjob_epilogue": EXECJOB_EPILOGUE,
    "execjob_end": EXECJOB_END,
    "execjob_preterm": EXECJOB_PRETERM,
}


class _Values(dict):
    def __missing__(self, name):
        return None


class _Job:
    def __init__(self, attributes, methods):
        self.__dict__.update(attributes)
        self._methods = methods
        for name in ("Resource_List", "Variable_List", "resources_used"):
            setattr(self, name, _Values(attributes.get(name, {})))

    def __getattr__(self, name):
        return None

    def in_ms_mom(self):
        return self._methods["in_ms_mom"] == "True"

    def stdout_file(self):
        return os.environ["OUT"]

    stderr_file = stdout_file

    def delete(self):
        print("delete")

    def rerun(self):
        print("rerun")


class _Server:
    default_queue = "batch"


class _Event:
    def __init__(self, recorded):
        self.type = _TYPES[recorded["event"]]
        self.requestor = recorded.get("requestor")
        self.job = _Job(recorded["job"], recorded["job_methods"])
        self.job_o = _Job(recorded.get("job_o", {}), recorded["job_methods"])
        env = recorded.get("env", "")
        self.env = dict(pair.partition("=")[::2] for pair in env.split(",")) if env else {}
        self.progname = None
        self.argv = []

    def reject(self, text):
        print("reject " + text)
        sys.exit(0)


_event = None


def event():
    global _event
    if _event is None:
        with open(os.environ["EVENT"]) as file:
            _event = _Event(json.load(file))
    return _event


def server():
    return _Server()


def get_pbs_conf():
    return {"PBS_HOME": os.environ["HOME_OF_PBS"]}


def logmsg(level, text):
    print("log " + text)
