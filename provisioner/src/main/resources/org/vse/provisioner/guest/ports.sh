# Sets port to the device of the virtio-serial port named $1.
port() {
    for port in /sys/class/virtio-ports/*; do
        # A console is a port without a name.
        if [ -e "$port/name" ] && read -r port_name < "$port/name" && [ "$port_name" = "$1" ]; then
            port=/dev/${port##*/}
            return 0
        fi
    done
    echo "the machine has no port $1" >&2
    return 1
}
