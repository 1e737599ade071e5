# shellcheck shell=bash
# What a cluster of TORQUE's has of its own: trqauthd, pbs_server and pbs_sched on the head, pbs_mom on the nodes, from the
# installation in TORQUE_HOME. Taken in by cluster.sh.
# shellcheck disable=SC2154 # self and images are of cluster.sh

[[ -x ${TORQUE_HOME:-}/sbin/pbs_mom ]] || fail "TORQUE_HOME is no installation of TORQUE: '${TORQUE_HOME:-}'"
PATH=$TORQUE_HOME/bin:$TORQUE_HOME/sbin:$PATH
torque=$(pbs_server --about 2>&1 | sed -n 's/^serverhome: *//p')
torque=${torque:-/var/spool/torque}
# shellcheck disable=SC2034 # of cluster.sh
places=(/etc "$torque" /usr/local/bin) nodes=(n1 n2)

spool() { # DIRECTORY
    mkdir -p "$1"/{aux,checkpoint,spool,undelivered,server_logs,mom_logs,sched_logs,job_logs} \
        "$1"/mom_priv/jobs "$1"/sched_priv "$1"/server_priv/{acl_groups,acl_hosts,acl_svr,acl_users,accounting,arrays,credentials,disallowed_types,hostlist,jobs,queues}
    chmod 1777 "$1"/{spool,undelivered}
    chmod 751 "$1"/mom_priv "$1"/server_priv
    printf 'head\n' >"$1/server_name"
    : >"$1/pbs_environment"
}

# trqauthd has its socket in /tmp, so every host has a /tmp of its own; of the other one these paths stay.
own_tmp() { # PATH…
    local path
    mount -t tmpfs -o mode=1777 tmpfs /mnt
    for path; do
        [[ $path == /tmp/* ]] || continue
        mkdir -p "/mnt/${path#/tmp/}"
        mount --rbind "$path" "/mnt/${path#/tmp/}"
    done
    mount --move /mnt /tmp
}

configure() { # DIRECTORY
    local sched
    # Where vsed finds it, also beside that of another batch system.
    ln -sf "$TORQUE_HOME/bin/qstat" /usr/local/bin/qstat
    own_tmp "${1%/*}" "$1" "${self%/*}" "$images"
    sched=$(mktemp -d)
    cp -a "$torque"/sched_priv/. "$sched" 2>/dev/null || :
    find "$torque" -mindepth 1 -delete
    spool "$torque"
    cp -a "$sched"/. "$torque/sched_priv"
    rm -r "$sched"
    cat >"$torque/mom_priv/config" <<'CONFIG'
$pbsserver head
$usecp *:/home /home
CONFIG
}

start_head() { # DIRECTORY
    trqauthd
    pbs_server -f -t create
    await 60 pbs_server qstat -B
    printf '%s\n' 'create queue batch queue_type=execution,enabled=true,started=true' \
        'create queue vms queue_type=execution,enabled=true,started=true' 'set server default_queue = batch' \
        'set server scheduling = true' 'set server scheduler_iteration = 5' 'set server keep_completed = 300' \
        'set server submit_hosts = head' 'set server down_on_error = False' 'set server node_check_rate = 20' \
        'set server automatic_requeue_exit_code = 85' 'set server query_other_jobs = true' | qmgr
    printf 'create node %s np=2\n' "${nodes[@]}" | qmgr
    pbs_sched
}

start_node() { # DIRECTORY NODE
    local dir=$1 node=$2
    mkdir "$dir/$node/torque"
    cp -a "$torque/." "$dir/$node/torque"
    mount --bind "$dir/$node/torque" "$torque"
    own_tmp "${dir%/*}" "$dir" "${self%/*}" "$images"
    trqauthd
    pbs_mom
}

all_idle() {
    [[ $(pbsnodes -a | grep -c 'state = free') == "${#nodes[@]}" ]]
}
