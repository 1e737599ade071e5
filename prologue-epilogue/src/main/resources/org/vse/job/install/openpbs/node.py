# OpenPBS' hook vse_node, on every node, by 'vse install'. The machines of a job with #VSE lines come up before its script and
# go after it; other jobs are left as they are. Where OpenPBS does not call the site's prologue and epilogue because there
# are hooks, this one does.

import errno
import os
import pwd
import re
import stat
import subprocess

import pbs

VSE = @VSE@
SYSTEM = ["--scheduler", "openpbs"]
RUN = "/run/vse/openpbs"
POLICY = "@POLICY@"
HOME = pbs.get_pbs_conf()["PBS_HOME"]
MOM = os.path.join(HOME, "mom_priv")
PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
DELETE = 1
# Exit codes of a job that ended with its machines saved: in order, and by its walltime meanwhile.
SAVED = (85, -29)
ATTRIBUTES = ("id", "run_count", "euser", "queue", "Job_Name", "hashname", "exec_host2", "Account_Name")


def mark(job):
    """Where it is noted that a job has machines, and in which of its runs."""
    return os.path.join(RUN, job.id.replace("/", "_"))


def note(job, what):
    """Notes beside the mark: 'started' when the script is about to start, 'deleted' when the job was deleted."""
    with open(mark(job) + "." + what, "w"):
        pass


def noted(job, what):
    return os.path.exists(mark(job) + "." + what)


def unmark(job):
    for name in (mark(job) + ".started", mark(job) + ".deleted", mark(job)):
        if os.path.exists(name):
            os.remove(name)


def marked_run(job):
    try:
        with open(mark(job)) as file:
            return file.read()
    except OSError:
        return None


def wants_machines(job):
    """Whether the script has a #VSE line in its header, or the queue's policy wants machines for every script."""
    try:
        with open(os.path.join(MOM, "jobs", job.hashname + ".SC"), errors="replace") as script:
            for line in script:
                if line.strip() and not line.lstrip().startswith("#"):
                    break
                if re.match(r"#VSE(?![!-~])", line):
                    return True
    except OSError:
        pass
    return job.Resource_List["vse_image"] is not None or requires(str(job.queue))


def requires(queue):
    try:
        with open(POLICY, encoding="utf-8", newline="\n") as policy:
            here = False
            for line in policy:
                if line.startswith("queue\t"):
                    here = line == "queue\t" + queue + "\n"
                elif here and line == "require\n":
                    return True
    except OSError:
        pass
    return False


def attributes(job):
    """The job, as 'vse hook' reads it."""
    values = {name: getattr(job, name) for name in ATTRIBUTES}
    values["Resource_List.walltime"] = job.Resource_List["walltime"]
    values["Resource_List.mem"] = job.Resource_List["mem"]
    values["Variable_List.PBS_O_WORKDIR"] = job.Variable_List["PBS_O_WORKDIR"]
    values["PBS_HOME"] = HOME
    return "".join("%s=%s\0" % (name, value) for name, value in values.items() if value is not None)


def vse(point, job, wait=True):
    """Calls 'vse hook'; its exit code, what it said and what it answered."""
    call = subprocess.Popen(
        VSE + ["hook", point] + SYSTEM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if wait else subprocess.DEVNULL,
        stderr=subprocess.PIPE if wait else subprocess.DEVNULL,
        env=PLAIN,
        # OpenPBS ends the process group of a hook with the hook.
        start_new_session=True,
    )
    if not wait:
        call.stdin.write(attributes(job).encode())
        call.stdin.close()
        return 0, "", ""
    answer, said = (text.decode(errors="replace") for text in call.communicate(attributes(job).encode()))
    if said:
        pbs.logmsg(pbs.LOG_WARNING, "vse %s of %s: %s" % (point, job.id, said))
    return call.returncode, said, answer


def others_have(event):
    """Whether a hook of the site's takes the event: then OpenPBS never called the site's program."""
    hooks = os.path.join(MOM, "hooks")
    for name in os.listdir(hooks) if os.path.isdir(hooks) else ():
        if name.endswith(".HK") and name != "vse_node.HK":
            with open(os.path.join(hooks, name), errors="replace") as file:
                text = file.read()
            if re.search(r"(?m)^event=.*\b%s\b" % event, text) and not re.search(r"(?mi)^enabled=(0|false)", text):
                return True
    return False


def sites(name, job, arguments):
    """Runs the site's prologue or epilogue as OpenPBS does; its exit code, 0 where there is none."""
    program = os.path.join(MOM, name)
    if not os.path.exists(program) or others_have("execjob_" + name):
        return 0
    state = os.stat(program)
    if state.st_uid != 0 or state.st_mode & 0o022 or state.st_mode & 0o500 != 0o500:
        pbs.logmsg(pbs.LOG_WARNING, "%s: not root's own and closed to others; not run" % program)
        return 255
    with open(os.path.join(MOM, "config"), errors="replace") as config:
        alarm = re.search(r"(?m)^\$prologalarm\s+([0-9]+)", config.read())
    try:
        with output(job, job.stdout_file()) as out, output(job, job.stderr_file()) as err:
            return subprocess.call(
                [program] + arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=PLAIN,
                timeout=int(alarm.group(1)) if alarm else 30,
            )
    except (subprocess.TimeoutExpired, OSError) as why:
        pbs.logmsg(pbs.LOG_WARNING, "%s of %s: %s" % (program, job.id, why))
        return 255


