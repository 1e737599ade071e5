# shellcheck shell=bash
# What a cluster of OpenPBS' has of its own: pbs_server, pbs_sched and pbs_comm on the head, pbs_mom on the nodes, from the
# installation in PBS_EXEC. Taken in by cluster.sh.
# shellcheck disable=SC2154 # nodes and dir are of cluster.sh

[[ -x ${PBS_EXEC:-}/sbin/pbs_mom ]] || fail "PBS_EXEC is no installation of OpenPBS: '${PBS_EXEC:-}'"
PATH=/etc/vse/openpbs/bin:$PBS_EXEC/bin:$PBS_EXEC/sbin:$PATH
pbs_home=/var/spool/pbs
# shellcheck disable=SC2034 # of cluster.sh
places=(/etc "$pbs_home")

pbs_conf() { # SERVER MOM
    printf '%s\n' "PBS_EXEC=$PBS_EXEC" "PBS_HOME=$pbs_home" PBS_SERVER=head "PBS_START_SERVER=$1" "PBS_START_SCHED=$1" \
        "PBS_START_COMM=$1" "PBS_START_MOM=$2" PBS_CORE_LIMIT=0
}

configure() { # DIRECTORY
    pbs_conf 1 0 >/etc/pbs.conf
    find "$pbs_home" -mindepth 1 -delete
    pbs_conf 0 1 >"$1/pbs.conf"
}

start_head() { # DIRECTORY
    # Where PostgreSQL of Debian has its sockets.
    install -d -o postgres /run/postgresql
    "$PBS_EXEC/libexec/pbs_habitat"
    pbs_comm
    pbs_sched
    pbs_server
    await 60 pbs_server qstat -B
    {
        printf '%s\n' 'create queue batch queue_type=execution,enabled=true,started=true,kill_delay=30' \
            'create queue vms queue_type=execution,enabled=true,started=true' \
            'set server default_queue = batch' 'set server flatuid = true' 'set server job_history_enable = true' \
            'set server scheduler_iteration = 5' 'set server node_fail_requeue = 20'
        printf 'create node %s\n' "${nodes[@]}"
    } | qmgr
    qmgr </etc/vse/openpbs/install.qmgr
}

start_node() { # DIRECTORY NODE
    local dir=$1 node=$2
    mkdir "$dir/$node/pbs"
    mount --bind "$dir/$node/pbs" "$pbs_home"
    mount --bind "$dir/pbs.conf" /etc/pbs.conf
    "$PBS_EXEC/libexec/pbs_habitat"
    cat >"$pbs_home/mom_priv/config" <<'CONFIG'
$clienthost head
$usecp *:/home /home
CONFIG
    pbs_mom
}

all_idle() {
    [[ $(pbsnodes -a | grep -c 'state = free') == "${#nodes[@]}" && -z $(hooks_missing) ]]
}

# The nodes to which the server has not sent the hook yet.
hooks_missing() {
    local node
    for node in "${nodes[@]}"; do
        grep -qs alarm= "$dir/$node/pbs/mom_priv/hooks/vse_node.HK" || printf '%s\n' "$node"
    done
}
