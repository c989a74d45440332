"""The policy lab: any reconnect policy on a day of faults, in virtual time.

`Lab` joins the model of the service with any policy and lives through a day in milliseconds;
policies of others are in `livestream_nb.policy.others`.
"""

from livestream_nb.lab.comparison import Comparison, Sweep
from livestream_nb.lab.faults import (
    ROUGH_DAY,
    Drops,
    Maintenance,
    Outages,
    Quiet,
    SecondConsumer,
    TokenExpiry,
)
from livestream_nb.lab.laboratory import Lab
from livestream_nb.lab.result import Result
from livestream_nb.lab.summary import Summary

__all__ = [
    "ROUGH_DAY",
    "Comparison",
    "Drops",
    "Lab",
    "Maintenance",
    "Outages",
    "Quiet",
    "Result",
    "SecondConsumer",
    "Summary",
    "Sweep",
    "TokenExpiry",
]
