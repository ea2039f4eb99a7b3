# SPDX-License-Identifier: Apache-2.0
import os_traits

from novadocker.virt.docker.host.processor import FEATURES, traits

CPUINFO = "processor\t: 0\nflags\t\t: fpu sse sse4_1 aes vmx avx512_vnni\n\nprocessor\t: 1\n"


def test_every_trait_is_one_that_placement_knows() -> None:
    """A name of our own would be refused."""
    assert set(FEATURES) <= set(os_traits.get_traits())


def test_the_processors_features_are_traits() -> None:
    """Those that a container can use; vmx is not among them."""
    assert {name for name, has in traits(CPUINFO).items() if has} == {
        "HW_CPU_X86_SSE",
        "HW_CPU_X86_SSE41",
        "HW_CPU_X86_AESNI",
        "HW_CPU_X86_AVX512VNNI",
    }


def test_another_architecture_has_none() -> None:
    """Its line is called otherwise."""
    assert not any(traits("processor\t: 0\nFeatures\t: fp asimd\n").values())


def test_this_hosts_processors_are_asked() -> None:
    """Whatever they are, all that we speak of is answered."""
    assert set(traits()) == set(FEATURES)
