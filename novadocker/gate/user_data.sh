#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# user_data.sh INSTANCE COMMAND [ARGUMENT...]
#
# What the start gate becomes in a server whose image asks for it (docker_user_data=run):
# runs the user data if they are a script and did not run on this instance before, and then
# becomes COMMAND. Needs nothing of the image but /bin/sh.

ran=/var/lib/cloud/instances/$1/sem/nova_docker_user_data
script=${0%/*}/user-data
shift

if [ -e "$ran" ]; then
    :
elif ! [ -e "$script" ]; then
    echo "[nova-docker] the user data do not begin with #! and were left alone"
elif ! (: >"$ran") 2>/dev/null; then
    echo "[nova-docker] the user data were not run: $ran cannot be written"
else
    "$script" </dev/null
    code=$?
    [ "$code" -eq 0 ] || echo "[nova-docker] the user data ended with exit code $code"
    # The shell says "not found" of the script where the interpreter is missing.
    read -r first <"$script"
    first=${first#??}
    interpreter=${first#"${first%%[! ]*}"}
    interpreter=${interpreter%% *}
    case $first in
    *"$(printf '\r')") echo "[nova-docker] the user data's lines end in CR LF; LF is wanted" ;;
    *) [ -x "$interpreter" ] || echo "[nova-docker] the image has no $interpreter" ;;
    esac
fi
exec "$@"
