#!/bin/bash
#PBS -N memory
#PBS -l nodes=1:ppn=1,walltime=00:05:00
#VSE image=debian-12
#VSE memory=256MiB
# What happens when a job needs more memory than it asked for: the machine's kernel kills the largest program with KILL,
# the shell says so and gives its exit code as 137. Only this machine is short of memory; the host and other jobs are not.

echo "of 256 MiB the kernel leaves $(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo) MiB"
# Keeps what it reads until a line ends, and no line ever does.
tail /dev/zero
code=$?
echo "tail ended with $code" >&2
exit "$code"
