# shellcheck shell=bash disable=SC2154 # nodes and cores are those of cluster.sh
# What a cluster of Grid Engine's has of its own: sge_qmaster on the head, sge_execd on the nodes. Taken in by cluster.sh.

# shellcheck disable=SC2034 # of cluster.sh
places=(/etc /var/lib/gridengine /var/spool/gridengine)

cell=/var/lib/gridengine/default/common
spool=/var/spool/gridengine
programs=/usr/lib/gridengine

configure() { # DIRECTORY
    local dir=$1 node i=0 tmpdirs=/tmp architecture
    architecture=$(/usr/share/gridengine/util/arch)
    for node in bin lib utilbin; do ln -sfn "$programs" "/var/lib/gridengine/$node/$architecture"; done
    rm -rf "${spool:?}"/*
    mkdir -p "$spool"/{qmaster/job_scripts,execd} /run/gridengine
    printf '%s\n' 'admin_user sgeadmin' 'default_domain none' 'ignore_fqdn true' 'spooling_method classic' \
        'spooling_lib libspoolc' "spooling_params $cell;$spool/qmaster" "binary_path $programs" \
        "qmaster_spool_dir $spool/qmaster" 'security_mode none' 'listener_threads 2' 'worker_threads 2' \
        'scheduler_threads 1' >"$cell/bootstrap"
    printf 'head\n' >"$cell/act_qmaster"
    chown -R sgeadmin:sgeadmin "$spool" "$cell" /run/gridengine
    sed -e 's#^\(load_report_time\).*#\1 00:00:05#' -e 's#^\(max_unheard\).*#\1 00:00:30#' \
        -e 's#^\(execd_params\).*#\1 ENABLE_ADDGRP_KILL=TRUE#' -e 's#^\(mailer\|xterm\) .*#\1 /bin/true#' \
        -e 's#flush_time=00:00:15#flush_time=00:00:01 accounting_flush_time=00:00:00#' \
        /usr/share/gridengine/default-configuration >"$dir/etc/global"
    spooled "$programs/spoolinit" classic libspoolc "$cell;$spool/qmaster" init
    spooled "$programs/spooldefaults.bin" configuration "$dir/etc/global"
    spooled "$programs/spooldefaults.bin" complexes /usr/share/gridengine/util/resources/centry
    spooled "$programs/spooldefaults.bin" usersets /usr/share/gridengine/util/resources/usersets
    spooled "$programs/spooldefaults.bin" managers root sgeadmin
    sge_qmaster
    await 20 sge_qmaster qconf -sh
    for node in head "${nodes[@]}"; do
        [[ $(qconf -sh) == *"$node"* ]] || qconf -ah "$node"
        qconf -as "$node"
    done
    for node in "${nodes[@]}"; do
        # Several queues have the host's cores.
        printf '%s\n' "hostname $node" 'load_scaling NONE' "complex_values slots=${cores:?}" 'user_lists NONE' 'xuser_lists NONE' \
            'projects NONE' 'xprojects NONE' 'usage_scaling NONE' 'report_variables NONE' >"$dir/etc/object"
        qconf -Ae "$dir/etc/object"
        # The nodes share one kernel: a group that two of them hand out would let one end the other's jobs. So with what
        # each removes from its own directory for temporary files.
        printf 'mailer /bin/true\nxterm /bin/true\ngid_range %d-%d\n' $((65000 + i * 100)) $((65099 + i * 100)) \
            >"$dir/etc/$node"
        qconf -Aconf "$dir/etc/$node"
        mkdir -p "$dir/$node/tmp"
        chmod 1777 "$dir/$node/tmp"
        tmpdirs+=",[$node=$dir/$node/tmp]"
        i=$((i + 1))
    done
    printf 'group_name @nodes\nhostlist %s\n' "${nodes[*]}" >"$dir/etc/object"
    qconf -Ahgrp "$dir/etc/object"
    # shellcheck disable=SC2016 # names of Grid Engine's
    environment "$dir" smp '$pe_slots'
    # shellcheck disable=SC2016
    environment "$dir" mpi 1
    # Jobs come to these queues only if they ask for it.
    qconf -sc >"$dir/etc/object"
    printf '%s %s BOOL == FORCED NO 0 0\n' vms vms bare bare >>"$dir/etc/object"
    qconf -Mc "$dir/etc/object"
    queue "$dir" batch NONE "$tmpdirs"
    queue "$dir" vms vms=TRUE "$tmpdirs"
    queue "$dir" bare bare=TRUE "$tmpdirs"
    qconf -ssconf | sed -e 's#^\(schedule_interval\).*#\1 0:0:1#' -e 's#^\(flush_[a-z]*_sec\).*#\1 1#' >"$dir/etc/object"
    qconf -Msconf "$dir/etc/object"
}

# A program that prepares the spool directory, as the user that qmaster runs as.
spooled() { # COMMAND…
    setpriv --reuid sgeadmin --regid sgeadmin --clear-groups env SGE_ROOT=/var/lib/gridengine SGE_CELL=default \
        LD_LIBRARY_PATH="$programs" "$@"
}

# A parallel environment.
environment() { # DIRECTORY NAME RULE
    printf '%s\n' "pe_name $2" 'slots 999' 'user_lists NONE' 'xuser_lists NONE' 'start_proc_args NONE' \
        'stop_proc_args NONE' "allocation_rule $3" 'control_slaves TRUE' 'job_is_first_task TRUE' 'urgency_slots min' \
        'accounting_summary FALSE' 'qsort_args NONE' >"$1/etc/object"
    qconf -Ap "$1/etc/object"
}

queue() { # DIRECTORY NAME COMPLEX_VALUES TMPDIRS
    qconf -sq | sed -e "s#^\(qname\).*#\1 $2#" -e 's#^\(hostlist\).*#\1 @nodes#' -e 's#^\(pe_list\).*#\1 smp mpi#' \
        -e "s#^\(slots\).*#\1 ${cores:?}#" -e 's#^\(shell\) .*#\1 /bin/bash#' -e 's#^\(rerun\).*#\1 TRUE#' \
        -e 's#^\(load_thresholds\).*#\1 NONE#' -e 's#^\(notify\).*#\1 00:00:05#' \
        -e "s#^\(complex_values\).*#\1 $3#" -e "s#^\(tmpdir\).*#\1 $4#" >"$1/etc/object"
    qconf -Aq "$1/etc/object"
}

start_head() { # DIRECTORY
    # sge_qmaster runs: an installation loads queues into it.
    :
}

start_node() { # DIRECTORY NODE
    mkdir -p /run/gridengine
    # Jobs inherit the daemon's environment.
    env -i PATH="$PATH" sge_execd
}

all_idle() {
    local up
    up=$(qhost | awk '$1 ~ /^n[0-9]+$/ && $7 != "-"' | wc -l)
    [[ $up == "${#nodes[@]}" ]]
}
