# shellcheck shell=sh
# Runs a task as an ordinary user who may use as many KiB as each of LIMITS says.
# shellcheck source=tests/vm/scripts/tasks.sh
. /tasks.sh

echo 'root:x:0:0::/root:/bin/sh' >/etc/passwd
echo 'operator:x:501:501::/tmp:/bin/sh' >>/etc/passwd
mount -t ext4 -o usrquota /dev/vda /mnt
path=$(path_of trapd)
mkdir -p "${path%/*}" $root/bin
cp /seeds/trapd "$path"
chown -R 501:501 $root/etc
run_task trapd B
state_b=$(state_of "$path")
run_task trapd A
state_a=$(state_of "$path")
sync

for limit in $LIMITS; do
    setquota -u 501 0 "$limit" 0 0 /mnt || echo "no quota"
    answer=$(su operator -c "/modules_of_ours/aspera_trapd_sse /tasks/trapd-B-backup.json" 2>&1)
    status=$?
    said=$status$answer
    case $(state_of "$path") in
    "$state_a") content=A ;;
    "$state_b") content=B ;;
    *) content=neither ;;
    esac
    left=$(find "${path%/*}" -maxdepth 1 -name '.*' -type f | wc -l)
    echo "ANSWER $limit ${said%%[!0-9]*} $content $left ${said#"${said%%[!0-9]*}"}" | tr '\n' ' '
    echo
    setquota -u 501 0 0 0 0 /mnt
    rm -f "$path".*~
    run_task trapd A
done
