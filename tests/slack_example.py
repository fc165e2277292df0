"""Four alerts of the science database, and the two messages that they are in Slack."""

from __future__ import annotations

COLUMNS = ["objectId", "candid", "cross_match_alerts_per_batch", "candidate_pid", "candidate_ra", "candidate_dec"]
ROWS = [
    ("ZTF17aabuwws", 697252840615015002, "RRLyr", 697252840615, 12.5901418, -13.2635671),
    ("ZTF17aabuxzj", 697252841215010003, "EB*WUMa", 697252841215, 9.8194532, -12.512629),
    ("ZTF18abosdxh", 697252845515010007, "RRLyr", 697252845515, 13.8237084, -7.6134186),
    ("ZTF18acsbtwe", 697252844515015002, "Unknown", 697252844515, 8.717752, -8.2367741),
]
RRLYR = """\
```
+------------+------------+-------------+----------------------------+
|objectId    |candidate_ra|candidate_dec|cross_match_alerts_per_batch|
+------------+------------+-------------+----------------------------+
|ZTF17aabuwws|12.5901418  |-13.2635671  |RRLyr                       |
|ZTF18abosdxh|13.8237084  |-7.6134186   |RRLyr                       |
+------------+------------+-------------+----------------------------+
```"""
EBWUMA = """\
```
+------------+------------+-------------+----------------------------+
|objectId    |candidate_ra|candidate_dec|cross_match_alerts_per_batch|
+------------+------------+-------------+----------------------------+
|ZTF17aabuxzj|9.8194532   |-12.512629   |EB*WUMa                     |
+------------+------------+-------------+----------------------------+
```"""
