#!/bin/bash
# A cluster on one host: a batch system's own daemons from Debian's packages, each node with a network, a host name, /run,
# /etc/hosts, /var/lib/vse and vsed of its own, all in one process namespace, so that the end of its first process is the
# end of everything. Nothing of the host is changed: users and configuration are mounted over in the cluster only.
#
# Usage: cluster.sh up SCHEDULER DIRECTORY VSE IMAGES  as root; DIRECTORY does not exist and has a short path
#        cluster.sh run DIRECTORY HOST USER COMMAND…  HOST: head or a node
#        cluster.sh down DIRECTORY
#
# SCHEDULER is slurm, gridengine, openpbs or torque. SCHEDULER.sh beside this file has what is its own:
#   places                    directories of the host over which the cluster has its own; with /etc, whoever replaces a file
#                             there on the host meanwhile, as useradd does, takes nothing from the cluster
#   configure DIRECTORY       makes its configuration, on the head, before 'vse install'
#   start_head DIRECTORY      starts its daemons on the head, after it
#   start_node DIRECTORY NODE starts its daemons on a node
#   all_idle                  whether every node takes jobs
# and may set 'nodes', and PATH, which users then have.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
nodes=(n1 n2 n3)
# shellcheck disable=SC2034 # of what is taken in
cores=${CLUSTER_CORES:-2}
self=$(readlink -f -- "${BASH_SOURCE[0]}")

fail() {
    printf 'cluster: %s\n' "$*" >&2
    exit 1
}

# Prints the start time of a process, which with its id says which process it is (proc(5)).
started() { # PID
    local stat
    stat=$(<"/proc/$1/stat") || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    printf '%s' "${20}"
}

# Prints the first child of a process; fails when it has none.
child() { # PID
    local children
    children=$(<"/proc/$1/task/$1/children")
    [[ -n $children ]] && printf '%s' "${children%% *}"
}

await() { # SECONDS WHAT COMMAND…
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "$what: not within the time"
        read -rt 0.2 <> <(:) || :
    done
}

# Takes in what a batch system has of its own.
load() { # SCHEDULER
    case $1 in
        slurm | gridengine | openpbs | torque) ;;
        *) fail "there is no rig for '$1'" ;;
    esac
    # shellcheck source=test/src/cluster/slurm.sh
    . "${self%/*}/$1.sh"
}

up() { # SCHEDULER DIRECTORY VSE IMAGES
    local scheduler=$1 dir=$2
    load "$scheduler"
    mkdir "$dir"
    chmod 755 "$dir"
    printf '%s\n' "$3" >"$dir/vse"
    printf '%s\n' "$PATH" >"$dir/path"
    mkdir -p "$dir"/{home,log,etc/vse,run-head}
    chmod 755 "$dir"/{home,log,etc,run-head}
    local path
    : >"$dir/made"
    for path in "${places[@]}"; do
        mkdir -p "$dir/over$path"
    done
    for path in "${places[@]}" /etc/vse /var/lib/vse; do
        if [[ ! -d $path ]]; then
            mkdir -p "$path"
            printf '%s\n' "$path" >>"$dir/made"
        fi
    done
    unshare --mount --pid --net --uts --fork --kill-child \
        "$self" inside "$scheduler" "$dir" "$3" "$4" </dev/null >"$dir/log/cluster" 2>&1 3>&- 9>&- &
    outer=$!
    # A cluster that does not come up does not stay.
    trap 'kill -KILL "$outer"' EXIT
    local first
    await 10 "the cluster's first process" child "$outer"
    first=$(child "$outer")
    printf '%s %s\n' "$first" "$(started "$first")" >"$dir/first"
    disown "$outer"
    local end=$((SECONDS + 300))
    until [[ -e $dir/ready ]]; do
        if ((SECONDS > end)) || [[ ! -d /proc/$first ]]; then
            cat "$dir/log/cluster" >&2
            fail "the cluster did not come up, logs: $dir/log"
        fi
        read -rt 0.2 <> <(:) || :
    done
    trap - EXIT
}

# The first process of the cluster: sets everything up, then waits for the end and reaps.
inside() { # SCHEDULER DIRECTORY VSE IMAGES
    local scheduler=$1 dir=$2 vse=$3 images=$4 i node path peers=
    load "$scheduler"
    mount --make-rprivate /
    mount -t proc proc /proc
    hostname head
    users "$dir"
    mount --bind "$dir/home" /home
    mount --bind "$dir/run-head" /run
    for path in "${places[@]}"; do
        cp -a "$path/." "$dir/over$path"
        mount --bind "$dir/over$path" "$path"
    done
    mount --bind "$dir/etc/vse" /etc/vse
    ip link set lo up
    ip link add br0 type bridge
    ip addr add 10.99.0.1/24 dev br0
    ip link set br0 up
    {
        printf '127.0.0.1 localhost\n10.99.0.1 head\n'
        for i in "${!nodes[@]}"; do printf '10.99.0.%d %s\n' $((i + 11)) "${nodes[i]}"; done
    } >"$dir/etc/hosts"
    mount --bind "$dir/etc/hosts" /etc/hosts
    for i in "${!nodes[@]}"; do peers+=" ${nodes[i]}=10.99.0.$((i + 11))"; done
    configure "$dir"
    "$vse" install --scheduler "$scheduler"
    cat >/etc/vse/policy.yaml <<'POLICY'
queues:
  batch:
    images: { allow: ["debian-12*"] }
  vms:
    extends: batch
    require: true
    defaults: { image: debian-12 }
POLICY
    "$vse" policy compile --output /etc/vse/policy.gate
    "$vse" certs init --authority "$dir/authority" --site rig
    "$vse" certs issue --authority "$dir/authority" --out "$dir/certs" "${nodes[@]}"
    start_head "$dir"
    for i in "${!nodes[@]}"; do
        node=${nodes[i]}
        mkdir -p "$dir/$node"/{run,state,spool,vse}
        chmod 755 "$dir/$node" "$dir/$node"/{run,state,vse}
        printf '%s\n' "node: $node" 'accelerator: tcg' "peer-listen: 10.99.0.$((i + 11))" 'node-lease: 8s' "peers:$peers" "head: ${nodes[0]}" \
            "checkpoints: $dir/checkpoints" "checkpoint-key: $dir/checkpoint.key" \
            >"$dir/$node/vse/vsed.yaml"
        cp -a "$dir/certs/$node" "$dir/$node/vse/certs"
        unshare --mount --net --uts "$self" node "$scheduler" "$dir" "$node" "$vse" "$images" >"$dir/log/$node" 2>&1 &
        local holder=$!
        printf '%s' "$holder" >"$dir/$node/pid"
        await 10 "the network of $node" test -s "$dir/$node/net"
        ip link add "v-$node" type veth peer name eth0 netns "$holder"
        ip link set "v-$node" master br0 up
        printf 'linked\n' >"$dir/$node/link"
    done
    for node in "${nodes[@]}"; do
        await 150 "$node" test -e "$dir/$node/up"
    done
    await 30 'idle nodes' all_idle
    : >"$dir/ready"
    while :; do sleep infinity; done
}

