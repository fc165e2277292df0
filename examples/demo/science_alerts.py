"""Science alerts like ZTF's after Fink's processing, made from a seed: the same arguments give the same alerts.

    python examples/demo/science_alerts.py --rows 1000 --out /tmp/science

Column names and types are those of Fink's Science Database. Among the alerts are supernova candidates, known and suspected
asteroids, variable stars, bogus detections and microlensing candidates, so that the usual filters let some of them through.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_CANDID = 975_000_000_000_000_000  # 18 digits, as ZTF's; a double would not hold them
FIRST_JD = 2_461_000.5  # 2025-11-20, 00:00 UTC
JD_OF_1970 = 2_440_587.5
STAMP_POOL = 64  # different stamps; compressing one for each alert would take most of the time
HISTORY = 40  # epochs at most before the alert
NIGHTS = 3  # the alerts of one call lie in so many nights

# What an alert is, how often, and what Fink's science modules make of it: (cross-match, weight).
KINDS: tuple[tuple[str, float], ...] = (
    ("star", 0.46),
    ("supernova", 0.08),
    ("asteroid", 0.18),
    ("unknown", 0.14),
    ("galaxy", 0.08),
    ("bogus", 0.06),
)
MATCHES: Mapping[str, tuple[str, ...]] = {
    "star": ("RRLyr", "EB*", "EB*WUMa", "LPV*", "V*", "YSO", "CataclyV*", "Star"),
    "supernova": ("Galaxy", "Unknown", "EmG", "Seyfert", "QSO"),
    "asteroid": ("Unknown",),
    "unknown": ("Unknown", "Fail"),
    "galaxy": ("AGN", "QSO", "Seyfert_1", "Blazar", "Galaxy"),
    "bogus": ("Unknown", "Star"),
}

_DETECTION = [
    ("jd", pa.float64()),
    ("fid", pa.int32()),
    ("pid", pa.int64()),
    ("diffmaglim", pa.float32()),
    ("programid", pa.int32()),
    ("candid", pa.int64()),
    ("isdiffpos", pa.string()),
    ("nid", pa.int32()),
    ("field", pa.int32()),
    ("ra", pa.float64()),
    ("dec", pa.float64()),
    ("magpsf", pa.float32()),
    ("sigmapsf", pa.float32()),
    ("magap", pa.float32()),
    ("sigmagap", pa.float32()),
    ("distnr", pa.float32()),
    ("magnr", pa.float32()),
    ("sigmagnr", pa.float32()),
    ("fwhm", pa.float32()),
    ("classtar", pa.float32()),
    ("rb", pa.float32()),
    ("ssdistnr", pa.float32()),
    ("ssmagnr", pa.float32()),
    ("ssnamenr", pa.string()),
    ("magzpsci", pa.float32()),
]
CANDIDATE = pa.struct(
    [
        *_DETECTION,
        ("ndethist", pa.int32()),
        ("ncovhist", pa.int32()),
        ("jdstarthist", pa.float64()),
        ("jdendhist", pa.float64()),
        ("objectidps1", pa.int64()),
        ("sgscore1", pa.float32()),
        ("distpsnr1", pa.float32()),
        ("neargaia", pa.float32()),
        ("exptime", pa.float32()),
        ("drb", pa.float32()),
        ("drbversion", pa.string()),
    ]
)
PREVIOUS = pa.struct(_DETECTION)
CUTOUT = pa.struct([("fileName", pa.string()), ("stampData", pa.binary())])
FEATURES = pa.struct([(name, pa.float64()) for name in ("mean", "amplitude", "linear_fit_slope", "chi2", "skew")])
SCHEMA = pa.schema(
    [
        ("schemavsn", pa.string()),
        ("publisher", pa.string()),
        ("objectId", pa.string()),
        ("candid", pa.int64()),
        ("candidate", CANDIDATE),
        ("prv_candidates", pa.list_(PREVIOUS)),
        ("cutoutScience", CUTOUT),
        ("cutoutTemplate", CUTOUT),
        ("cutoutDifference", CUTOUT),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("cdsxmatch", pa.string()),
        ("DR3Name", pa.string()),
        ("Plx", pa.float32()),
        ("e_Plx", pa.float32()),
        ("gcvs", pa.string()),
        ("vsx", pa.string()),
        ("tns", pa.string()),
        ("mangrove", pa.map_(pa.string(), pa.string())),
        ("roid", pa.int32()),
        ("rf_snia_vs_nonia", pa.float64()),
        ("snn_snia_vs_nonia", pa.float64()),
        ("snn_sn_vs_all", pa.float64()),
        ("mulens", pa.float64()),
        ("nalerthist", pa.int32()),
        ("rf_kn_vs_nonkn", pa.float64()),
        ("tracklet", pa.string()),
        ("anomaly_score", pa.float64()),
        ("lc_features_g", FEATURES),
        ("lc_features_r", FEATURES),
        ("fink_broker_version", pa.string()),
        ("fink_science_version", pa.string()),
    ]
)


def generate(rows: int, seed: int, first_id: int = 0) -> pa.Table:
    """`rows` alerts with the columns of SCHEMA, sorted by time.

    `first_id` numbers them: two calls whose ranges [first_id, first_id + rows) do not overlap share no candid.
    """
    random = np.random.default_rng([seed, first_id])
    kinds = random.choice([kind for kind, _ in KINDS], size=rows, p=[weight for _, weight in KINDS])
    stamps = [_stamp(random) for _ in range(STAMP_POOL)]
    jd = np.sort(FIRST_JD + random.integers(0, NIGHTS, rows) + random.uniform(0.1, 0.5, rows))
    alerts = [_alert(random, str(kinds[row]), first_id + row, float(jd[row]), stamps) for row in range(rows)]
    return pa.Table.from_pylist(alerts, schema=SCHEMA)


def write(folder: Path, table: pa.Table, files: int) -> list[Path]:
    """Write the alerts below `folder` as year=/month=/day= folders of Parquet files, about `files` in all.

    Each file is written under a hidden name, which readers ignore, and then renamed: it is there whole or not at all.
    """
    days: dict[tuple[int, int, int], list[int]] = {}
    for row, time in enumerate(table.column("timestamp").to_pylist()):
        days.setdefault((time.year, time.month, time.day), []).append(row)
    per_file = max(1, -(-table.num_rows // files))
    written = []
    for (year, month, day), rows in sorted(days.items()):
        place = folder / f"year={year:04d}" / f"month={month:02d}" / f"day={day:02d}"
        place.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(rows), per_file):
            part = table.take(rows[start : start + per_file])
            # Named after its first alert, so that alerts written later do not replace it.
            file = place / f"part-{part.column('candid')[0].as_py()}.parquet"
            hidden = file.with_name(f".{file.name}.writing")
            pq.write_table(part, hidden, compression="snappy")
            hidden.rename(file)
            written.append(file)
    return written


def _alert(random: np.random.Generator, kind: str, number: int, jd: float, stamps: list[bytes]) -> dict[str, Any]:
    candid = FIRST_CANDID + number * 1000 + 15
    candidate = _detection(random, kind, jd, candid)
    epochs = int(random.integers(0, HISTORY)) if kind != "asteroid" else int(random.integers(0, 3))
    started = jd - float(random.uniform(0.5, 60)) if kind == "supernova" else jd - float(random.uniform(1, 2500))
    candidate |= {
        "ndethist": epochs + 1,
        "ncovhist": epochs * 3 + 10,
        "jdstarthist": started if epochs else jd,
        "jdendhist": jd,
        "objectidps1": int(random.integers(10**16, 10**18)),
        "sgscore1": float(random.uniform(0, 1)),
        "distpsnr1": float(random.exponential(3)),
        "neargaia": float(random.exponential(20)),
        "exptime": 30.0,
        "drb": float(random.uniform(0, 0.4) if kind == "bogus" else 1 - random.exponential(0.05) % 1),
        "drbversion": "d6_m7",
    }
    object_number = number if kind == "asteroid" else number // 3
    return {
        "schemavsn": "4.02",
        "publisher": "Fink",
        "objectId": f"ZTF25a{_letters(object_number)}",
        "candid": candid,
        "candidate": candidate,
        "prv_candidates": _history(random, kind, jd, started, epochs),
        **{
            f"cutout{name}": {
                "fileName": f"candid{candid}_targ_{name[:3].lower()}.fits.gz",
                "stampData": stamps[int(random.integers(len(stamps)))],
            }
            for name in ("Science", "Template", "Difference")
        },
        "timestamp": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - JD_OF_1970),
        **_science(random, kind, epochs),
        "fink_broker_version": "5.0",
        "fink_science_version": "8.0.0",
    }


def _science(random: np.random.Generator, kind: str, epochs: int) -> dict[str, Any]:
    """What Fink's science modules would say."""
    supernova = kind == "supernova"
    is_sn = float(random.beta(6, 2) if supernova else random.beta(1, 9))
    is_ia = float(random.beta(4, 3) if supernova else random.beta(1, 12))
    known = kind == "asteroid" and bool(random.uniform() < 0.7)
    in_gaia = kind == "star" and bool(random.uniform() < 0.9)
    enough = epochs >= 4  # below it the features of a light curve do not exist
    return {
        "cdsxmatch": str(random.choice(MATCHES[kind])),
        "DR3Name": f"Gaia DR3 {random.integers(10**17, 9 * 10**18)}" if in_gaia else None,
        "Plx": float(random.exponential(0.5)) if in_gaia else None,
        "e_Plx": float(random.exponential(0.1)) if in_gaia else None,
        "gcvs": "Unknown",
        "vsx": "RRAB" if kind == "star" and random.uniform() < 0.2 else "Unknown",
        "tns": "SN Ia" if supernova and random.uniform() < 0.1 else "",
        "mangrove": [("HyperLEDA_name", "None"), ("2MASS_name", "None"), ("lum_dist", "None"), ("ang_dist", "None")],
        "roid": 3 if known else int(random.choice([1, 2])) if kind == "asteroid" else 0,
        "rf_snia_vs_nonia": is_ia if enough else 0.0,
        "snn_snia_vs_nonia": is_ia,
        "snn_sn_vs_all": is_sn,
        "mulens": float(random.beta(1, 40)) if enough else float("nan"),
        "nalerthist": epochs + 1,
        "rf_kn_vs_nonkn": float(random.beta(1, 30)) if epochs < 10 else 0.0,
        "tracklet": f"TRCK_{random.integers(10**6):06d}" if kind == "asteroid" and not known else "",
        "anomaly_score": float(random.normal(-0.4, 0.1)),
        "lc_features_g": _features(random) if enough else None,
        "lc_features_r": _features(random) if enough else None,
    }


