# shellcheck shell=sh
# Runs tasks on a disk that QEMU records, and marks in the recording when each begins and what it answers.
# The host sets KIND, OPTIONS, MARKS_AT, ROUNDS, FILES, IN_PLACE, and what a broken build leaves out.
# shellcheck source=tests/vm/scripts/tasks.sh
. /tasks.sh

# Writes a mark behind the file system, past all caches and without a flush: that is how it stands at its moment.
mark() {
    printf '%-511s\n' "$*" >/tmp/mark
    # That of coreutils: the one of BusyBox goes back to caches without a word.
    /bin/dd if=/tmp/mark of=/dev/vda bs=512 seek="$MARKS_AT" oflag=direct conv=notrunc 2>/tmp/dd || echo "FAILED mark $(cat /tmp/dd)"
}

# Runs a task between marks: record_task FILE TASK NEW_STATE
record_task() {
    mark "BEGIN $1 $3"
    run_task "$1" "$2"
    if has_changed; then
        backup=$(echo "$answer" | sed -n 's/.*"backup_file":"\([^"]*\)".*/\1/p')
        mark "END $1 $3 ${backup##*/}"
    else
        echo "FAILED $1 $2 $status $answer"
    fi
}

# Prints what a file is like after a task: note_state FILE TASK NAME
note_state() {
    run_task "$1" "$2"
    has_changed || echo "FAILED $1 $2 $status $answer"
    echo "STATE $1 $3 $(state_of "$(path_of "$1")")"
}

mount -t "$KIND" -o "$OPTIONS" /dev/vda /mnt || dmesg | tail -5
mkdir -p $root/etc/trapd $root/bin
for file in $FILES; do
    path=$(path_of "$file")
    cp "/seeds/$file" "$path"
    chown 501:502 "$path"
    chmod 640 "$path"
    setfacl --modify user:56:r "$path"
    setfattr --name user.origin --value test "$path"
    for setting in A B A; do note_state "$file" $setting $setting; done
done
path=$(path_of trapd)
if [ "$IN_PLACE" ]; then
    # A mount of its own cannot be replaced; unsafe_writes writes it in place.
    mount --bind "$path" "$path"
else
    mv "$path" "$path.saved"
    note_state trapd create CREATED
    note_state trapd B CREATED_B
    mv "$path.saved" "$path"
fi
sync

for file in $FILES; do mark "IS $file A"; done
mark READY
round=0
while [ "$round" -lt "$ROUNDS" ]; do
    suffix=$([ $((round % 2)) -eq 1 ] && echo -backup)
    for setting in B A; do
        for file in $FILES; do record_task "$file" "$setting$suffix" $setting; done
    done
    if [ -z "$IN_PLACE" ]; then
        mark SETUP
        mv "$path" "$path.saved"
        sync
        mark "IS trapd absent"
        mark READY
        record_task trapd create CREATED
        mark SETUP
        mv "$path.saved" "$path"
        sync
        mark "IS trapd A"
        mark READY
    fi
    round=$((round + 1))
done
mark FINISHED
