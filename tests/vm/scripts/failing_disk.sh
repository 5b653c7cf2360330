# shellcheck shell=sh
# Runs tasks on a disk that fails: at once when it is read, or when it is written, or later and later in a task.
# The host sets OPTIONS for the mount, and DELAYS in milliseconds.
# shellcheck source=tests/vm/scripts/tasks.sh
. /tasks.sh

size=$(blockdev --getsz /dev/vda)
good="0 $size linear /dev/vda 0"
no_reads="0 $size error"
no_writes="0 $size flakey /dev/vda 0 0 3600 1 error_writes"

# Exchanges the disk below the file system, as it is in use.
disk() {
    dmsetup --noudevsync suspend --nolockfs --noflush disk
    dmsetup load disk --table "$1"
    dmsetup --noudevsync resume disk
}

look() {
    case $(state_of "$path") in
    "$state_a") echo A ;;
    "$state_b") echo B ;;
    *) echo neither ;;
    esac
}

# Prints the answer, and what the file is after the disk is good again and the machine has started anew: report WHAT
report() {
    disk "$good"
    umount /mnt || umount -l /mnt
    mount -t ext4 -o "$OPTIONS" /dev/dm-0 /mnt || dmesg | tail -5
    content=$(look)
    said=$status$answer
    run_task trapd B
    run_task trapd A
    left=$(find "${path%/*}" -maxdepth 1 -name '.*' -type f | wc -l)
    echo "ANSWER $1 ${said%%[!0-9]*} $content $(look)$left ${said#"${said%%[!0-9]*}"}" | tr '\n' ' '
    echo
}

dmsetup --noudevsync create disk --table "$good" >/dev/null
mount -t ext4 -o "$OPTIONS" /dev/dm-0 /mnt || echo "NOT MOUNTED"
path=$(path_of trapd)
mkdir -p "${path%/*}" $root/bin
cp /seeds/trapd "$path"
run_task trapd B
state_b=$(state_of "$path")
run_task trapd A
state_a=$(state_of "$path")
sync

# The file is known, its content is not.
stat "$path" >/dev/null
echo 1 >/proc/sys/vm/drop_caches
disk "$no_reads"
run_task trapd B
report reads

disk "$no_writes"
run_task trapd B-backup
report writes

for delay in $DELAYS; do
    (usleep "${delay}000" && disk "$no_writes") &
    run_task trapd B-backup
    wait
    report "after-$delay-ms"
done
