

# TORQUE's SUBMITFILTER, by 'vse install': the script comes on standard input and goes to standard output. A filter of the
# site's comes before it. Who gets around it meets the node.

import getopt
import grp
import os
import pwd
import subprocess
import sys

SITE = @SITE@
ADMINISTRATIVELY_REJECTED = 255
OPTIONS = "a:A:b:c:C:d:D:e:EfF:hiIj:J:k:K:l:L:m:M:nN:o:p:P:q:r:S:t:T:u:v:Vw:W:xXz"


def asked(words, script):
    """The options of the command line and, where they are not there, those of the script's #PBS lines."""
    options = []
    for line in script.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        if line.startswith("#PBS"):
            options += parsed(line[4:].split())
    # The command line comes last, so it counts.
    return options + parsed(words)


def parsed(words):
    try:
        return getopt.gnu_getopt(words, OPTIONS)[0]
    except getopt.GetoptError:
        # What is wrong with it qsub says.
        return []


def default_queue():
    answer = subprocess.run(
        ["qmgr", "-c", "print server default_queue"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return answer.stdout.decode(errors="replace").rpartition("default_queue = ")[2].split("\n")[0].strip()


def with_cores(script, options):
    """The script with a line that asks for the cores of its machines where it asks for none."""
    cores = cores_of(script)
    resources = ",".join(value for option, value in options if option == "-l")
    if not cores or any(word in resources for word in ("nodes", "procs", "ncpus")) or any(o == "-L" for o, _ in options):
        return script
    lines = script.split("\n")
    at = next((n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), len(lines))
    return "\n".join(lines[:at] + ["#PBS -l nodes=1:ppn=%d" % cores] + lines[at:])


def group_names():
    """The user's groups. One without a name is in no rule of a policy."""
    for group in set(os.getgroups() + [os.getgid()]):
        try:
            yield grp.getgrgid(group).gr_name
        except KeyError:
            continue


def main():
    text = sys.stdin.buffer.read()
    if SITE:
        site = subprocess.run(SITE + sys.argv[1:], input=text, stdout=subprocess.PIPE, check=False)
        if site.returncode != 0:
            return site.returncode if site.returncode > 0 else 1
        text = site.stdout
    script = text.decode("utf-8", "surrogateescape")
    options = asked(sys.argv[1:], script)
    queue = ([""] + [value for option, value in options if option == "-q"])[-1].split("@")[0]
    if not queue and (next(header(script), None) or os.path.exists(POLICY)):
        queue = default_queue()
    user = pwd.getpwuid(os.getuid()).pw_name
    groups = list(group_names())
    file = next((word for word in sys.argv[1:] if os.path.isfile(word)), "STDIN")
    refusal = refusal_of(script, queue, user, os.path.basename(file), groups)
    if refusal:
        print(refusal, file=sys.stderr)
        return ADMINISTRATIVELY_REJECTED
    if next(header(script), None):
        text = with_cores(script, options).encode("utf-8", "surrogateescape")
    sys.stdout.buffer.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
