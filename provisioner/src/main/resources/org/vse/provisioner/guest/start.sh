# Delivers the job's script and starts its runner; follows runtime.sh and ports.sh. Returns when the runner is on its own:
# in its own session and its own cgroup, so that neither the agent's death nor its restart by a service manager ends it.
#
# Arguments: batch|terminal, uid, gid, groups or -, rows, columns, name, directory, umask, shell, interpreter; text of
# runner.sh and of enter.sh; the number of the script's variables, these, the script's arguments. Standard input: the
# script. Exit code 75: a script was already started here; nothing was changed.
#
# Starting a program costs more than all the rest here, so few are started.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
cd /
job=/run/vse/job
if [ -e /run/vse/started ]; then
    exit 75
fi
runtime
for tool in env dd cat mkfifo sync; do
    command -v "$tool" > /dev/null || { echo "the image has no program '$tool'" >&2; exit 1; }
done
program setpriv
if [ "$sh" = /usr/lib/vse/sh ]; then
    detach="start-stop-daemon -S -b -p $job/none -a $sh --"
else
    program setsid
    detach="$program -f $sh"
fi
ports
[ -n "$control" ] || { echo 'the machine has no port org.vse.control' >&2; exit 1; }
if [ "$1" = batch ]; then
    [ -n "$stdout" ] && [ -n "$stderr" ] || { echo 'the machine lacks port org.vse.stdout or org.vse.stderr' >&2; exit 1; }
elif [ ! -c /dev/hvc0 ]; then
    echo 'the machine has no terminal /dev/hvc0' >&2
    exit 1
fi
echo 0 > "$cgroup/vse.runner/cgroup.procs"
# Nobody else's: what is in here needs no rights of its own.
mkdir -p "$job/script"
chmod 0750 "$job" "$job/script"
chown "0:$3" "$job" "$job/script"
if [ -n "$7" ]; then
    cat > "$job/script/$7"
    chmod 0555 "$job/script/$7"
fi
[ -p "$job/stdout" ] || mkfifo -m 0666 "$job/stdout" "$job/stderr"
printf '%s' "${12}" > "$job/runner"
printf '%s' "${13}" > "$job/enter"
mode=$1 uid=$2 gid=$3 groups=$4 rows=$5 columns=$6 name=$7 directory=$8 mask=$9 shell=${10} interpreter=${11}
variables=${14}
shift 14
# What enter.sh becomes: variables, then the command, for env(1). Each entry ends with byte 0xFF, which UTF-8 never
# contains (RFC 3629, section 1).
{
    while [ "$variables" -gt 0 ]; do
        printf '%s\377' "$1"
        shift
        variables=$((variables - 1))
    done
    if [ -z "$interpreter" ]; then
        for shell in "$shell" /bin/bash /bin/sh; do
            [ ! -x "$shell" ] || break
        done
        printf '%s\377' "$shell"
    fi
    if [ -n "$name" ]; then
        printf '%s\377' "$job/script/$name"
    else
        printf '%s\377' -l
    fi
    [ $# -eq 0 ] || printf '%s\377' "$@"
} > "$job/launch"
# The one atomic step: whoever makes this file starts the script.
set -C
: 2> /dev/null > /run/vse/started || exit 75
set +C
exec $detach "$job/runner" "$mode" "$uid" "$gid" "$groups" "$rows" "$columns" "$name" "$directory" "$mask" \
    "$interpreter" "$control" "$stdout" "$stderr" < /dev/null > /dev/null 2>&1
