#!/bin/bash
#PBS -N resume
#PBS -l nodes=1:ppn=2,walltime=00:00:45
#VSE image=debian-12 on-walltime=checkpoint
#VSE vms-per-node=2 vcpus=1 memory=256MiB
# Usage: resume.sh [COUNT]
# Counts to COUNT, about two numbers a second, for longer than its walltime. Each number goes to the second machine and back
# through one connection, to resume.log in the home directory, which stays open, and to standard output.

count=${1:-150}
coproc PEER { ssh vm1 cat; }
exec 3>>~/resume.log
for ((i = 1; i <= count; i++)); do
    echo "$i" >&"${PEER[1]}"
    read -r back <&"${PEER[0]}"
    if [[ $back != "$i" ]]; then
        echo "sent $i, got '$back'"
        exit 1
    fi
    echo "$i" >&3
    echo "$i"
    sleep 0.5
done
