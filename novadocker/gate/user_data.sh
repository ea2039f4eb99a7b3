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
fi
exec "$@"
