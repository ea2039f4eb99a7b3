# shellcheck shell=bash
# DevStack's plug-in for nova-docker. In local.conf:
#   enable_plugin nova-docker <repository> [branch]
# DevStack sources this file in each phase, with the phase's name as arguments.

novadocker_configure_engine() {
    sudo mkdir -p "$(dirname "$NOVADOCKER_ENGINE_CONF")"
    # Servers get their networks from Neutron; users of containers are nobody on the host.
    sudo tee "$NOVADOCKER_ENGINE_CONF" >/dev/null <<'EOF'
{
  "userns-remap": "default",
  "live-restore": true,
  "bridge": "none",
  "iptables": false
}
EOF
}

novadocker_install() {
    is_package_installed docker.io || is_package_installed docker-ce || install_package docker.io
    # The start gate is compiled when the package is built.
    is_package_installed gcc || install_package gcc libc6-dev
    novadocker_configure_engine
    restart_service docker
    add_user_to_group "$STACK_USER" docker
    pip_install "$NOVADOCKER_DIR"
}

novadocker_configure() {
    local conf
    # nova-compute's own file is a copy, made of nova.conf when DevStack starts the service.
    for conf in "$NOVA_CONF" "$NOVA_CPU_CONF"; do
        [ -f "$conf" ] || continue
        iniset "$conf" DEFAULT compute_driver novadocker.virt.docker.DockerDriver
        iniset "$conf" docker host_url "$NOVADOCKER_ENGINE"
        iniset "$conf" docker metrics_port "$NOVADOCKER_METRICS_PORT"
        # There is no screen to look at: a console is a shell.
        iniset "$conf" vnc enabled False
        iniset "$conf" serial_console enabled True
        # Containers share processors, and most servers of a trial do nothing.
        iniset "$conf" DEFAULT cpu_allocation_ratio 32.0
    done
}

novadocker_upload_sample() {
    [ -n "$NOVADOCKER_SAMPLE" ] || return 0
    sudo docker pull --quiet "$NOVADOCKER_SAMPLE"
    sudo docker save "$NOVADOCKER_SAMPLE" |
        openstack --os-cloud devstack-admin image create --public --container-format docker \
            --disk-format raw --property hypervisor_type=docker \
            --property os_command_line="$NOVADOCKER_SAMPLE_COMMAND" "${NOVADOCKER_SAMPLE%%:*}"
}

novadocker_clean() {
    # Containers of servers outlive nova-compute: what carries its label goes with the cloud.
    local left
    left=$(sudo docker ps --all --quiet --filter label=novadocker.instance)
    # shellcheck disable=SC2086 # each word is the id of a container
    [ -z "$left" ] || sudo docker rm --force --volumes $left >/dev/null
}

if is_service_enabled n-cpu; then
    case "$1 ${2:-}" in
    "stack install") novadocker_install ;;
    "stack post-config") novadocker_configure ;;
    "stack test-config") novadocker_upload_sample ;;
    "unstack ") novadocker_clean ;;
    "clean ") novadocker_clean ;;
    *) : ;; # the other phases have nothing for us
    esac
fi
