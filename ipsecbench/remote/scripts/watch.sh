# Ends the agent and removes the folder when nobody has spoken for too long. Arguments: the folder, how many periods of
# 15 s nobody may speak, how many it may live.
folder=$1 silence=$2 life=$3
exec 2>/dev/null
echo $$ >"$folder/watcher"
nap=
trap 'kill "$nap"; exit 0' TERM INT
quiet=0 age=0 last=
while [ -d "$folder" ]; do
    sleep 15 &
    nap=$!
    wait "$nap"
    age=$((age + 1)) now= agent=
    # An agent that was spoken to did something; its counters of time and faults say so.
    read -r agent <"$folder/agent.pid"
    if [ -n "$agent" ] && [ "/proc/$agent/exe" -ef "$folder/agent" ]; then
        read -r now <"/proc/$agent/stat"
    fi
    if [ -e "$folder/spoken" ]; then
        rm -f "$folder/spoken"
        now="$now $age"
    fi
    if [ "$now" = "$last" ]; then quiet=$((quiet + 1)); else quiet=0; fi
    last=$now
    if [ "$quiet" -ge "$silence" ] || [ "$age" -ge "$life" ]; then
        [ "/proc/$agent/exe" -ef "$folder/agent" ] && kill -9 "$agent"
        rm -rf "$folder"
    fi
done
