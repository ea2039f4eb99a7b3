# SPDX-License-Identifier: Apache-2.0
"""Storage of a cloud's volumes on this machine: a driver for Cinder, and a prepared share."""