def _features(random: np.random.Generator) -> dict[str, float]:
    values = random.normal(size=5)
    return dict(zip(("mean", "amplitude", "linear_fit_slope", "chi2", "skew"), map(float, values), strict=True))


def _detection(random: np.random.Generator, kind: str, jd: float, candid: int) -> dict[str, Any]:
    asteroid = kind == "asteroid"
    magnitude = float(random.normal(18.7, 1.0))
    return {
        "jd": jd,
        "fid": int(random.choice([1, 2])),
        "pid": candid // 1000,
        "diffmaglim": float(random.normal(20.3, 0.4)),
        "programid": 1,
        "candid": candid,
        "isdiffpos": "t" if random.uniform() < 0.8 else "f",
        "nid": int(jd - 2_457_000),
        "field": int(random.integers(200, 900)),
        "ra": float(random.uniform(0, 360)),
        "dec": float(np.degrees(np.arcsin(random.uniform(-0.5, 1)))),
        "magpsf": magnitude,
        "sigmapsf": float(random.exponential(0.1)),
        "magap": magnitude + float(random.normal(0, 0.05)),
        "sigmagap": float(random.exponential(0.1)),
        "distnr": float(random.exponential(2)),
        "magnr": float(random.normal(18, 2)),
        "sigmagnr": float(random.exponential(0.05)),
        "fwhm": float(random.normal(2.2, 0.4)),
        "classtar": float(random.beta(8, 2)),
        "rb": float(random.beta(1, 3) if kind == "bogus" else random.beta(8, 2)),
        "ssdistnr": float(random.uniform(0, 10)) if asteroid else -999.0,
        "ssmagnr": magnitude if asteroid else -999.0,
        "ssnamenr": str(random.integers(1000, 700_000)) if asteroid else "null",
        "magzpsci": 26.2,
    }


