# Prepares the guest for one job; follows runtime.sh, ports.sh and accounts.sh. Arguments: KEY VALUES..., each key with its fixed
# number of values, carried out in order; values are data and are never evaluated. Standard input: the private ssh key
# when there is one. Prints the name of each step as it begins. May be run again.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
cd /
newline='
'
hosts='' names='' groups=''
echo runtime
runtime

# What starts processes on other nodes under batch systems has nobody to speak to in here; last on the job's PATH.
strangers() {
    mkdir -p /run/vse/bin
    for program in srun pbsdsh qrsh; do
        printf '%s\n' '#!/bin/sh' \
            'printf "vse: %s does not work inside a virtual machine [NOT_SUPPORTED]\n" "${0##*/}" >&2' \
            'printf "  next: mpirun, or ssh to the machines that \$VSE_NODEFILE names\n" >&2' 'exit 125' \
            > "/run/vse/bin/$program"
        chmod 755 "/run/vse/bin/$program"
    done
}
strangers

values() {
    [ "$1" -lt "$2" ] || { echo "'$3' has too few values" >&2; exit 64; }
}

# Sets nic to the network interface with hardware address $1. A driver that is still being loaded gets five seconds.
interface() {
    rounds=0
    while :; do
        for path in /sys/class/net/*; do
            read -r address < "$path/address" || continue
            [ "$address" = "$1" ] && nic=${path##*/} && return 0
        done
        [ "$rounds" -gt 0 ] || modprobe virtio_net || :
        rounds=$((rounds + 1))
        [ "$rounds" -lt 50 ] || { echo "no network interface has the address $1" >&2; exit 1; }
        sleep 0.05
    done
}

# mounted DIR: a file system is mounted there.
mounted() {
    while read -r source target rest; do
        case $target in
            *\\*) target=$(printf '%b' "$target") ;;
        esac
        [ "$target" != "$1" ] || return 0
    done < /proc/self/mounts
    return 1
}

# Prints the machines of the list $1, one word for each core, in the form of Grid Engine's PE_HOSTFILE.
hostfile() {
    last= count=0
    for machine in $1 ''; do
        if [ "$machine" != "$last" ]; then
            [ -z "$last" ] || printf '%s %s vse@%s UNDEFINED\n' "$last" "$count" "$last"
            last=$machine count=0
        fi
        count=$((count + 1))
    done
}

# Lets ssh log in between the machines of the job: one key, which is the user's and the hosts'. Nothing is written to the
# home directory, which may be shared.
keys() {
    mkdir -p /run/vse/ssh
    umask 077
    cat > /run/vse/ssh/id
    cat /run/vse/ssh/id > /run/vse/ssh/host
    umask 022
    chown "$uid:$gid" /run/vse/ssh/id
    printf '%s\n' "$1" > /run/vse/ssh/authorized
    printf '* %s\n' "$1" > /run/vse/ssh/known
    if [ -d /etc/ssh/ssh_config.d ]; then
        printf 'Host localhost%s\n IdentityFile /run/vse/ssh/id\n UserKnownHostsFile /run/vse/ssh/known\n%s' "$names" \
            ' GlobalKnownHostsFile /dev/null
 StrictHostKeyChecking yes
' > /etc/ssh/ssh_config.d/00-vse.conf
    fi
    if [ -d /etc/ssh/sshd_config.d ]; then
        printf '%s\n' 'HostKey /run/vse/ssh/host' 'AuthorizedKeysFile /run/vse/ssh/authorized .ssh/authorized_keys' \
            > /etc/ssh/sshd_config.d/00-vse.conf
    fi
}

# Starts the ssh server, or lets one that has not seen our configuration start over; an image may have none.
server() {
    [ -x /usr/sbin/sshd ] || return 0
    running=''
    if [ -s /run/sshd.pid ] && read -r pid < /run/sshd.pid && kill -0 "$pid" 2> /dev/null; then
        running=$pid
        # A server that starts over refuses connections for a moment.
        [ ! -e /run/vse/ssh/serves ] || return 0
    fi
    rm -f /run/sshd.pid
    if [ -n "$running" ]; then
        kill -HUP "$running"
    else
        mkdir -p /run/sshd
        program setsid
        "$program" -f /usr/sbin/sshd < /dev/null > /run/vse/ssh/log 2>&1
    fi
    # It writes its number once it listens.
    rounds=0
    until [ -s /run/sshd.pid ]; do
        rounds=$((rounds + 1))
        [ "$rounds" -lt 200 ] || { echo "the ssh server does not start: $(cat /run/vse/ssh/log)" >&2; exit 1; }
        sleep 0.05
    done
    : > /run/vse/ssh/serves
}

