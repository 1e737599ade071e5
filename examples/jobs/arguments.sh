#!/bin/bash
#PBS -N arguments
#PBS -l nodes=1:ppn=1,walltime=00:05:00
#VSE image=debian-12
# Usage: arguments.sh CODE [ARGUMENT…]
# Prints its arguments, one a line, each as it arrived, and ends with the exit code CODE.

code=${1:-0}
if [[ ! $code =~ ^[0-9]+$ ]] || ((code > 255)); then
    echo "the first argument is an exit code from 0 to 255, not '$code'" >&2
    exit 2
fi
number=0
for argument in "$@"; do
    number=$((number + 1))
    printf '%2d: [%s]\n' "$number" "$argument"
done
exit "$code"