def _history(
    random: np.random.Generator, kind: str, jd: float, started: float, epochs: int
) -> list[dict[str, Any]] | None:
    """Earlier epochs, oldest first; some are upper limits, which have a limiting magnitude and nothing measured."""
    if epochs == 0:
        return None
    found = []
    for number, time in enumerate(np.sort(random.uniform(max(started, jd - 30), jd, epochs))):
        epoch = _detection(random, kind, float(time), FIRST_CANDID - 10**12 + number)
        if random.uniform() < 0.3:
            limits = {"jd", "fid", "pid", "diffmaglim", "programid", "nid", "field", "magzpsci"}
            epoch = {name: value if name in limits else None for name, value in epoch.items()}
        found.append(epoch)
    return found


def _stamp(random: np.random.Generator) -> bytes:
    """A gzipped image of 63 x 63 pixels: a point source in noise, a FITS header's worth of text before it."""
    y, x = np.mgrid[-31:32, -31:32]
    image = random.normal(0, 8, (63, 63)) + 3000 * np.exp(-(x**2 + y**2) / float(random.uniform(3, 9)))
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2"]
    cards += ["NAXIS1  =                   63", "NAXIS2  =                   63", "END"]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    # Rounded, as ZTF's stamps are quantized: full float noise would not compress.
    pixels = np.round(image).astype(">f4").tobytes()
    body = pixels + b"\0" * (-len(pixels) % 2880)
    return gzip.compress(header + body, compresslevel=6, mtime=0)


def _letters(number: int) -> str:
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return letters


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rows", default=1000, show_default=True, type=click.IntRange(1), help="How many alerts.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same alerts.")
@click.option("--first-id", default=0, show_default=True, help="The number of the first alert, for a second drop.")
@click.option("--files", default=4, show_default=True, type=click.IntRange(1), help="About how many files.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write to.")
def main(rows: int, seed: int, first_id: int, files: int, out: Path) -> None:
    """Write science alerts like ZTF's, as partitioned Parquet files.

    A job that watches the folder sees each file whole. For more alerts in the same folder, raise --first-id by --rows.
    """
    written = write(out, generate(rows, seed, first_id), files)
    size = sum(file.stat().st_size for file in written)
    click.echo(f"{rows} alerts in {len(written)} files ({size / rows / 1000:.1f} kB an alert) below {out}")


if __name__ == "__main__":
    main()
