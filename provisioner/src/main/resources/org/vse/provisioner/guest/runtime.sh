# The shell that runs these scripts: the image's fast one, in which most programs are built in, or the ordinary one.
sh=/usr/lib/vse/sh
[ -x "$sh" ] || sh=/bin/sh

# Sets program to the file of program $1, past a shell that has a smaller one of that name built in.
program() {
    for program in /usr/sbin/"$1" /usr/bin/"$1" /sbin/"$1" /bin/"$1"; do
        [ ! -x "$program" ] || return 0
    done
    echo "the image has no program '$1'" >&2
    exit 1
}

# Where the job's processes are kept together: the cgroup v2 tree of the guest, or our own mount of it.
cgroup=/sys/fs/cgroup
[ -e "$cgroup/cgroup.controllers" ] || cgroup=/run/vse/cgroup

# Makes /run/vse: ours, in memory, and without the noexec that many distributions put on /run.
runtime() {
    [ ! -e /run/vse/.ready ] || return 0
    mkdir -p /run/vse
    mount -t tmpfs -o mode=0755,nosuid,nodev,size=64m vse /run/vse
    if [ "$cgroup" = /run/vse/cgroup ]; then
        mkdir "$cgroup"
        mount -t cgroup2 -o nosuid,nodev,noexec vse "$cgroup"
    fi
    mkdir -p "$cgroup/vse.runner" "$cgroup/vse.job"
    : > /run/vse/.ready
}
