"""The numba part of the peer of the row `matrix`: ratings, rest and overround removal, loops that are one pass by
nature. Compiled once (cache=True); the compilation is not timed. Definitions: src/football/rating.h, rest.c, market.c.
"""

import math

import numpy
from numba import njit, prange

LOG2_OF_10 = math.log2(10)
ELO_FEATURES, PI_FEATURES, REST_SIDE, RING = 4, 6, 5, 16


@njit(cache=True)
def expectation(difference):
    return 1 / (1 + 2.0 ** (-difference * (LOG2_OF_10 / 400)))


@njit(cache=True)
def margin(rule, gd):
    gd = abs(gd)
    if rule == 0 or gd <= 1:
        return 1.0
    if rule == 2:
        return math.sqrt(gd)
    return 1.5 if gd == 2 else (11 + gd) / 8


@njit(cache=True)
def pi_goals(rating):
    return math.copysign(2.0 ** (abs(rating) * (LOG2_OF_10 / 3)) - 1, rating)


@njit(cache=True)
def clamp(value, low, high):
    return min(max(value, low), high)


@njit(cache=True, parallel=True)
def ratings(begin, order, home, away, home_goals, away_goals, is_played, is_neutral, team_count):
    """Elo (plain, world, club) and pi of every match before it is played; streams run side by side."""
    out = numpy.empty((3 * ELO_FEATURES + PI_FEATURES, len(home)), dtype=numpy.float32)
    elo = numpy.full((team_count, 3), 1500.0)
    pi = numpy.zeros((team_count, 2))
    for stream in prange(len(begin) - 1):
        for place in range(begin[stream], begin[stream + 1]):
            row = order[place]
            h, a = home[row], away[row]
            gd = home_goals[row] - away_goals[row]
            score = 1.0 if gd > 0 else 0.5 if gd == 0 else 0.0
            advantage = 0.0 if is_neutral[row] else 60.0
            for rule in range(3):
                difference = elo[h, rule] + advantage - elo[a, rule]
                expected = expectation(difference)
                at = rule * ELO_FEATURES
                out[at, row], out[at + 1, row] = elo[h, rule], elo[a, rule]
                out[at + 2, row], out[at + 3, row] = difference, expected
                if is_played[row]:
                    change = (12.0 if rule == 2 else 20.0) * margin(rule, gd) * (score - expected)
                    elo[h, rule] = clamp(elo[h, rule] + change, -1500.0, 4500.0)
                    elo[a, rule] = clamp(elo[a, rule] - change, -1500.0, 4500.0)
            at = 3 * ELO_FEATURES
            expected = pi_goals(pi[h, 0]) - pi_goals(pi[a, 1])
            out[at, row], out[at + 1, row], out[at + 2, row], out[at + 3, row] = pi[h, 0], pi[h, 1], pi[a, 0], pi[a, 1]
            out[at + 4, row] = (pi[h, 0] + pi[h, 1] - pi[a, 0] - pi[a, 1]) / 2
            out[at + 5, row] = expected
            if is_played[row]:
                error = gd - expected
                change = 0.035 * math.copysign(3 * math.log10(1 + abs(error)), error)
                pi[h, 0] = clamp(pi[h, 0] + change, -6.0, 6.0)
                pi[h, 1] = clamp(pi[h, 1] + 0.7 * change, -6.0, 6.0)
                pi[a, 1] = clamp(pi[a, 1] - change, -6.0, 6.0)
                pi[a, 0] = clamp(pi[a, 0] - 0.7 * change, -6.0, 6.0)
    return out


@njit(cache=True, parallel=True)
def rest(begin, order, home, away, day, season, is_played, team_count):
    out = numpy.empty((2 * REST_SIDE + 3, len(home)), dtype=numpy.float32)
    ring = numpy.full((team_count, RING), -1000000, dtype=numpy.int64)
    next_slot = numpy.zeros(team_count, dtype=numpy.int64)
    last_day = numpy.full(team_count, -1000000, dtype=numpy.int64)
    team_season = numpy.zeros(team_count, dtype=numpy.int64)
    season_matches = numpy.zeros(team_count, dtype=numpy.int64)
    for stream in prange(len(begin) - 1):
        for place in range(begin[stream], begin[stream + 1]):
            row = order[place]
            for side in range(2):
                team = home[row] if side == 0 else away[row]
                at = side * REST_SIDE
                gap = day[row] - last_day[team]
                out[at, row] = numpy.nan if last_day[team] == -1000000 else clamp(gap, 0, 30)
                n7 = n14 = n30 = 0
                for k in range(RING):
                    age = day[row] - ring[team, k]
                    n7 += age <= 7
                    n14 += age <= 14
                    n30 += age <= 30
                out[at + 1, row], out[at + 2, row], out[at + 3, row] = n7, n14, n30
                out[at + 4, row] = season_matches[team] if team_season[team] == season[row] else 0
            out[10, row] = out[0, row] - out[REST_SIDE, row]
            out[11, row] = out[2, row] - out[REST_SIDE + 2, row]
            out[12, row] = out[3, row] - out[REST_SIDE + 3, row]
            if not is_played[row]:
                continue
            for side in range(2):
                team = home[row] if side == 0 else away[row]
                ring[team, next_slot[team]] = day[row]
                next_slot[team] = (next_slot[team] + 1) % RING
                last_day[team] = max(last_day[team], day[row])
                if team_season[team] != season[row]:
                    team_season[team] = season[row]
                    season_matches[team] = 0
                season_matches[team] = min(season_matches[team] + 1, 99)
    return out


