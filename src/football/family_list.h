/* Feature families, in the order of their columns. FAMILY(name) needs results only; PRICED_FAMILY(name) also
 * reads the fixture's pre_close prices and belongs to the set `with_prices` only. Each names `const struct
 * tracker tracker_<name>` of <name>.c. */
FAMILY(elo)
FAMILY(pi)
FAMILY(form)
FAMILY(shots)
FAMILY(discipline)
FAMILY(rest)
FAMILY(calendar)
FAMILY(berrar)
FAMILY(dixon_coles)
FAMILY(xg)
FAMILY(h2h)
FAMILY(table)
FAMILY(tactical)
FAMILY(style)
PRICED_FAMILY(market)
