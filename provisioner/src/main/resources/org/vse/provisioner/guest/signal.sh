# Sends signal $1 to every process of the job's script; follows runtime.sh. Prints how many there were.
set -eu
count=0 rounds=0
[ -e "$cgroup/vse.job/cgroup.procs" ] || { echo 0; exit 0; }
while :; do
    pids=''
    while read -r pid; do
        pids="$pids $pid" count=$((count + 1))
    done < "$cgroup/vse.job/cgroup.procs"
    [ -n "$pids" ] || break
    # A process may end between being seen and being signalled.
    kill -s "$1" $pids 2> /dev/null || :
    rounds=$((rounds + 1))
    # A process may fork while it is being killed.
    [ "$1" = KILL ] && [ "$rounds" -lt 50 ] || break
done
echo "$count"
