# SPDX-License-Identifier: Apache-2.0
"""Documents of a saved image: manifest, index, config, platform."""
