# SPDX-License-Identifier: Apache-2.0
"""Groups of the Docker Engine's API calls, one module for each kind of resource."""
