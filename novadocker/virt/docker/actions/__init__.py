# SPDX-License-Identifier: Apache-2.0
"""Operations on servers: boot, power, rescue, resize, interfaces, snapshot, recovery."""
