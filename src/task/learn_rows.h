/* Rows of the options that tasks which learn have in common: train, backtest, ablation. Each is written once, with its name,
 * type, unit, range and sentence; a task picks those that its options have a member for. member(name) is the place of a
 * member in the task's struct; what a task says in its own way, a default mostly, is a parameter. */
#ifndef ALMANAC_TASK_LEARN_ROWS_H
#define ALMANAC_TASK_LEARN_ROWS_H

#include "base/option.h"
#include "task/prepare.h"

#define LEARN_ROW(...)                                                                                       \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

#define LEARN_ROW_LEAGUE(member)                                                                             \
    LEARN_ROW("league", OPTION_TEXT, member(league), "", 0, 0, "E0", "league to forecast, by its code")
#define LEARN_ROW_TARGET(member)                                                                             \
    LEARN_ROW("target", OPTION_ENUM, member(target), "1x2|ou25", 0, 0, "1x2",                                \
              "match result, or over/under 2.5 goals")
#define LEARN_ROW_ENGINE(member)                                                                             \
    LEARN_ROW("engine", OPTION_TEXT, member(engine), "", 0, 0, "lightgbm",                                   \
              "how the model is made: lightgbm, elo_logit, bookmaker or base_rate")
#define LEARN_ROW_POOL(member, fallback)                                                                     \
    LEARN_ROW("pool", OPTION_ENUM, member(pool), PREPARE_POOL_CHOICES, 0, 0, fallback,                       \
              "matches to learn from: this league, its country, or all")
#define LEARN_ROW_FOLDS(member, fallback, doc)                                                               \
    LEARN_ROW("folds", OPTION_INT, member(folds), "folds", 0, 20, fallback, doc)
#define LEARN_ROW_SEED(member, most, doc) LEARN_ROW("seed", OPTION_INT, member(seed), "", 0, most, "1", doc)
#define LEARN_ROW_PARAMETERS(member)                                                                         \
    LEARN_ROW("parameters", OPTION_TEXT, member(parameters), "", 0, 0, "",                                   \
              "engine parameters: name=value,name=value")

/* What a walk through the past is told, struct walk_plan; cadence: how often it refits unless told otherwise. */
#define LEARN_ROWS_WALK(member, cadence)                                                                     \
    LEARN_ROW("from", OPTION_DATE, member(from_us), "", 0, 0, "2015-07-01", "first day judged"),             \
        LEARN_ROW("to", OPTION_DATE, member(to_us), "", 0, 0, "2024-06-30", "last day judged"),              \
        LEARN_ROW("refit", OPTION_ENUM, member(refit), "weekly|monthly|season|days|once", 0, 0, cadence,     \
                  "how often the models are fitted again"),                                                  \
        LEARN_ROW("every_days", OPTION_INT, member(every_days), "days", 1, 3650, "30",                       \
                  "with --refit days: how many"),                                                            \
        LEARN_ROW("window_days", OPTION_INT, member(window_days), "days", 0, 36500, "0",                     \
                  "learn from this many days before each refit; 0: all")

#endif
