/* One row per task: TASK(symbol) names `const struct task task_<symbol>`. */
TASK(train)
TASK(backtest)
TASK(reference)
TASK(statistics)
TASK(ablation)
TASK(materialize)
TASK(performance)
