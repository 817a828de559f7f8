"""Measurements as tables for people."""

from veilface.cli.output import milliseconds, say, table
from veilface.evaluate.benchmark import VerificationBench
from veilface.evaluate.pipeline import PipelineBench
from veilface.evaluate.rounds import ProtectionBench
from veilface.evaluate.search_benchmark import SearchBench, SearchRow
from veilface.evaluate.stopwatch import Spread
from veilface.messages import text

STAGE_COLUMNS = ("cli.column.stage", "cli.column.median", "cli.column.minimum")
SEARCH_COLUMNS = ("bench.encrypted", "bench.plaintext", "cli.column.read", "cli.column.ratio", "cli.column.bandwidth")
QUERY_COLUMNS = (
    "cli.column.query",
    "cli.column.keyholder",
    "cli.column.prepare",
    "cli.column.exchanged",
    "cli.column.memory",
)
SIDE_BY_SIDE = ("protect_template", "enrol", "protect", "prepare", "match", "keyholder", "answer", "server_path")
SIDE_BY_SIDE_BYTES = ("template", "probe", "public_key", "evidence")


def show_verification(report: VerificationBench) -> None:
    """The protections side by side; then encryption beside its peer and the floor: times, sizes, error."""
    _show_protections(report.protections)
    for title, spreads in (
        ("bench.title.veilface", report.veilface),
        ("bench.title.tenseal", report.tenseal),
        ("bench.title.numpy", report.numpy),
    ):
        table(STAGE_COLUMNS, _rows(spreads), title=title)
    ours, theirs = report.sizes, report.tenseal_sizes
    table(
        ("cli.column.size", "cli.column.veilface", "cli.column.tenseal"),
        [
            (text("bench.size.probe"), f"{ours.probe:,}", f"{theirs.probe:,}"),
            (text("bench.size.template"), f"{ours.template:,}", f"{theirs.template:,}"),
            (text("bench.size.evidence"), f"{ours.evidence:,}", "–"),
            (text("bench.size.evaluation_keys"), f"{ours.evaluation_keys:,}", f"{theirs.evaluation_keys:,}"),
        ],
        title="bench.title.sizes",
    )
    error = report.cosine_error
    say("bench.cosine_error", rms=f"{error.rms:.5f}", max=f"{error.max:.5f}", pairs=error.pairs)


def show_search(report: SearchBench) -> None:
    """A row a gallery, medians; then the peer, of which only one comparison at a time was measured."""
    table(
        ("cli.column.templates", "cli.column.dimensions", *SEARCH_COLUMNS, "cli.column.cosine_error"),
        [
            (
                f"{row.n:,}",
                str(row.d),
                milliseconds(row.encrypted_ms),
                milliseconds(row.plain_ms),
                milliseconds(row.read_ms),
                f"{row.ratio:.2f}",
                f"{row.bandwidth_fraction:.0%}",
                f"{row.max_cosine_error:.4f}",
            )
            for row in report.rows
        ],
        title="bench.title.search",
    )
    _show_queries([row for row in report.rows if row.query_ms is not None])
    say("bench.search.kernel", kernel=report.kernel, threads=report.threads, rounds=report.rounds)
    for growth in report.growth:
        times, end, start = f"{growth.encrypted:.2f}", f"{growth.end:,}", f"{growth.start:,}"
        say("bench.search.growth", d=growth.d, encrypted=times, end=end, start=start)
    if ingest := report.ingest:
        say(
            "bench.search.ingest",
            rate=f"{ingest.templates_per_s:,.0f}",
            templates=f"{ingest.templates:,}",
            add=milliseconds(ingest.add_ms),
            pack=milliseconds(ingest.pack_ms),
        )
    for peer in report.peer:
        say(
            "bench.search.peer",
            d=peer.d,
            comparisons=peer.comparisons,
            one=milliseconds(peer.comparison.median_ms),
            n=f"{peer.n:,}",
            hours=f"{peer.extrapolated_ms / 3_600_000:.1f}",
            times=f"{peer.times_slower:,.0f}",
        )


def _show_queries(rows: list[SearchRow]) -> None:
    if rows:
        table(
            ("cli.column.templates", *QUERY_COLUMNS),
            [
                (
                    f"{row.n:,}",
                    *(
                        milliseconds(part)
                        for part in (row.query_ms, row.keyholder_ms, row.prepare_ms)
                        if part is not None
                    ),
                    f"{(row.exchanged_bytes or 0) / 1e6:.1f} MB",
                    "–" if row.query_memory is None else f"{row.query_memory / 1e6:.0f} MB",
                )
                for row in rows
            ],
            title="bench.title.query",
        )


def show_pipeline(report: PipelineBench) -> None:
    """What was found, every disagreement, and the times."""
    say(
        "bench.pipeline.pictures",
        people=report.people,
        pictures=report.pictures,
        failures=len(report.failures_to_enrol),
    )
    for failure in report.failures_to_enrol:
        say("bench.pipeline.failure", picture=failure.picture, reason=failure.code)
    say(
        "bench.pipeline.decisions",
        genuine=report.genuine_pairs,
        impostor=report.impostor_pairs,
        disagreements=len(report.disagreements),
        distance=f"{report.farthest_disagreement:.4f}",
    )
    table(
        ("cli.column.rate", "bench.encrypted", "bench.plaintext"),
        [
            ("FNMR", f"{report.fnmr:.4f}", f"{report.plain_fnmr:.4f}"),
            ("FMR", f"{report.fmr:.4f}", f"{report.plain_fmr:.4f}"),
        ],
    )
    table(STAGE_COLUMNS, _rows(report.stages))


def _show_protections(protections: dict[str, ProtectionBench]) -> None:
    columns = tuple(f"evaluate.scheme.{name}" for name in protections)
    times = [
        (text(f"bench.stage.{stage}"), *(_spread(one.stages.get(stage)) for one in protections.values()))
        for stage in SIDE_BY_SIDE
    ]
    table(("cli.column.stage", *columns), times, title="bench.title.protections")
    sizes = [
        (text(f"bench.size.{what}"), *(f"{getattr(one, what):,}" for one in protections.values()))
        for what in SIDE_BY_SIDE_BYTES
    ]
    table(("cli.column.size", *columns), sizes)


def _spread(spread: Spread | None) -> str:
    return "–" if spread is None else f"{milliseconds(spread.median_ms)} / {milliseconds(spread.min_ms)}"


def _rows(spreads: dict[str, Spread]) -> list[tuple[str, str, str]]:
    return [
        (text(f"stage.{name}"), milliseconds(spread.median_ms), milliseconds(spread.min_ms))
        for name, spread in spreads.items()
    ]
