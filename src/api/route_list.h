/* ROUTE(method, pattern, handler, doc): one row per route; docs/generated/api.md is written from it. */
ROUTE("GET", "/health", api_health,
      "Liveness and what is loaded: status, uptime, models in production, jobs running.")
ROUTE("POST", "/predict", api_predict,
      "Probabilities of one match, fair odds, and the edge against given prices.")
ROUTE("POST", "/train", api_train, "Starts a training as a job; answers its id and process at once.")
ROUTE("POST", "/backtest", api_backtest, "Starts a walk-forward backtest as a job.")
ROUTE("GET", "/model/current", api_model_current, "The versions in production (query: league, target, bot).")
ROUTE("GET", "/api/jobs", api_jobs_list, "Jobs, newest first (query: limit, before).")
ROUTE("GET", "/api/jobs/{id}", api_job_get, "One job: state, progress, times, error, result.")
ROUTE("GET", "/api/jobs/{id}/logs", api_job_logs,
      "The job's log as server-sent events, from byte offset on, then live until it ends.")
ROUTE("POST", "/api/jobs/{id}/stop", api_job_stop,
      "Asks the job to stop; it is called stopped when its processes are gone.")
