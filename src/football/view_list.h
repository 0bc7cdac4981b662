/* VIEW(name, entity, ttl_ms, doc): one row per feature view; its picks stand in views.c. TTLs as SPEC C3. */
VIEW(match, VIEW_MATCH, 15000, "every feature of a match as of its kick-off")
VIEW(form, VIEW_TEAM, 60000, "a team's form, shots, discipline, expected goals and tactics")
VIEW(rating, VIEW_TEAM, 60000, "a team's ratings: Elo, pi, Berrar, Dixon-Coles, style")
VIEW(standings, VIEW_TEAM, 300000, "a team's place in its table, distances and pressure")
VIEW(h2h, VIEW_PAIR, 3600000, "earlier meetings of two teams")
VIEW(odds, VIEW_MATCH, 10000, "what the prices before the close imply")
