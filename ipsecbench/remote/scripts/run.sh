# Runs the agent, after ending one that a lost connection left. Arguments: the folder, a line to say first, variables
# for its environment.
folder=$1 line=$2
shift 2
cd "$folder" || exit 125
agent=
[ -f agent.pid ] && read -r agent <agent.pid
[ -n "$agent" ] && [ "/proc/$agent/exe" -ef "$folder/agent" ] && kill -9 "$agent"
: >spoken
printf '%s\n' "$line"
# This shell stays, so that the agent's death is told from that of the connection.
sh -c 'echo $$ >agent.pid; exec env "$@"' sh "$@" ./agent
exit $?
