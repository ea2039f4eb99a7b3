# SPDX-License-Identifier: Apache-2.0
"""Machine below a cloud: packages, ports, and the traces to take away again."""
