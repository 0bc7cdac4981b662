/* PROFILE(league, features): the feature set a league's models use unless they are told otherwise. A league without a row
 * uses no_prices. */
PROFILE("E0", "no_prices")
PROFILE("E1", "championship")
PROFILE("SP1", "no_prices")
PROFILE("I1", "no_prices")
PROFILE("D1", "no_prices")
PROFILE("F1", "no_prices")
PROFILE("N1", "eredivisie")
