# Runs the job's script to its end; follows runtime.sh. Arguments: the first nine of start.sh, then the interpreter and the
# devices of the ports for control, standard output and standard error.
#
# Writes to the control port "started PID" before the script begins and, when all its output has been handed to the
# machine, "exit CODE STDOUT STDERR" with the bytes of both streams; or "failed STEP" when that cannot be done. The last
# record is also in /run/vse/job/exit. The script is a foreground child: what a shell starts with & ignores SIGINT and
# SIGQUIT for ever.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
cd /
job=/run/vse/job
mode=$1 out='' err=''
exec 2> "$job/log"

record() {
    printf '%s\n' "$1" > "$job/exit"
    printf '%s\n' "$1" >&9
}

# Copies what is written to the pipe of $1 to standard output and leaves the number of bytes in $1.count.
relay() {
    if [ "$sh" = /usr/lib/vse/sh ]; then
        cat "$job/$1"
        # The kernel counts for a process what its ended children wrote (proc(5), /proc/pid/io).
        while read -r key bytes; do
            [ "$key" != wchar: ] || break
        done < /proc/self/io
        printf '%s\n' "$bytes" > "$job/$1.count"
    else
        # Any cat but the built-in one may write by ways that are not counted there; this one counts by itself.
        dd if="$job/$1" bs=65536 2> "$job/$1.dd"
        {
            read -r bytes
            read -r bytes
            read -r bytes key
        } < "$job/$1.dd"
        printf '%s\n' "$bytes" > "$job/$1.count"
    fi
}
step=control
trap 'record "failed $step"' EXIT
echo -1000 > /proc/self/oom_score_adj
exec 9> "${11}"

if [ "$mode" = batch ]; then
    step=ports
    exec 7> "${12}" 8> "${13}"
    relay stdout >&7 8>&- 9>&- &
    out=$!
    relay stderr >&8 7>&- 9>&- &
    err=$!
    exec 7>&- 8>&-
    # Until the script has ended a writer is there, whatever the script closes.
    exec 5> "$job/stdout" 6> "$job/stderr"
else
    step=terminal
    chown "$2" /dev/hvc0
fi

step=script
program setpriv
if [ "$4" = - ]; then
    groups=--clear-groups
else
    groups=--groups=$4
fi
set +e
(
    set -e
    read -r self rest < /proc/self/stat
    printf '%s\n' "$self" > "$job/pid"
    echo 0 > "$cgroup/vse.job/cgroup.procs"
    echo 0 > /proc/self/oom_score_adj
    printf 'started %s\n' "$self" >&9
    exec 9>&-
    if [ "$mode" = batch ]; then
        exec < /dev/null >&5 2>&6 5>&- 6>&-
        control=
    else
        # Not in the runner itself: a session leader that opens a terminal gets it as its own.
        exec <> /dev/hvc0 >&0 2>&0
        stty sane rows "$5" columns "$6"
        control=-c
    fi
    exec setsid $control "$program" --reuid="$2" --regid="$3" "$groups" --inh-caps=-all \
        "$sh" "$job/enter" "$7" "$8" "$9" "${10}"
)
code=$?
set -e

# Sets rest to the processes that the script left behind: those of its cgroup and those that can still write its output.
rest() {
    rest=''
    while read -r pid; do
        rest="$rest $pid"
    done < "$cgroup/vse.job/cgroup.procs"
    [ "$mode" = batch ] || return 0
    own=''
    while read -r pid; do
        own="$own $pid"
    done < "$cgroup/vse.runner/cgroup.procs"
    for fd in /proc/[0-9]*/fd/*; do
        if [ "$fd" -ef "$job/stdout" ] || [ "$fd" -ef "$job/stderr" ]; then
            pid=${fd#/proc/}
            pid=${pid%%/*}
            case "$own " in
                *" $pid "*) ;;
                *) rest="$rest $pid" ;;
            esac
        fi
    done
}
step=processes
rounds=0
rest
while [ -n "$rest" ]; do
    # Two seconds to end in peace, ten to be killed. A process may end between being seen and being signalled.
    if [ "$rounds" -eq 0 ]; then
        kill -s TERM $rest || :
        kill -s CONT $rest || :
        sleep 0.02
    elif [ "$rounds" -lt 20 ]; then
        sleep 0.1
    else
        kill -s KILL $rest || :
        sleep 0.1
    fi
    rounds=$((rounds + 1))
    [ "$rounds" -lt 120 ] || { echo "these cannot be ended:$rest" >&2; exit 1; }
    rest
done 2>> "$job/log"

# Sets bytes to what a relay wrote.
written() {
    read -r bytes < "$1"
    case $bytes in
        '' | *[!0-9]*) return 1 ;;
    esac
}
step=output
stdout=0 stderr=0
if [ "$mode" = batch ]; then
    exec 5>&- 6>&-
    wait "$out"
    wait "$err"
    written "$job/stdout.count"
    stdout=$bytes
    written "$job/stderr.count"
    stderr=$bytes
fi

# What the script wrote to shares leaves the guest before the end is told.
step=sync
while read -r source target type rest; do
    case $type in
        nfs* | 9p | virtiofs)
            case $target in
                *\\*) target=$(printf '%b' "$target") ;;
            esac
            # The user may have no right to open the root of a share; then everything is written.
            sync -f "$target" || sync
            ;;
    esac
done < /proc/self/mounts

step=end
record "exit $code $stdout $stderr"
trap - EXIT
