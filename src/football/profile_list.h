/* PROFILE(league, features, min_edge, currency, unit_stake): the feature set a league's models use unless they are told
 * otherwise; the least edge (p * odds - 1) at which a price counts as value; what a stake is paid in, and how much a flat
 * one is. A league without a row is as PROFILE_OTHERS. */
#define PROFILE_OTHERS                                                                                       \
    {                                                                                                        \
        "", "no_prices",                                                                                     \
        {                                                                                                    \
            0.042, "NGN", 1000                                                                               \
        }                                                                                                    \
    }
PROFILE("E0", "no_prices", 0.042, "NGN", 1000)
PROFILE("E1", "championship", 0.042, "NGN", 1000)
PROFILE("SP1", "no_prices", 0.042, "NGN", 1000)
PROFILE("I1", "no_prices", 0.042, "NGN", 1000)
PROFILE("D1", "no_prices", 0.042, "NGN", 1000)
PROFILE("F1", "no_prices", 0.042, "NGN", 1000)
PROFILE("N1", "eredivisie", 0.042, "NGN", 1000)
