#!/bin/bash
# Makes a disk that boots itself of an image whose kernels boot it: GRUB in front of one partition, which holds the image's
# file system with the kernel as its package has it.
#
#   loader-disk.sh IMAGE_DIRECTORY WORK      makes WORK/disk.raw; WORK exists and is empty
set -euo pipefail

image=$1
cd "$2"
partition=$((1 << 20))
grub=/usr/lib/grub/i386-pc

initrd=$image/kernels/cloud/initrd
release=$(grep -a -m1 -o 'vermagic=[^ ]*' "$initrd")
release=${release#vermagic=}
apt-get -q -q -o APT::Sandbox::User=root download "linux-image-$release"
dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x --strip-components=2 "./boot/vmlinuz-$release"

# What comes later in an initial file system replaces what comes before.
cp "$initrd" initrd
cpio --quiet -i --to-stdout init <"$initrd" | sed 's:/dev/vda :/dev/vda1 :' >first
chmod 755 first
mv first init
echo init | cpio --quiet -o -H newc >>initrd

bytes=$(qemu-img info --output=json "$image/disk.qcow2" | grep -m1 -o '"virtual-size": [0-9]*')
bytes=${bytes##* }
truncate -s $((partition + bytes)) disk.raw
qemu-img convert -n --target-is-zero -f qcow2 "$image/disk.qcow2" \
    --target-image-opts "driver=raw,offset=$partition,file.driver=file,file.filename=disk.raw"
printf 'write vmlinuz-%s /boot/vmlinuz\nwrite initrd /boot/initrd\n' "$release" >files
debugfs -w -f files "disk.raw?offset=$partition" >/dev/null 2>said || {
    cat said >&2
    exit 1
}

cat >grub.cfg <<'TEXT'
set root=(hd0,msdos1)
linux /boot/vmlinuz root=/dev/vda1 rootfstype=ext4 rw console=ttyS0 quiet net.ifnames=0 cryptomgr.notests mitigations=off panic=-1
initrd /boot/initrd
boot
TEXT
grub-mkimage -O i386-pc -p /boot/grub -c grub.cfg -o core.img biosdisk part_msdos ext2 linux
dd if=$grub/boot.img of=disk.raw bs=440 count=1 conv=notrunc status=none
dd if=core.img of=disk.raw bs=512 seek=1 conv=notrunc status=none

# One active partition of type Linux, addressed by sectors (x86 master boot record).
little() { # NUMBER: four bytes, the lowest first
    printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255))
}
printf '%b' "\\x80\\xff\\xff\\xff\\x83\\xff\\xff\\xff$(little $((partition / 512)))$(little $((bytes / 512)))" |
    dd of=disk.raw bs=1 seek=446 conv=notrunc status=none
printf '\x55\xaa' | dd of=disk.raw bs=1 seek=510 conv=notrunc status=none
