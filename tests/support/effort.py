# SPDX-License-Identifier: BSD-2-Clause

"""How hard hypothesis tries: all examples and new ones in ``make thorough``, elsewhere a share.

Elsewhere each run tries the same examples, so that a failure is one of the change at hand.
"""

from typing import Any

from hypothesis import HealthCheck, settings

ALL = 100
"""`max_examples` of the profile that tries them all; hypothesis' own default."""

PROFILES = {"quick": 15, "usual": 40, "thorough": ALL}
"""Per cent of the examples by name of a profile, which ``--hypothesis-profile`` chooses."""

LEAST = 4


def register_profiles() -> None:
    """Make the profiles known to hypothesis, and load the usual one."""
    for name, share in PROFILES.items():
        # A busy machine is not a failure; time is asserted where it is promised.
        settings.register_profile(
            name,
            max_examples=share,
            # Fixed seeds, and no memory of the failures of earlier runs.
            derandomize=name != "thorough",
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile("usual")


def examples(count: int, **more: Any) -> settings:
    """Settings of a test that tries `count` examples in ``make thorough``.

    Parameters
    ----------
    count : int
    more
        Further settings of hypothesis.
    """
    share = count * settings.default.max_examples // ALL
    return settings(max_examples=max(min(count, LEAST), share), **more)