# Two users of the cluster's own beside those of the host.
users() { # DIRECTORY
    local dir=$1 name id
    for name in passwd group; do cp "/etc/$name" "$dir/etc/$name"; done
    for name in ann:60001 ben:60002; do
        id=${name#*:}
        name=${name%:*}
        printf '%s:x:%s:%s::/home/%s:/bin/bash\n' "$name" "$id" "$id" "$name" >>"$dir/etc/passwd"
        printf '%s:x:%s:\n' "$name" "$id" >>"$dir/etc/group"
        mkdir -p "$dir/home/$name"
        chown "$id:$id" "$dir/home/$name"
    done
    for name in passwd group; do mount --bind "$dir/etc/$name" "/etc/$name"; done
}

# The first process of a node.
node() { # SCHEDULER DIRECTORY NODE VSE IMAGES
    local dir=$2 node=$3 vse=$4 images=$5 address
    load "$1"
    hostname "$node"
    mount --make-rprivate /
    # The devices of a node's own network are in a /sys of its own.
    mkdir "$dir/$node/cgroup"
    mount --rbind /sys/fs/cgroup "$dir/$node/cgroup"
    mount -t sysfs sysfs /sys
    mount --rbind "$dir/$node/cgroup" /sys/fs/cgroup
    mount --bind "$dir/$node/run" /run
    mount --bind "$dir/$node/state" /var/lib/vse
    cp -a /etc/vse/. "$dir/$node/vse/"
    mount --bind "$dir/$node/vse" /etc/vse
    ln -sfn "$images" /var/lib/vse/images
    ip link set lo up
    printf 'unshared\n' >"$dir/$node/net"
    await 10 'a link' test -e "$dir/$node/link"
    address=$(awk -v name="$node" '$2 == name { print $1 }' /etc/hosts)
    ip addr add "$address/24" dev eth0
    ip link set eth0 up
    "$vse" up
    start_node "$dir" "$node"
    : >"$dir/$node/up"
    while :; do sleep infinity; done
}

# Whether the cluster's first process still is who it was.
alive() { # DIRECTORY
    local pid start
    read -r pid start <"$1/first" 2>/dev/null && [[ $(started "$pid" 2>/dev/null) == "$start" ]]
}

run() { # DIRECTORY HOST USER COMMAND…
    local dir=$1 host=$2 user=$3 pid
    shift 3
    PATH=$(<"$dir/path")
    alive "$dir" || fail "there is no cluster in $dir"
    read -r pid _ <"$dir/first"
    local -a enter=(nsenter -t "$pid" --mount --pid --net --uts --)
    if [[ $host != head ]]; then
        enter+=(nsenter -t "$(<"$dir/$host/pid")" --mount --net --uts --)
    fi
    if [[ $user == root ]]; then
        exec "${enter[@]}" env -i HOME=/root USER=root PATH="$PATH" TERM="${TERM:-dumb}" "$@"
    fi
    # The user's home is the directory that is left when it exists in the cluster only.
    exec "${enter[@]}" setpriv --reuid "$user" --regid "$user" --init-groups \
        env -i -C "/home/$user" HOME="/home/$user" USER="$user" PATH="$PATH" TERM="${TERM:-dumb}" "$@"
}

down() { # DIRECTORY
    local dir=$1 pid node path
    if alive "$dir"; then
        for node in "$dir"/*/pid; do
            node=${node%/pid}
            ("$self" run "$dir" "${node##*/}" root "$(<"$dir/vse")" down --cancel-jobs) || :
        done
        read -r pid _ <"$dir/first"
        kill -KILL "$pid"
        await 20 'the end of the cluster' dead "$dir"
    fi
    while read -r path; do
        rmdir --ignore-fail-on-non-empty "$path"
    done <"$dir/made"
    rm -rf "$dir"
}

dead() {
    ! alive "$1"
}

case ${1:-} in
    up)
        up "${@:2}"
        ;;
    inside) inside "${@:2}" ;;
    node) node "${@:2}" ;;
    run) run "${@:2}" ;;
    down) down "${@:2}" ;;
    *) fail 'up, run or down?' ;;
esac
