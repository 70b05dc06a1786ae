# Makes a private folder in which programs can be run. Arguments: a word that nobody can guess, the folder's name,
# KiB that are needed, how many periods of 15 s nobody may speak, how many it may live, places to try in order.
mark=$1 name=$2 need=$3 silence=$4 life=$5
shift 5
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
umask 077
say() { printf '\n%s %s\n' "$mark" "$1"; }
refuse() {
    rm -rf "$folder"
    say "refused $place"
    printf '%s\n' "$1"
}
free_kib() { df -kP "$1" | { read -r _; read -r _ _ _ free _; printf '%s' "$free"; }; }
for place in "$@"; do
    folder=$place/$name
    # Who finds a folder of that name there made it: nobody could know it.
    mkdir "$folder" || { say "refused $place"; echo 'no folder can be made there'; continue; }
    free=$(free_kib "$folder")
    case $free in
    '' | *[!0-9]*) ;;
    *) [ "$free" -ge "$need" ] || { refuse "only $free KiB are free there"; continue; } ;;
    esac
    printf '#!/bin/sh\nexit 7\n' >"$folder/try" && chmod 700 "$folder/try" || { refuse 'nothing can be written there'; continue; }
    "$folder/try"
    [ $? -eq 7 ] || { refuse 'nothing can be run there (mounted noexec)'; continue; }
    rm -f "$folder/try"
    printf '%s\n' "$WATCH" >"$folder/watch" && printf '%s\n' "$RUN" >"$folder/run" || { refuse 'nothing can be written there'; continue; }
    starter=
    command -v setsid >/dev/null && starter=setsid
    (
        cd / || exit
        trap '' HUP
        exec $starter sh "$folder/watch" "$folder" "$silence" "$life" </dev/null >/dev/null
    ) &
    say folder
    printf '%s\n' "$folder"
    break
done
say end
