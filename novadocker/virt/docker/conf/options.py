# SPDX-License-Identifier: Apache-2.0
"""The ``[docker]`` section of nova.conf."""

from importlib.metadata import entry_points
from pathlib import Path

from oslo_config import cfg, types

from novadocker.errors import ConfigurationError
from novadocker.policy import capabilities, sysctls
from novadocker.virt.docker.conf.networks import networks
from novadocker.virt.docker.conf.policy_files import bounds_of
from novadocker.virt.docker.conf.values import VRouterOptions

GROUP = cfg.OptGroup("docker", title="Docker Engine options")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "host_url",
        default="unix:///var/run/docker.sock",
        help="Where the Docker Engine listens: unix://PATH, or tcp://HOST:PORT for its TLS API.",
    ),
    cfg.BoolOpt(
        "api_insecure",
        default=False,
        help="Do not verify the engine's certificate. Only for tests.",
    ),
    cfg.StrOpt("ca_file", help="CA bundle that the engine's certificate is verified against."),
    cfg.StrOpt("cert_file", help="Client certificate shown to the engine."),
    cfg.StrOpt("key_file", help="Key of the client certificate."),
    cfg.IntOpt(
        "timeout",
        default=120,
        min=1,
        help="Seconds that one call to the engine may take without an answer.",
    ),
    cfg.IntOpt(
        # Apart from ``timeout``: a commit copies all that was written before the first answer.
        "snapshot_timeout",
        default=3600,
        min=1,
        help="Seconds that the engine may take to commit a container, and until an image that it "
        "saves begins to come. It gives no sign of life before, and goes over all that the "
        "server has written.",
    ),
    cfg.StrOpt(
        "criu",
        default="criu",
        help="CRIU 4.2 or newer, which writes the memory of suspended servers: a path, or a name "
        "below PATH. Needed for suspend and resume alone.",
    ),
    cfg.IntOpt(
        "checkpoint_timeout",
        default=300,
        min=1,
        help="Seconds that the memory of a server may take on its way to disk or back.",
    ),
    cfg.IntOpt(
        "max_image_size",
        default=0,
        min=0,
        help="GiB that one image may unpack to on this host; 0 is no limit. Without it, too, an "
        "image must fit into the root disk of its server's flavor, where that has one, and into "
        "half of what is free on the engine's disk less 1 GiB.",
    ),
    cfg.BoolOpt(
        "inject_key",
        default=True,
        help="Put a server's key pair into authorized_keys of the image's user.",
    ),
    cfg.BoolOpt(
        "inject_password",
        default=True,
        help="Give the password that Nova answers to a request for a server, or for its "
        "rebuild, to the user that its image names by os_admin_user, else to root; an image "
        "whose /etc/shadow has no such user is left as it is.",
    ),
    cfg.StrOpt(
        "snapshots_directory",
        deprecated_for_removal=True,
        deprecated_reason="Snapshots stream to Glance; no directory is needed.",
        help="Ignored: kept so that a nova.conf written for nova-docker still loads.",
    ),
    cfg.StrOpt(
        "volume_filesystems",
        default="checked",
        choices=[
            ("checked", "ext4 that e2fsck calls clean before every mount; blank ones get ext4"),
            ("any", "ext4 without a check; only where all tenants are trusted like root"),
            ("blank", "only those made here, on volumes that were blank"),
            ("none", "no volume at all"),
        ],
        help="Which file systems of tenants' volumes the kernel of this host mounts. A crafted "
        "file system is an attack on the kernel that mounts it.",
    ),
    cfg.BoolOpt(
        "volume_use_multipath",
        default=False,
        help="Connect volumes over several paths, where storage and host have them.",
    ),
    cfg.BoolOpt(
        # On by default: without remapping, root of a container is root of the host.
        "require_userns",
        default=True,
        help="Refuse to start on an engine without user namespace remapping.",
    ),
    cfg.IntOpt(
        # Never without a limit: the host's table of processes is shared by all containers.
        "pids_limit",
        default=1024,
        min=16,
        help="Processes and threads that one container may have, where its flavor does not say.",
    ),
    cfg.ListOpt(
        "allowed_capabilities",
        item_type=types.String(),
        default=list(capabilities.ALLOWED),
        help="Capabilities that a flavor may add by docker:cap_add. Some can be in no list, since "
        "they are rights over the host: SYS_ADMIN, SYS_MODULE, MKNOD and others.",
    ),
    cfg.ListOpt(
        "allowed_sysctls",
        item_type=types.String(),
        default=list(sysctls.NAMESPACED),
        help="Kernel parameters of the container's own namespaces that a flavor may set by "
        "docker:sysctl.NAME; '*' stands for the last word of a name.",
    ),
    cfg.StrOpt(
        "default_profile",
        default="baseline",
        help="Profile of flavors that name none by docker:profile: restricted, baseline, system, "
        "or one of profiles_file.",
    ),
    cfg.StrOpt(
        "profiles_file",
        help="File with profiles of your own, TOML; see docs/operator.md. Read at start.",
    ),
    cfg.StrOpt(
        "seccomp_profiles",
        help="Directory of seccomp profiles, NAME.json, that a flavor may choose by "
        "docker:seccomp=NAME. None may allow what the engine's default one withholds. Read at "
        "start.",
    ),
    cfg.ListOpt(
        "apparmor_profiles",
        item_type=types.String(),
        default=[],
        help="AppArmor profiles, loaded on this host, that a flavor may choose by docker:apparmor.",
    ),
    cfg.ListOpt(
        "runtimes",
        item_type=types.String(),
        default=[],
        help="Runtimes of the engine, beside its default, that a flavor may choose by "
        "docker:runtime, such as runsc. Hosts that have one carry the trait "
        "CUSTOM_DOCKER_RUNTIME_<NAME>.",
    ),
    cfg.HostAddressOpt(
        "migration_address",
        default="$my_ip",
        help="Address at which other hosts reach this one to send it a server's files.",
    ),
    cfg.Opt(
        "migration_ports",
        type=types.Range(min=1024, max=65535),
        default="49300-49363",
        help="TCP ports at that address, one for each server that comes at the same time; a "
        "port listens only while a server is on its way, for the one host that it comes from.",
    ),
    cfg.ListOpt(
        "dns_servers",
        item_type=types.String(),
        default=[],
        help="Resolvers for containers on subnets that name none.",
    ),
    cfg.BoolOpt(
        "metadata_by_dhcp",
        default=False,
        help="Whether Neutron's DHCP agents serve metadata on networks with a gateway too (their "
        "force_metadata, or enable_isolated_metadata where the gateway is no router of Neutron's): "
        "then the way to 169.254.169.254 leads to them, as a client of DHCP is told. OVN's ports "
        "need nothing.",
    ),
    cfg.StrOpt(
        # The engine keeps an old log beside the present one: a container may take twice as much.
        "log_max_size",
        default="8m",
        regex="^[1-9][0-9]{0,8}[kmg]?$",
        help="Size at which a container's console log is rotated (one old log is kept).",
    ),
    cfg.IntOpt(
        # Counted after the wait for Neutron, which has a limit of its own.
        "gate_timeout",
        default=30,
        min=1,
        help="Seconds that a started container may take until it waits at its start gate.",
    ),
    cfg.ListOpt(
        # Empty: a console is a shell in the server, and an address alone opens the port.
        "console_clients",
        item_type=types.String(),
        default=[],
        help="Addresses and networks (CIDR) of the hosts that run nova-serialproxy, beside this "
        "one. Connections to a server's serial console from anywhere else are refused.",
    ),
    cfg.IntOpt(
        "network_audit_interval",
        default=60,
        min=0,
        help="Seconds from one look at the networks of all running servers, which repairs what "
        "is no longer as it should be, to the next; 0 for none. It is taken along with Nova's "
        "own audit of resources, so update_resources_interval is the shortest.",
    ),
    cfg.StrOpt(
        "vrouter_plug",
        default="agent",
        choices=[
            ("agent", "by the vRouter agent's REST port API"),
            ("os_vif", "by the os-vif plugin 'vrouter' of the distribution, which runs a script"),
        ],
        help="How ports of Contrail, Tungsten Fabric and OpenSDN (VIF type vrouter) are plugged.",
    ),
    cfg.URIOpt(
        "vrouter_agent_url",
        default="http://127.0.0.1:9091",
        schemes=["http", "https"],
        help="Where the port API of this host's vRouter agent listens.",
    ),
    cfg.StrOpt(
        "vrouter_ports_directory",
        default="/var/lib/contrail/ports",
        help="Where the vRouter agent has its ports from when it starts.",
    ),
    cfg.IntOpt(
        "vrouter_patience",
        default=10,
        min=0,
        help="Seconds that a port of VIF type vrouter waits for an agent that is away; after "
        "that the port's file has to be enough, which the agent reads when it starts.",
    ),
    cfg.BoolOpt(
        "vrouter_synchronize",
        default=True,
        help="When nova-compute starts, let the vRouter agent remove ports that nobody "
        "announces any more. Every port that has a file is announced then, whoever has written "
        "it; turn this off if another program announces ports without files.",
    ),
    cfg.PortOpt(
        "metrics_port",
        default=0,
        help="TCP port where Prometheus reads the figures of this host's driver; 0 for none.",
    ),
    cfg.HostAddressOpt(
        # By default on this host alone: figures of a cloud are nobody's outside.
        "metrics_address",
        default="127.0.0.1",
        help="Address of metrics_port. Whoever reaches it reads all figures, none of which names "
        "a server or a tenant.",
    ),
    cfg.BoolOpt(
        # Refused with words rather than unknown: a nova.conf of nova-docker may have the option.
        "privileged",
        default=False,
        help="Refused. Grant single rights by flavor instead; see docs/operator.md.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register the section; safe to repeat.

    Args:
        conf: the configuration of nova-compute.
    """
    conf.register_group(GROUP)
    conf.register_opts(OPTIONS, group=GROUP)


def vrouter(conf: cfg.ConfigOpts) -> VRouterOptions:
    """Return how ports of Contrail are plugged.

    Args:
        conf: the configuration of nova-compute, parsed and registered.

    Returns:
        The options.
    """
    section = conf.docker
    return VRouterOptions(
        agent_url=section.vrouter_agent_url,
        ports_directory=Path(section.vrouter_ports_directory),
        patience=section.vrouter_patience,
        by_os_vif=section.vrouter_plug == "os_vif",
        synchronize=section.vrouter_synchronize,
    )


def refuse_unusable(conf: cfg.ConfigOpts) -> None:
    """Raise for what a file may say but we will not do.

    Args:
        conf: the configuration of nova-compute, parsed.

    Raises:
        ConfigurationError: an option asks for what this driver does not do.
    """
    if conf.docker.privileged:
        raise ConfigurationError(
            option="privileged",
            value=True,
            reason="containers never run privileged here; remove the option and grant the "
            "single right that is needed by flavor",
        )
    try:
        networks(conf.docker.console_clients)
    except ValueError as error:
        raise ConfigurationError(
            option="console_clients",
            value=",".join(conf.docker.console_clients),
            reason=f"{error}; list addresses and networks such as 192.0.2.0/24",
        ) from error
    # Read here and thrown away: a file that cannot be used ends the start, not the first boot.
    bounds_of(conf.docker)
    if conf.docker.vrouter_plug == "os_vif" and not entry_points(group="os_vif", name="vrouter"):
        raise ConfigurationError(
            option="vrouter_plug",
            value="os_vif",
            reason="os-vif has no plugin 'vrouter' here; install the distribution's, or take "
            "'agent', which needs none",
        )
    if conf.docker.api_insecure and conf.docker.host_url.startswith("unix:"):
        raise ConfigurationError(
            option="api_insecure",
            value=True,
            reason="it concerns TLS, and host_url is a Unix socket; remove it",
        )


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return our options for ``oslo-config-generator``.

    Returns:
        One pair of the group and its options.
    """
    return [(GROUP, OPTIONS)]
