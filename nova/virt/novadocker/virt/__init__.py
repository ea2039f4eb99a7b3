# SPDX-License-Identifier: Apache-2.0
"""Import shim only: see novadocker.virt.docker.discovery."""
