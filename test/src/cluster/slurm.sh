# shellcheck shell=bash disable=SC2154 # nodes and cores are those of cluster.sh
# What a cluster of Slurm's has of its own: munged, slurmctld on the head, slurmd on the nodes. Taken in by cluster.sh.

# shellcheck disable=SC2034 # of cluster.sh
places=(/etc)

configure() { # DIRECTORY
    local dir=$1 node
    mkdir "$dir/ctld" "$dir/munge"
    chown slurm "$dir/ctld"
    install -o slurm -m 644 /dev/null "$dir/log/slurmctld.log"
    mkdir -p /run/slurm /etc/slurm
    chown slurm /run/slurm
    {
        cat <<CONF
ClusterName=rig
SlurmctldHost=head(10.99.0.1)
AuthType=auth/munge
AuthInfo=socket=/run/munge/sock,cred_expire=10
SlurmUser=slurm
StateSaveLocation=$dir/ctld
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmdSpoolDir=$dir/%n/spool
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
SlurmctldDebug=verbose
SlurmdDebug=verbose
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/ctld/jobcomp
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdTimeout=30
KillWait=8
InactiveLimit=0
PropagateResourceLimits=NONE
SchedulerParameters=sched_interval=2,bf_interval=3,sched_min_interval=2
CONF
        for node in "${nodes[@]}"; do
            printf 'NodeName=%s CPUs=%d CoresPerSocket=%d RealMemory=1000 State=UNKNOWN\n' "$node" "$cores" "$cores"
        done
        node=$(IFS=,; echo "${nodes[*]}")
        printf 'PartitionName=batch Nodes=%s Default=YES MaxTime=INFINITE State=UP\n' "$node"
        printf 'PartitionName=%s Nodes=%s MaxTime=INFINITE State=UP\n' vms "$node" bare "$node"
    } >/etc/slurm/slurm.conf
    printf 'CgroupPlugin=cgroup/v1\nConstrainCores=no\n' >/etc/slurm/cgroup.conf
}

munge() { # DIRECTORY
    local dir=$1
    if [[ ! -s $dir/munge/key ]]; then
        (umask 077 && head -c 128 /dev/urandom >"$dir/munge/key")
    fi
    chown -R munge: "$dir/munge"
    mkdir -p /run/munge
    chown munge: /run/munge
    setpriv --reuid munge --regid munge --clear-groups munged --foreground --key-file="$dir/munge/key" \
        --socket=/run/munge/sock --pid-file="/run/munge/pid" --seed-file="/run/munge/seed" --num-threads=2 \
        >"$dir/log/munge-$(hostname)" 2>&1 &
    await 10 munged test -S /run/munge/sock
}

start_head() { # DIRECTORY
    munge "$1"
    slurmctld -D >"$1/log/slurmctld.out" 2>&1 &
}

start_node() { # DIRECTORY NODE
    munge "$1"
    slurmd -N "$2" -D >"$1/log/slurmd-$2.out" 2>&1 &
}

all_idle() {
    [[ $(sinfo -h -N -o '%N %T' | sort -u | grep -c ' idle$') == "${#nodes[@]}" ]]
}