def output(job, path):
    """A file of the job's output, for appending. With 'qsub -k' the user chooses it, so it has to be theirs, and no link."""
    spooled = os.path.dirname(path) == os.path.join(HOME, "spool")
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | (os.O_CREAT if spooled else 0)
    file = os.open(path, flags, 0o600)
    state = os.fstat(file)
    owners = {os.geteuid()} if spooled else set()
    try:
        owners.add(pwd.getpwnam(str(job.euser)).pw_uid)
    except KeyError:
        pass  # who is unknown here owns nothing
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1 or state.st_uid not in owners:
        os.close(file)
        raise OSError(errno.EPERM, "not a file of the job's user", path)
    os.set_blocking(file, True)
    return os.fdopen(file, "ab")


def say(job, text):
    """Puts a message where the job's output goes."""
    try:
        with output(job, job.stderr_file()) as err:
            err.write(text.encode())
    except OSError as why:
        pbs.logmsg(pbs.LOG_WARNING, "vse: nothing could be said to the user of %s: %s" % (job.id, why))


def prologue(event, job):
    if not job.in_ms_mom():
        return
    machines = wants_machines(job)
    if machines and not job.interactive:
        # Before the site's own, which may take long: a deletion meanwhile looks for the mark.
        os.makedirs(RUN, exist_ok=True)
        unmark(job)
        with open(mark(job), "w") as file:
            file.write(str(job.run_count))
    code = sites("prologue", job, [job.id, str(job.euser), str(job.egroup)])
    if code:
        unmark(job)
        if code == DELETE:
            job.delete()
        event.reject("the site's prologue ended with %d" % code)
    if not machines:
        return
    if job.interactive:
        job.delete()
        event.reject("an interactive job has no script that a machine could run; submit a script with #VSE lines")
    code, said, _ = vse("prologue", job)
    if code == DELETE:
        say(job, said)
        job.delete()
    if code:
        event.reject("the machines of the job do not come up: " + " ".join(said.split()))


def preterm(event, job):
    if not has_machines(job):
        return
    # Who deletes a job does not want it back. OpenPBS forgets a deletion during the prologue.
    note(job, "deleted")
    if not noted(job, "started"):
        vse("epilogue", job, wait=False)


def launch(event, job):
    if event.env["PBS_TASKNUM"] == "1" and marked_run(job) == str(job.run_count):
        if noted(job, "deleted") and not noted(job, "started"):
            event.reject("the job was deleted during its prologue")
        note(job, "started")
        words = VSE + ["hook", "starter"] + SYSTEM + ["--", str(job.run_count)]
        event.progname = words[0]
        for word in words:
            event.argv.append(word)


def has_machines(job):
    """Also when vsed, which has ended them, has taken the mark away."""
    return marked_run(job) is not None or noted(job, "started")


def undo(job):
    """Ends what there is of the job's machines; whether the job is to start again, because they were saved."""
    code, _, answer = vse("epilogue", job)
    saved = answer == "saved\n"
    again = saved and job.Exit_status in SAVED and not noted(job, "deleted")
    if saved and not again:
        say(job, "vse: the VMs of job %s are saved; to go on, submit it with #VSE resume=%s\n" % (job.id, job.id))
    if code == 0:
        unmark(job)
    return again


def epilogue(event, job):
    if not job.in_ms_mom():
        return
    again = has_machines(job) and undo(job)
    listed = [",".join("%s=%s" % (n, r[n]) for n in r.keys()) for r in (job.Resource_List, job.resources_used)]
    sites(
        "epilogue",
        job,
        [job.id, str(job.euser), str(job.egroup), str(job.Job_Name), str(job.session_id)]
        + listed
        + [str(job.queue), str(job.Account_Name or "null"), str(job.Exit_status)],
    )
    if again:
        job.rerun()


def end(event, job):
    # What the epilogue was not called for. Nothing else goes on in the mom meanwhile, so this is not waited for.
    if has_machines(job):
        vse("epilogue", job, wait=False)
        unmark(job)


def main():
    event = pbs.event()
    {
        pbs.EXECJOB_PROLOGUE: prologue,
        pbs.EXECJOB_PRETERM: preterm,
        pbs.EXECJOB_LAUNCH: launch,
        pbs.EXECJOB_EPILOGUE: epilogue,
        pbs.EXECJOB_END: end,
    }[event.type](event, event.job)


main()
