# SPDX-License-Identifier: Apache-2.0
"""What is inside a cloud: databases, identities, flavors, networks."""
