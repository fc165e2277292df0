"""The rules that kube-proxy, kubelet and the CNI plugins leave in the packet filter."""

from __future__ import annotations

import itertools
import shlex

from testbed.commands import run

OURS = ("KUBE-", "CNI-")


def clean() -> None:
    """Delete their chains and every rule that leads to one."""
    for version in ("", "6"):
        text = _deletions(run([f"ip{version}tables-save"]))
        if text:
            run([f"ip{version}tables-restore", "--noflush"], stdin=text)


def _deletions(saved: str) -> str:
    """What to feed to iptables-restore, made from what iptables-save prints."""
    lines: list[str] = []
    for table in saved.split("COMMIT"):
        rows = table.strip().splitlines()
        head = [row for row in rows if row.startswith("*")]
        chains = [row[1:].split()[0] for row in rows if row.startswith(":")]
        chains = [chain for chain in chains if chain.startswith(OURS)]
        jumps = [row for row in rows if row.startswith("-A") and _leads_to_ours(row)]
        if chains:
            lines += head
            lines += [row.replace("-A", "-D", 1) for row in jumps]
            lines += [f"-F {chain}" for chain in chains]
            lines += [f"-X {chain}" for chain in chains]
            lines.append("COMMIT")
    return "\n".join([*lines, ""]) if lines else ""


def _leads_to_ours(rule: str) -> bool:
    words = shlex.split(rule)
    chain, target = words[1], next((b for a, b in itertools.pairwise(words) if a in {"-j", "-g"}), "")
    return target.startswith(OURS) and not chain.startswith(OURS)
