# SPDX-License-Identifier: Apache-2.0
"""Contents of a cloud: databases, identities, flavors, networks."""
