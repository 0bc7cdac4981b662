/* ROUTE(method, pattern, handler, doc): one row per route; docs/generated/api.md is written from it. */
ROUTE("GET", "/health", api_health,
      "Liveness and what is loaded: status, uptime, models in production, jobs running.")
ROUTE("POST", "/predict", api_predict,
      "Probabilities of one match, fair odds, and the edge against given prices.")
ROUTE("POST", "/train", api_train, "Starts a training as a job; answers its id and process at once.")
ROUTE("POST", "/backtest", api_backtest, "Starts a walk-forward backtest as a job.")
ROUTE("POST", "/api/ablation", api_ablation, "Starts an ablation of the feature families as a job.")
ROUTE("GET", "/model/current", api_model_current, "The versions in production (query: league, target, bot).")
ROUTE("GET", "/api/jobs", api_jobs_list, "Jobs, newest first (query: limit, before).")
ROUTE("GET", "/api/jobs/{id}", api_job_get, "One job: state, progress, times, error, result.")
ROUTE("GET", "/api/jobs/{id}/logs", api_job_logs,
      "The job's log as server-sent events, from byte offset on, then live until it ends.")
ROUTE("POST", "/api/jobs/{id}/stop", api_job_stop,
      "Asks the job to stop; it is called stopped when its processes are gone.")
ROUTE("GET", "/api/features/statistics", api_feature_statistics,
      "Mean, spread, missing share and drift of every feature (query: league, family, limit, recent_days, "
      "reference_to); "
      "202 with a job while they are still to be made.")
ROUTE("POST", "/api/features/materialize", api_materialize,
      "Starts the writing of feature views to the offline store as a job.")
ROUTE("GET", "/api/features/views", api_view_list,
      "Feature views in the offline store, newest version first.")
ROUTE("GET", "/api/features/views/{view}", api_view_get,
      "One view (form, or form@version): schema, source, statistics of every feature.")
ROUTE("POST", "/api/features/views/{view}/history", api_view_history,
      "Features as of given moments (entities: [{team, at}] or {home, away, at} or {match, at}, features, "
      "max_age_days).")
ROUTE("GET", "/api/features/views/{view}/range", api_view_range,
      "Rows of one entity over time (query: match, team, opponent, from, to, limit, features).")
ROUTE("DELETE", "/api/features/views/{view}", api_view_delete, "Deletes one version of a view.")
ROUTE("GET", "/api/features/online/bundle", api_features_online_bundle,
      "The seven feature groups of a match page as of now (query: match, or home and away).")
ROUTE("GET", "/api/features/online/{view}", api_features_online,
      "One row of a feature view as of now (query: team; or home and away; or match).")
ROUTE("POST", "/api/features/online/{view}", api_features_online_batch,
      "Many rows of a feature view as of now (entities: [{team} or {home, away} or {match}], features).")
ROUTE("GET", "/metrics", api_metrics, "Counters of the server in the text format of Prometheus.")
