# shellcheck shell=sh
# Mounts each image as a machine does that starts again, looks at the files, and runs the next task.
# The host sets KIND, OPTIONS, COUNT, STEP, FILES; /states has what is known of states, in lines FILE NAME STATE.
# shellcheck source=tests/vm/scripts/tasks.sh
. /tasks.sh

name_of() {
    [ "$2" != absent ] || { echo absent && return; }
    while read -r file name state; do
        [ "$file" = "$1" ] && [ "$state" = "$2" ] && echo "$name" && return
    done </states
    echo "$2"
}

# Runs a task that changes the file, whatever it is like: NAME TASK
next_task() {
    case $1 in
    A) echo B B ;;
    absent) echo CREATED create ;;
    CREATED) echo CREATED_B B ;;
    *) echo A A ;;
    esac
}

look() {
    for file in $FILES; do
        path=$(path_of "$file")
        echo "FILE $1 $file $(name_of "$file" "$(state_of "$path")")"
        for backup in "$path".*~; do
            [ ! -e "$backup" ] || echo "BACKUP $1 $file ${backup##*/} $(name_of "$file" "$(state_of "$backup")")"
        done
    done
    for file in $FILES; do
        path=$(path_of "$file")
        # shellcheck disable=SC2046 # Two words.
        set -- "$1" $(next_task "$(name_of "$file" "$(state_of "$path")")")
        run_task "$file" "$3"
        left=$(find "${path%/*}" -maxdepth 1 -name ".${path##*/}.*" | wc -l)
        changed=$(has_changed && echo changed || echo "$status $answer")
        echo "NEXT $1 $file $2 $(name_of "$file" "$(state_of "$path")") $left $changed"
    done
}

number=0
while [ "$number" -lt "$COUNT" ]; do
    losetup -o $((number * STEP)) /dev/loop0 /dev/vda
    if mount -t "$KIND" -o "$OPTIONS" /dev/loop0 /mnt 2>/tmp/mount; then
        look "$number"
        umount /mnt
    else
        echo "NOT_MOUNTED $number $(cat /tmp/mount) $(dmesg | tail -2)"
    fi
    losetup -d /dev/loop0
    number=$((number + 1))
done
