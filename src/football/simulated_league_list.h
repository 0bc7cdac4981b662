/* SIMULATED_LEAGUE(code, file, teams, relegated, goals_percent, rho_percent)
 *
 * The order in which `--leagues N` takes them: the first two divisions of England and Spain, then the other large
 * countries, then the rest; a division never comes before the one above it. `code` is a row of league_list.h, `file`
 * the stem of the files as in the real data. relegated: how many teams change places with the division below, or with
 * the clubs outside when that is not simulated. goals_percent: goals per match times 100, about what the real league
 * had from 2015 to 2024; rho_percent: Dixon & Coles's dependence times 100. */
SIMULATED_LEAGUE("E0", "PremierLeague", 20, 3, 278, -6)
SIMULATED_LEAGUE("E1", "Championship", 24, 3, 255, -7)
SIMULATED_LEAGUE("SP1", "LaLiga", 20, 3, 264, -7)
SIMULATED_LEAGUE("SP2", "LaLiga2", 22, 3, 248, -9)
SIMULATED_LEAGUE("D1", "Bundesliga", 18, 2, 294, -5)
SIMULATED_LEAGUE("D2", "Bundesliga2", 18, 2, 285, -6)
SIMULATED_LEAGUE("I1", "SerieA", 20, 3, 275, -6)
SIMULATED_LEAGUE("I2", "SerieB", 20, 3, 250, -10)
SIMULATED_LEAGUE("F1", "Ligue1", 18, 3, 268, -6)
SIMULATED_LEAGUE("F2", "Ligue2", 18, 3, 246, -8)
SIMULATED_LEAGUE("SC0", "Premiership", 12, 1, 267, -6)
SIMULATED_LEAGUE("SC1", "Championship", 10, 1, 265, -7)
SIMULATED_LEAGUE("N1", "Eredivisie", 18, 2, 294, -5)
SIMULATED_LEAGUE("P1", "PrimeiraLiga", 18, 2, 261, -6)
SIMULATED_LEAGUE("B1", "ProLeague", 16, 1, 286, -5)
SIMULATED_LEAGUE("T1", "SuperLig", 18, 3, 280, -6)
SIMULATED_LEAGUE("G1", "SuperLeague", 16, 2, 246, -8)
SIMULATED_LEAGUE("E2", "LeagueOne", 24, 4, 260, -7)
SIMULATED_LEAGUE("E3", "LeagueTwo", 24, 2, 258, -7)
SIMULATED_LEAGUE("EC", "NationalLeague", 24, 4, 271, -6)
SIMULATED_LEAGUE("SC2", "LeagueOne", 10, 1, 288, -5)
SIMULATED_LEAGUE("SC3", "LeagueTwo", 10, 1, 276, -6)