# Starts service $1 by the image's own means; one that runs already is left alone by them.
service() {
    if [ -d /run/systemd/system ]; then
        systemctl start -- "$1" && return 0
        journalctl -q --no-pager -n 20 -u "$1" >&2 || :
    elif [ -x "/etc/init.d/$1" ]; then
        "/etc/init.d/$1" start < /dev/null > "/run/vse/service-$1" 2>&1 && return 0
        tail -n 20 "/run/vse/service-$1" >&2
    else
        echo "the image has no service '$1'" >&2
        exit 1
    fi
    echo "service '$1' did not start" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    printf '%s\n' "$1"
    case $1 in
        clock)
            values 1 $# "$1"
            program date
            "$program" -u -s "@$2" > /dev/null
            shift 2
            ;;
        entropy)
            # What a saved machine would draw, it may have drawn once before: the kernel mixes this in and starts its
            # generator over from it; without perl that is within the minute (random(4), RNDRESEEDCRNG).
            values 1 $# "$1"
            printf '%s' "$2" > /dev/urandom
            ! command -v perl > /dev/null ||
                perl -e 'open(F, "+<", "/dev/urandom") && ioctl(F, 0x5207, 0) or die "$!\n"'
            shift 2
            ;;
        hostname)
            values 1 $# "$1"
            printf '%s\n' "$2" > /etc/hostname
            printf '%s' "$2" > /proc/sys/kernel/hostname
            shift 2
            ;;
        host)
            values 2 $# "$1"
            hosts="$hosts$2 $3$newline" names="$names $3"
            shift 3
            ;;
        hosts)
            printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n%s' "$hosts" > /etc/hosts
            shift
            ;;
        group)
            values 2 $# "$1"
            groups="$groups${groups:+$newline}$2:$3"
            shift 3
            ;;
        user)
            values 5 $# "$1"
            user=$2 uid=$3 gid=$4 home=$5 shell=$6
            for shell in "$shell" /bin/bash /bin/sh; do
                [ ! -x "$shell" ] || break
            done
            accounts /etc "$user" "$uid" "$gid" "$home" "$shell" "$groups"
            shift 6
            ;;
        nic)
            values 4 $# "$1"
            interface "$2"
            ip link set dev lo up
            ip link set dev "$nic" mtu "$5" up
            ip address replace "$3" dev "$nic"
            [ -z "$4" ] || ip route replace default via "$4" dev "$nic"
            shift 5
            ;;
        directory)
            values 1 $# "$1"
            if [ ! -d "$2" ]; then
                mkdir -p -- "$2"
                chown "$uid:$gid" -- "$2"
            fi
            shift 2
            ;;
        mount)
            values 5 $# "$1"
            if ! mounted "$5"; then
                [ -d "$5" ] || mkdir -p -- "$5"
                program mount
                timeout -s KILL "$6" "$program" -i -t "$2" -o "$3" -- "$4" "$5"
            fi
            shift 6
            ;;
        nodes)
            values 1 $# "$1"
            printf '%s\n' "$2" > /run/vse/nodes
            hostfile "$2" > /run/vse/pe_hostfile
            shift 2
            ;;
        key)
            values 1 $# "$1"
            keys "$2"
            shift 2
            ;;
        role)
            values 1 $# "$1"
            printf '%s\n' "$2" > /run/vse/role
            shift 2
            ;;
        service)
            values 1 $# "$1"
            service "$2"
            shift 2
            ;;
        sshd)
            server
            shift
            ;;
        tell)
            # Nobody waits for this word alone, and the port may be in use.
            ports
            { [ -z "$control" ] || echo prepared > "$control"; } 2> /dev/null || :
            shift
            ;;
        *)
            echo "unknown step '$1'" >&2
            exit 64
            ;;
    esac
done
