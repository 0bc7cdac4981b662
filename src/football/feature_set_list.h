/* Feature sets. FEATURE_SET(name, families, doc) lists its families as F(name), in the order of its columns.
 * PLAIN_FEATURE_SET(name, doc) has every FAMILY of family_list.h, PRICED_FEATURE_SET(name, doc) every FAMILY and
 * PRICED_FAMILY, WHOLE_FEATURE_SET(name, doc), of which there is one, all there are: the matrix and the live state are made
 * of it, and any other set is columns of it. */
FEATURE_SET(core, F(elo) F(pi) F(form) F(rest) F(calendar),
            "ratings, form, rest and calendar: little and hard to beat")
PLAIN_FEATURE_SET(
    no_prices, "ratings, form, meetings, tables, match statistics, attributes of teams, calendar: nothing a "
               "bookmaker said, nothing of one league only")
PRICED_FEATURE_SET(with_prices, "no_prices and what the prices before the close imply")
FEATURE_SET(championship,
            F(elo) F(pi) F(form) F(shots) F(discipline) F(rest) F(calendar) F(berrar) F(dixon_coles) F(xg)
                F(h2h) F(table) F(tactical) F(style) F(finance) F(youth) F(congestion) F(intensity),
            "no_prices and more of what the Championship is said to turn on: fixture congestion and physical "
            "intensity, "
            "beside financial disparity and playoff pressure")
FEATURE_SET(eredivisie,
            F(elo) F(pi) F(form) F(shots) F(rest) F(calendar) F(berrar) F(dixon_coles) F(xg) F(table)
                F(tactical) F(style) F(youth) F(dominance),
            "what the Eredivisie is said to turn on: dominance of the big three, attacking philosophy, youth "
            "dynamics, "
            "technical metrics, with ratings, form and tables; no prices")
WHOLE_FEATURE_SET(all, "every family: the columns of the feature matrix")
