#!/bin/bash
#PBS -N hello
#PBS -l nodes=1:ppn=1,walltime=00:05:00
#VSE image=debian-12
# Where am I? Not on the host: the kernel and its boot id are the guest's.

show() {
    printf '%-9s: %s\n' "$1" "$2"
}

show kernel "$(uname -sr)"
show 'boot id' "$(cat /proc/sys/kernel/random/boot_id)"
show hostname "$(uname -n)"
show user "$(id -un) ($(id -u):$(id -g))"
show cores "$(nproc)"
show directory "$PWD"
show job "${VSE_JOB_ID:-none}"
show image "${VSE_IMAGE:-none}"
