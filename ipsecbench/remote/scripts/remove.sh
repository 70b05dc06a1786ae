# Ends what runs in our folders and removes them. Arguments: a word that nobody can guess, the folders.
mark=$1
shift
for folder in "$@"; do
    [ -d "$folder" ] || continue
    pid=
    read -r pid <"$folder/agent.pid"
    [ -n "$pid" ] && [ "/proc/$pid/exe" -ef "$folder/agent" ] && kill -9 "$pid"
    pid=
    read -r pid <"$folder/watcher"
    case $(cat "/proc/$pid/cmdline") in
    *"$folder"*) kill "$pid" ;;
    esac
    rm -rf "$folder"
    [ -e "$folder" ] && printf '\n%s left %s\n\n' "$mark" "$folder"
done
printf '\n%s end\n' "$mark"
