# Sets control, stdout and stderr to the devices of the job's virtio-serial ports, or to nothing where the machine has none.
# One look at each port: names are read byte by byte.
ports() {
    control='' stdout='' stderr=''
    for port in /sys/class/virtio-ports/*; do
        # A console is a port without a name.
        if [ -e "$port/name" ] && read -r port_name < "$port/name"; then
            case $port_name in
                org.vse.control) control=/dev/${port##*/} ;;
                org.vse.stdout) stdout=/dev/${port##*/} ;;
                org.vse.stderr) stderr=/dev/${port##*/} ;;
            esac
        fi
    done
}
