/* One row per engine: ENGINE(symbol) names `const struct engine engine_<symbol>`. */
ENGINE(base_rate)
ENGINE(bookmaker)
ENGINE(elo_logit)
ENGINE(lightgbm)
