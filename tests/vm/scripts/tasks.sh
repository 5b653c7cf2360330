# shellcheck shell=sh
# What the guest that is recorded and the one that looks at what is left both know.
root=/mnt/opt/aspera

path_of() {
    case $1 in
    trapd) echo $root/etc/trapd/s3.properties ;;
    conf) echo $root/etc/aspera.conf ;;
    esac
}

# Runs a task, which is in a file of the host's: run_task FILE TASK. What is said of it is in $answer and $status.
run_task() {
    case $1 in
    trapd) module=aspera_trapd_sse ;;
    conf) module=aspera_docroot_sse ;;
    esac
    answer=$("/modules_of_ours/$module" "/tasks/$1-$2.json" 2>&1)
    status=$?
}

# Succeeds if the task says that it has changed the file.
has_changed() {
    case $status$answer in
    0*'"changed":true'*) true ;;
    *) false ;;
    esac
}

# Prints the content (a sum), owner, group, mode, ACL and attributes (a sum) of a file in a word.
state_of() {
    [ -e "$1" ] || { echo absent && return; }
    content=$(sha256sum <"$1")
    attributes=$(getfattr --absolute-names --dump --match=- --encoding=hex "$1" | sed 1d | sha256sum)
    echo "${content%"${content#????????????}"},$(stat -c %u:%g:%a "$1"),${attributes%"${attributes#????????}"}"
}
