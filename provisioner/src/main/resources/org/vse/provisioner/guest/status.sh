# Prints what became of the job's script; follows runtime.sh: none, running, lost, or the runner's last record.
set -eu
# Prints the last record once all of it is there.
ended() {
    [ -e /run/vse/job/exit ] && read -r line < /run/vse/job/exit && printf '%s\n' "$line"
}
if ended; then
    exit 0
elif [ ! -e /run/vse/started ]; then
    echo none
else
    pid=''
    read -r pid < "$cgroup/vse.runner/cgroup.procs" || :
    [ -z "$pid" ] || { echo running; exit 0; }
    # The runner may have ended since the first look.
    ended || echo lost
fi
