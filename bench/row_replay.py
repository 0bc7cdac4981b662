"""replay: share of reads that memory answers on a replayed match day, with the shipped times to live. In simulated time, so the
figures do not depend on the machine; the head of cache_replay.c says what is assumed of the day."""

import common

NAME, ORDER = "replay", 12
RATES, SHIPPED, MATCHES, SEEDS = (5, 25, 100), 25, 100, (1, 2, 3)
WANTED = 0.92


def run(bench):
    program = common.build_target("bench_cache_replay")
    found = {rate: [common.last_json(common.measure([program, rate, MATCHES, seed])) for seed in SEEDS] for rate in RATES}
    again = common.last_json(common.measure([program, SHIPPED, MATCHES, SEEDS[0]]))
    if again != found[SHIPPED][0]:
        raise common.Failed("the same seed replays another day")
    checked = (f"the same seed replays the same day; the middle of the days of {len(SEEDS)} seeds is shown. The cache, the times to live and "
               "the sizes of the values are the server's.")
    lines = []
    for rate in sorted(RATES, key=lambda rate: rate != SHIPPED):
        ratio, reads = common.median(found[rate], "hit_ratio"), common.median(found[rate], "reads")
        bounded = rate == SHIPPED
        command = common.shown([program, rate, MATCHES, SEEDS[0]])
        lines.append(common.line(f"hit ratio, {MATCHES} matches, {rate} page views/s on average, {reads:,.0f} reads", f"{ratio:.2%}", "", "",
                                 f"above {WANTED:.0%}" if bounded else "", ratio > WANTED if bounded else None, checked, [command]))
    views = {name: common.median([day["views"][name] for day in found[SHIPPED]], "hit_ratio") for name in found[SHIPPED][0]["views"]}
    lines.append(common.line(f"of these, at {SHIPPED}/s: " + ", ".join(views), " / ".join(f"{ratio:.1%}" for ratio in views.values()), "", "", "",
                             None, checked, []))
    return lines
