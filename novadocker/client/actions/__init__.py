# SPDX-License-Identifier: Apache-2.0
"""What the commands do: words that were parsed in, columns out."""