@njit(cache=True)
def trial(method, x, r, booksum, p):
    """Probabilities at the parameter x; returns their sum and its derivative."""
    total = slope = 0.0
    for i in range(3):
        if method == 2:
            log_r = math.log(r[i])
            p[i] = math.exp(x * log_r)
            slope += p[i] * log_r
        elif method == 3:
            below = 1 / (2 * (1 - x))
            q = r[i] * r[i] / booksum
            root = math.sqrt(x * x + 4 * (1 - x) * q)
            p[i] = (root - x) * below
            slope += ((x - 2 * q) / root - 1) * below + p[i] * 2 * below
        else:
            below = 1 / (x + r[i] - x * r[i])
            p[i] = r[i] * below
            slope -= p[i] * below * (1 - r[i])
        total += p[i]
    return total, slope


@njit(cache=True)
def solve(method, low, high, x, r, booksum, p):
    for _ in range(100):
        total, slope = trial(method, x, r, booksum, p)
        if abs(total - 1) < 1e-13:
            return True
        if total > 1:
            low = x
        else:
            high = x
        step = x - (total - 1) / slope
        if not low < step < high:
            step = 2 * x if math.isinf(high) else (low + high) / 2
            if step == low or step == high:
                return abs(total - 1) < 1e-9
        x = step
    return False


@njit(cache=True)
def fair(method, r, booksum, p):
    if method == 0:
        for i in range(3):
            p[i] = r[i] / booksum
        return True
    if method == 1:
        for i in range(3):
            p[i] = r[i] - (booksum - 1) / 3
        return True
    if method == 2:
        entropy = 0.0
        for i in range(3):
            entropy -= r[i] * math.log(r[i])
        start = 1 + (booksum - 1) / entropy
        return solve(2, 0.0, math.inf, start if start > 0 else 0.5, r, booksum, p)
    if method == 3:
        return booksum >= 1 and solve(3, 0.0, 1.0, (booksum - 1) / 2 if booksum > 1 else 0.0, r, booksum, p)
    return solve(4, 0.0, math.inf, 1.0, r, booksum, p)


@njit(cache=True)
def expected_total(p_under):
    low, high, m = 0.0, 20.0, 2.674 - (p_under - 0.5) / 0.2465
    for _ in range(50):
        if not low < m < high:
            m = (low + high) / 2
        decay = math.exp(-m)
        excess = decay * (1 + m + m * m / 2) - p_under
        if abs(excess) < 1e-10:
            break
        if excess > 0:
            low = m
        else:
            high = m
        m += excess / (decay * m * m / 2)
    return m


@njit(cache=True)
def booksum_of(odds, book, count, row):
    total = 0.0
    for i in range(count):
        if not odds[book, i, row] > 1:
            return numpy.nan
        total += 1 / odds[book, i, row]
    return total


@njit(cache=True, parallel=True)
def market(result, goals):
    """result[book][3][row], goals[book][2][row] as float64; books: average, Bet365, Pinnacle, maximum."""
    rows = result.shape[2]
    out = numpy.full((29, rows), numpy.nan, dtype=numpy.float32)
    for row in prange(rows):
        r, p = numpy.empty(3), numpy.empty(3)
        for book in range(3):
            booksum = booksum_of(result, book, 3, row)
            if not 0.97 < booksum < 1.30:
                continue
            for i in range(3):
                r[i] = 1 / result[book, i, row]
            for method in range(5):
                if fair(method, r, booksum, p) and min(p[0], p[1], p[2]) > 0 and max(p[0], p[1], p[2]) < 1:
                    for i in range(3):
                        out[3 * method + i, row] = p[i]
            out[15, row], out[16, row] = booksum, book
            break
        for i in range(3):
            if result[0, i, row] > 1:
                out[17 + i, row] = min(result[3, i, row] / result[0, i, row] - 1, 10.0)
        for book in range(3):
            booksum = booksum_of(goals, book, 2, row)
            if not 0.97 < booksum < 1.30:
                continue
            under, over = 1 / goals[book, 0, row], 1 / goals[book, 1, row]
            out[20, row], out[21, row] = under / booksum, over / booksum
            share = (booksum - 1) / 2
            if booksum >= 1 and min(under, over) > share:
                out[22, row], out[23, row] = under - share, over - share
            out[24, row], out[25, row] = booksum, book
            out[28, row] = expected_total(float(out[20, row]))
            break
        for i in range(2):
            if goals[0, i, row] > 1:
                out[26 + i, row] = min(goals[3, i, row] / goals[0, i, row] - 1, 10.0)
    return out
