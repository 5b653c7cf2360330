# shellcheck shell=sh
# Fills a disk, gives back more and more of it, and runs a task each time.
# The host sets KIND, OPTIONS and STEPS, in KiB.
# shellcheck source=tests/vm/scripts/tasks.sh
. /tasks.sh

mount -t "$KIND" -o "$OPTIONS" /dev/vda /mnt
path=$(path_of trapd)
mkdir -p "${path%/*}" $root/bin /mnt/filling
cp /seeds/trapd "$path"
run_task trapd B
state_b=$(state_of "$path")
run_task trapd A
state_a=$(state_of "$path")
sync

for step in $STEPS; do
    # In large pieces, then in small ones.
    for piece in 4096 256 64 4; do
        number=0
        while dd if=/dev/zero of=/mnt/filling/$piece-$number bs=1024 count=$piece 2>/dev/null; do number=$((number + 1)); done
    done
    sync
    number=0
    freed=0
    while [ $freed -lt "$step" ]; do
        rm -f /mnt/filling/64-$number
        number=$((number + 1))
        freed=$((freed + 64))
    done
    sync
    run_task trapd B-backup
    said=$status$answer
    case $(state_of "$path") in
    "$state_a") content=A ;;
    "$state_b") content=B ;;
    *) content=neither ;;
    esac
    left=$(find "${path%/*}" -maxdepth 1 -name '.*' -type f | wc -l)
    echo "ANSWER $step ${said%%[!0-9]*} $content $left ${said#"${said%%[!0-9]*}"}" | tr '\n' ' '
    echo
    rm -rf /mnt/filling/* "$path".*~
    sync
    for setting in B A; do
        run_task trapd $setting
        [ "$status" = 0 ] || echo "FAILED again $setting $status $answer" | tr '\n' ' '
    done
    echo
done
