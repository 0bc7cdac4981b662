/* SCHEDULE(name, task, cron, zone, missed, jitter_s, options, doc): what is done by itself, and when.
 * zone "": that of the setting time_zone. missed: SKIP or ONCE, what becomes of due times while no server ran. jitter_s: a
 * run begins up to so many seconds late, the same every time for the same due time, so that not everything (here and at
 * those we ask) starts on the full hour. options: JSON of the task; what is not named has the task's default. */
SCHEDULE(calibrate, "calibrate", "*/3 * * * *", "", SKIP, 0, "{}",
         "calibrate the models in production on the results of the last 24 hours")
SCHEDULE(fetch_odds, "fetch_odds", "*/5 * * * *", "", SKIP, 15, "{}",
         "fetch prices of the matches of the next 7 days")
SCHEDULE(retrain, "retrain", "0 2 * * *", "", ONCE, 60, "{}",
         "train the models again and put what is better into production")
SCHEDULE(value_bets, "value_bets", "0 * * * *", "", ONCE, 30, "{}",
         "look for prices of the next 24 hours that are higher than they should be")
SCHEDULE(clean_up, "clean_up", "0 3 * * *", "", ONCE, 60, "{}",
         "remove forecasts older than 30 days, files that belong to nothing, and old logs")
SCHEDULE(performance, "performance", "*/15 * * * *", "", SKIP, 0, "{}",
         "judge the forecasts of the last 7 days by what has happened")
SCHEDULE(standings, "standings", "0 */2 * * *", "", SKIP, 30, "{}", "fetch the tables of the leagues")
