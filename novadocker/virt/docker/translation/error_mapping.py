# SPDX-License-Identifier: Apache-2.0
"""Errors of ours mapped to Nova's, by which Nova chooses the next step."""

import contextlib
from collections.abc import Iterator

from nova import exception

from novadocker import errors
from novadocker.virt.nova_types import Instance


@contextlib.contextmanager
def as_nova_errors(instance: Instance) -> Iterator[None]:
    """Raise our errors as Nova's.

    Args:
        instance: server of the operation.

    Yields:
        Nothing.

    Raises:
        nova.exception.NovaException: or one of its kinds, for each of ours.
    """
    try:
        yield
    except errors.ContainerNotFound as error:
        raise exception.InstanceNotFound(instance_id=instance.uuid) from error
    except errors.CrashDumpRefused as error:
        raise exception.TriggerCrashDumpNotSupported(str(error)) from error
    except errors.ConsoleUnavailable as error:
        raise exception.InstanceNotReady(str(error), instance_id=instance.uuid) from error
    except errors.EngineUnavailable as error:
        raise exception.HypervisorUnavailable(message=str(error)) from error
    except errors.DockerDriverError as error:
        raise exception.NovaException(str(error)) from error


@contextlib.contextmanager
def as_password_errors(instance: Instance) -> Iterator[None]:
    """Raise errors of ours as the reason why a password was not set, for the tenant.

    Args:
        instance: server with the new password.

    Yields:
        Nothing.

    Raises:
        nova.exception.SetAdminPasswdNotSupported: the image cannot, or the password is none.
        nova.exception.NovaException: for each other of ours.
    """
    try:
        with as_nova_errors(instance):
            yield
    except exception.NovaException as error:
        if isinstance(error.__cause__, (errors.PasswordNotSet, errors.PolicyRefused)):
            raise exception.SetAdminPasswdNotSupported(str(error.__cause__)) from error
        raise


@contextlib.contextmanager
def as_snapshot_errors(instance: Instance) -> Iterator[None]:
    """Raise errors of ours so that Nova gives up a snapshot and frees the server.

    Nova takes the absence of an instance for its deletion, and leaves it to that to end the
    task; a server whose container is lost would never be without one again.

    Args:
        instance: server of the snapshot.

    Yields:
        Nothing.

    Raises:
        nova.exception.NovaException: for each of ours.
        nova.exception.InstanceNotRunning: it has no container.
    """
    try:
        with as_nova_errors(instance):
            yield
    except exception.InstanceNotFound as error:
        if isinstance(error.__cause__, errors.ContainerNotFound):
            raise exception.InstanceNotRunning(str(error.__cause__)) from error
        raise


@contextlib.contextmanager
def as_rollback(
    instance: Instance,
    failure: type[exception.InstanceSuspendFailure] | type[exception.InstanceResumeFailure],
) -> Iterator[None]:
    """Raise our errors as those by which Nova leaves a server in its state, with the reason.

    Args:
        instance: Nova's record of the server.
        failure: kind of Nova's failure, which takes a reason.

    Raises:
        nova.exception.InstanceFaultRollback: for each of ours.
    """
    try:
        with as_nova_errors(instance):
            yield
    except exception.NovaException as error:
        reason = error.__cause__ or error
        raise exception.InstanceFaultRollback(failure(reason=reason)) from error


@contextlib.contextmanager
def as_refused_resize() -> Iterator[None]:
    """Raise errors of ours as errors of Nova's that leave a server in its state.

    Yields:
        Nothing.

    Raises:
        nova.exception.InstanceFaultRollback: for each of ours.
    """
    try:
        yield
    except errors.DockerDriverError as error:
        # A rollback, not an error: nothing was changed, and the server runs on.
        raise exception.InstanceFaultRollback(exception.ResizeError(reason=str(error))) from error


@contextlib.contextmanager
def as_failed_check() -> Iterator[None]:
    """Raise errors of ours as the refusal of a live migration, which leaves the server as it is.

    Yields:
        Nothing.

    Raises:
        nova.exception.MigrationPreCheckError: for each of ours.
    """
    try:
        yield
    except errors.DockerDriverError as error:
        raise exception.MigrationPreCheckError(reason=str(error)) from error


@contextlib.contextmanager
def as_refused_rebuild(instance: Instance) -> Iterator[None]:
    """Raise refusals of ours as errors of Nova's that leave a server in its state.

    Args:
        instance: server with a rebuild that has not begun.

    Yields:
        Nothing.

    Raises:
        nova.exception.InstanceFaultRollback: for each of ours.
    """
    try:
        yield
    except errors.PolicyRefused as error:
        refusal = exception.BuildAbortException(instance_uuid=instance.uuid, reason=str(error))
        raise exception.InstanceFaultRollback(refusal) from error


@contextlib.contextmanager
def as_build_errors(instance: Instance) -> Iterator[None]:
    """Raise errors of ours as errors of a build in Nova.

    Args:
        instance: server in its build.

    Yields:
        Nothing.

    Raises:
        nova.exception.BuildAbortException: the request is at fault.
        nova.exception.NovaException: this host is; Nova may try another.
    """
    try:
        yield
    except errors.ImageFetchFailed as error:
        raise exception.NovaException(str(error)) from error
    except (
        errors.ImageError,
        errors.PolicyRefused,
        errors.VifRefused,
        errors.VolumeRefused,
        errors.TrunkRefused,
        errors.PlugTimeout,
    ) as error:
        raise exception.BuildAbortException(
            instance_uuid=instance.uuid, reason=str(error)
        ) from error
    except errors.DockerDriverError as error:
        raise exception.NovaException(str(error)) from error
