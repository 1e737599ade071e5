#!/bin/bash
#PBS -N signals
#PBS -l nodes=1:ppn=1,walltime=00:10:00
#VSE image=debian-12
# Usage: signals.sh [SECONDS]
# Waits and says which signals arrive. Ctrl-C in 'vse run' is INT; 'vse job cancel' is TERM, on which it ends with 143.

seconds=${1:-60}
for signal in INT HUP USR1 USR2; do
    # shellcheck disable=SC2064 # the name is meant to be fixed now
    trap "echo 'got $signal'" "$signal"
done
trap 'echo "got TERM, ending"; exit 143' TERM

echo "waiting $seconds s for signals, pid $$"
end=$((SECONDS + seconds))
while ((SECONDS < end)); do
    # A trap runs when the shell waits, not while a program in the foreground runs.
    sleep 1 &
    wait $! || true
done
echo 'no more waiting'
