

# OpenPBS' hook vse_gate, in the server, by 'vse install'. A server cannot see scripts: the qsub of 'vse install' sends the
# #VSE lines along as resources. Who gets around it meets the node. Nothing here waits or starts a program.

import base64

import pbs

IMAGE = "vse_image"
LINES = "vse_lines"
SIZED = ("select", "ncpus", "nodes", "mpiprocs", "nodect")


def sent_lines(resources):
    """The header of the script, as qsub sent it; empty where it sent none."""
    text = str(resources[LINES] or "")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")


def queue_of(event):
    name = str(event.job.queue or "").split("@")[0]
    return name or str(pbs.server().default_queue or "")


def submitted(event):
    job = event.job
    try:
        script = sent_lines(job.Resource_List)
    except ValueError:
        event.reject("vse: '%s' is set by qsub, from the #VSE lines of a script" % LINES)
    if job.Resource_List[IMAGE] is not None and not script:
        event.reject("vse: '%s' is set by qsub, from the #VSE lines of a script" % IMAGE)
    queue = queue_of(event)
    if job.interactive:
        if script or requires(queue):
            event.reject("vse: an interactive job has no script that a machine could run; submit a script with #VSE lines")
        return
    refusal = refusal_of(script, queue, str(event.requestor), str(job.Job_Name or "job script"))
    if refusal:
        event.reject(refusal)
    cores = cores_of(script)
    if cores and all(job.Resource_List[name] is None for name in SIZED):
        job.Resource_List["ncpus"] = cores


def requires(queue):
    try:
        return read_policy(POLICY)["queues"].get(queue, {}).get("require", False)
    except (OSError, ValueError):
        return False


def altered(event):
    for name in (IMAGE, LINES):
        if event.job.Resource_List[name] != event.job_o.Resource_List[name]:
            if event.job.Resource_List[name] is not None:
                event.reject("vse: '%s' comes from the script and stays; submit the job again" % name)


def main():
    event = pbs.event()
    if event.type == pbs.QUEUEJOB:
        submitted(event)
    else:
        altered(event)


main()
