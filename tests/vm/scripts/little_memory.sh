# shellcheck shell=sh
# Runs a task on each of the large files in /mnt/large, in a guest with little memory.
# shellcheck source=tests/vm/scripts/tasks.sh
. /tasks.sh

mount -t ext4 /dev/vda /mnt
mkdir -p $root/etc/trapd $root/bin
for large in /mnt/large/*; do
    name=${large##*/}
    file=${name%-*}
    path=$(path_of "$file")
    mv "$large" "$path"
    before=$(sha256sum <"$path")
    run_task "$file" B
    [ "$(sha256sum <"$path")" = "$before" ] && content=old || content=new
    left=$(find "${path%/*}" -maxdepth 1 -name '.*' -type f | wc -l)
    echo "ANSWER $name $status $content $left $answer" | tr '\n' ' '
    echo
    rm "$path"
done
