# SPDX-License-Identifier: Apache-2.0
"""Images of ready applications, for the examples and the catalogue."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from novadocker.cloud.samples import packaged
from novadocker.cloud.samples.sample import Sample

_START = "usr/local/bin/start"

_REDIS = b"""\
#!/bin/sh
# PASSWORD, if it is set, is asked of every client.
mkdir -p /var/lib/redis
set -- --bind 0.0.0.0 --dir /var/lib/redis --save 60 1
[ -z "$PASSWORD" ] && exec redis-server "$@" --protected-mode no
exec redis-server "$@" --requirepass "$PASSWORD"
"""

_GUESTBOOK = b"""\
#!/bin/sh
# A shell stays the first process: httpd has no handler for TERM.
trap 'kill $!; exit 0' TERM INT
echo "$(hostname) keeps its guests at $DATABASE"
httpd -f -p 80 -h /www &
wait $!
"""
_GUESTS = b"""\
#!/bin/sh
# Each visit is counted in the database, and said back.
echo "Content-Type: text/plain"
echo
count=$({ printf 'AUTH %s\\r\\n' "${PASSWORD:-none}"; printf 'INCR guests\\r\\nQUIT\\r\\n'; } |
    nc -w 3 "$DATABASE" 6379 | tr -d '\\r' | sed -n 's/^://p')
if [ -n "$count" ]; then
    echo "Guest number $count, welcome to ${TITLE:-the guest book}"
else
    echo "The database at $DATABASE does not answer"
fi
"""

_NGINX = b"""\
#!/bin/sh
# TITLE and TEXT are the page, unless something else was put there.
mkdir -p /var/www/html /var/lib/nginx /var/log/nginx
[ -e /var/www/html/index.html ] || printf '<!doctype html><title>%s</title><h1>%s</h1><p>%s\\n' \\
    "$TITLE" "$TITLE" "$TEXT" >/var/www/html/index.html
exec nginx -c /etc/nginx/site.conf
"""
_NGINX_CONF = b"""\
daemon off;
worker_processes 1;
user nobody nogroup;
error_log /dev/stderr;
pid /run/nginx.pid;
events {}
http {
    include /etc/nginx/mime.types;
    access_log /dev/stdout;
    server {
        listen 80;
        root /var/www/html;
    }
}
"""

_HAPROXY = b"""\
#!/bin/sh
# BACKENDS are the addresses behind, separated by blanks or commas.
sed '/^#/d' /etc/haproxy/balancer.cfg >/run/haproxy.cfg
for address in $(echo "$BACKENDS" | tr -s '[]", ' ' '); do
    echo "    server web-$address $address:80 check inter 1s" >>/run/haproxy.cfg
done
exec haproxy -W -f /run/haproxy.cfg
"""
_HAPROXY_CONF = b"""\
# What start completes.
global
    log stdout format raw daemon
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch
frontend all
    bind :80
    default_backend web
backend web
    balance roundrobin
"""

_MOSQUITTO = b"""\
#!/bin/sh
# Whoever gives NAME and PASSWORD may publish and subscribe; without them, everybody.
conf=/run/mosquitto.conf
mkdir -p /var/lib/mosquitto
printf '%s\\n' 'listener 1883' 'user root' 'persistence true' \\
    'persistence_location /var/lib/mosquitto/' >$conf
if [ -n "$NAME" ]; then
    (umask 077 && : >/run/passwords)
    mosquitto_passwd -b /run/passwords "$NAME" "$PASSWORD"
    printf 'password_file /run/passwords\\n' >>$conf
else
    printf 'allow_anonymous true\\n' >>$conf
fi
exec mosquitto -c $conf
"""


def _sample(name: str, packages: Sequence[str], files: Mapping[str, bytes]) -> Sample:
    modes = {
        path: (content, 0o755 if content.startswith(b"#!") else 0o644)
        for path, content in files.items()
    }
    build: Callable[[Path], None] = partial(packaged.write, packages=packages, files=modes)
    return Sample(name, (f"/{_START}",), Path(__file__), build)


REDIS = _sample("redis", ("redis-server", "redis-tools"), {_START: _REDIS})
GUESTBOOK = _sample("guestbook", (), {_START: _GUESTBOOK, "www/cgi-bin/index.cgi": _GUESTS})
NGINX = _sample(
    "nginx",
    ("nginx", "nginx-common", "nginx-light"),
    {_START: _NGINX, "etc/nginx/site.conf": _NGINX_CONF},
)
HAPROXY = _sample(
    "haproxy", ("haproxy",), {_START: _HAPROXY, "etc/haproxy/balancer.cfg": _HAPROXY_CONF}
)
MOSQUITTO = _sample("mosquitto", ("mosquitto",), {_START: _MOSQUITTO})

APPLICATIONS = {sample.name: sample for sample in (REDIS, GUESTBOOK, NGINX, HAPROXY, MOSQUITTO)}
