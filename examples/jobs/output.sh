#!/bin/bash
#PBS -N output
#PBS -l nodes=1:ppn=1,walltime=00:10:00
#VSE image=debian-12
# Usage: output.sh [MIB]
# Writes MIB (16) mebibytes to standard output and a line for each to standard error. The last line of standard error is
# the checksum of what standard output must be.

mib=${1:-16}
chunk=$(mktemp)
trap 'rm -f "$chunk"' EXIT
for ((line = 0; line < 8192; line++)); do
    printf '%0127d\n' "$line"
done >"$chunk"
all() {
    local n
    for ((n = 1; n <= mib; n++)); do
        cat "$chunk"
        if [[ $1 == loud ]]; then
            echo "$n of $mib MiB written" >&2
        fi
    done
}
all loud
printf 'sha256 %s\n' "$(all quiet | sha256sum | cut -d' ' -f1)" >&2
