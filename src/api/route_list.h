/* ROUTE(method, pattern, handler, doc): one row per route; docs/generated/api.md is written from it. */
ROUTE("GET", "/health", api_health,
      "Liveness and what is loaded: status, uptime, models in production, jobs running.")
ROUTE("POST", "/predict", api_predict,
      "Probabilities of one match, fair odds, and the edge against given prices.")
ROUTE("POST", "/train", api_train, "Starts a training as a job; answers its id and process at once.")
ROUTE("POST", "/api/prediction/train", api_train, "The same as POST /train.")
ROUTE("POST", "/api/ml-management/train", api_train, "The same as POST /train.")
ROUTE("POST", "/api/training/start-auto", api_training_start_auto,
      "Queues a training for every league (symbols), target (timeframes) and bot, in this order.")
ROUTE("GET", "/api/training/status", api_training_status,
      "What is trained, what waits, what is done: with phase, epoch, loss and time left.")
ROUTE("GET", "/api/ml-management/training/status", api_training_status, "The same as /api/training/status.")
ROUTE("GET", "/api/training/options", api_training_options,
      "What a training can be made of: leagues with their matches, targets, bots and their options.")
ROUTE("POST", "/api/training/pause", api_training_pause,
      "Lets the running training finish and holds the queue, also over a restart of the server.")
ROUTE("POST", "/api/training/resume", api_training_resume, "Lets a paused queue go on.")
ROUTE("POST", "/api/training/stop", api_training_stop,
      "Lets the running training finish and stops those that wait.")
ROUTE("POST", "/api/training/force-stop", api_training_force_stop,
      "Stops all of it: TERM, then KILL; is_stopping until the processes are gone.")
ROUTE("POST", "/backtest", api_backtest, "Starts a walk-forward backtest as a job.")
ROUTE("POST", "/api/ablation", api_ablation, "Starts an ablation of the feature families as a job.")
ROUTE("GET", "/model/current", api_model_current, "The versions in production (query: league, target, bot).")
ROUTE("GET", "/api/models", api_models_list,
      "Versions and failed trainings, newest first (query: subject, variant, bot, stage, status, cleared, "
      "limit).")
ROUTE("GET", "/api/models/report", api_models_report,
      "How many models there are, fresh and stale, what they take, and all of them (query: limit).")
ROUTE("GET", "/api/models/training-history", api_models_training_history,
      "Trainings, good and failed, newest first (query: symbol, timeframe, bot_name, status, limit).")
ROUTE("GET", "/api/models/history", api_models_history,
      "Moves between stages, newest first (query: subject, variant, bot, limit).")
ROUTE("GET", "/api/models/decisions", api_models_decisions,
      "What promotions were decided on, newest first (query: subject, variant, bot, limit).")
ROUTE("GET", "/api/models/compare", api_models_compare,
      "Two versions side by side: metrics, the paired difference, options that differ (query: a, b).")
ROUTE("GET", "/api/models/versions/{version}", api_model_version,
      "One version: model, history, decisions, details.")
ROUTE("GET", "/api/models/versions/{version}/download", api_model_download, "The model file.")
ROUTE("POST", "/api/models/versions/{version}/promote", api_model_promote,
      "Moves a version to Production, or to the stage given (stage, why).")
ROUTE("POST", "/api/models/versions/{version}/archive", api_model_archive,
      "Takes a version out of use (why).")
ROUTE("POST", "/api/models/versions/{version}/retrain", api_model_retrain,
      "Trains again with the settings of a version, as a job.")
ROUTE("POST", "/api/models/retrain-stale", api_models_retrain_stale,
      "Trains every stale model in production again, as jobs; once a day for each version.")
ROUTE("POST", "/api/models/rollback", api_models_rollback,
      "Puts the version that was in production before back (subject, variant, bot).")
ROUTE("DELETE", "/api/models/clear/{symbol}/{timeframe}/{bot_name}", api_models_clear,
      "Clears all versions of one model: records stay, archived; files go; nothing predicts with them any "
      "more.")
ROUTE("DELETE", "/api/models/clear-all/{symbol}/{timeframe}", api_models_clear_variant,
      "Clears the models of all bots of a symbol and timeframe.")
ROUTE("DELETE", "/api/models/clear-all", api_models_clear_all, "Clears every model (query: confirm=true).")
ROUTE("DELETE", "/api/models/versions/{version}", api_model_clear_version, "Clears one version.")
ROUTE("GET", "/api/jobs", api_jobs_list,
      "Jobs, newest first (query: state, queue, task, batch, limit, before), and how many are in each state.")
ROUTE("POST", "/api/jobs", api_job_submit,
      "Starts any task as a job: {task, options, queue, key, priority, after, not_before, max_attempts, "
      "label}.")
ROUTE("GET", "/api/jobs/{id}", api_job_get,
      "One job: state, progress, times, error, request, result, and its history.")
ROUTE("GET", "/api/jobs/{id}/logs", api_job_logs,
      "The job's log as server-sent events, from byte offset on (query: offset, or tail: lines), then live "
      "until "
      "it ends.")
ROUTE("GET", "/api/jobs/{id}/logs/lines", api_job_log_lines,
      "Lines of the job's log as they are now (query: offset or tail, limit).")
ROUTE("GET", "/api/jobs/{id}/logs/search", api_job_log_search,
      "The newest lines that hold a text, in upper or lower case (query: q, limit, before).")
ROUTE("GET", "/api/jobs/{id}/logs/download", api_job_log_download, "The job's log as a text file.")
ROUTE("POST", "/api/jobs/{id}/stop", api_job_stop,
      "Asks the job to stop; it is called stopped when its processes are gone.")
ROUTE("POST", "/api/jobs/{id}/force-stop", api_job_force_stop,
      "TERM to the job's processes now, KILL after the grace; asked again, KILL at once.")
ROUTE("POST", "/api/jobs/{id}/resume", api_job_resume,
      "Queues a stopped or failed job again; its checkpoints are still there.")
ROUTE("POST", "/api/jobs/{id}/priority", api_job_priority, "Moves a queued job: {priority}, higher first.")
ROUTE("GET", "/api/queues", api_queues_list, "The queues: what runs, what waits, whether they are paused.")
ROUTE("POST", "/api/queues/{name}/pause", api_queue_pause,
      "What runs finishes, nothing new starts; kept over a restart.")
ROUTE("POST", "/api/queues/{name}/resume", api_queue_resume, "The queue goes on.")
ROUTE("POST", "/api/queues/{name}/stop", api_queue_stop, "What runs finishes, what waits is stopped.")
ROUTE("POST", "/api/queues/{name}/force-stop", api_queue_force_stop,
      "What waits is stopped; what runs gets TERM, and KILL after the grace.")
ROUTE("GET", "/api/queues/{name}/events", api_queue_events,
      "Who did what to the queue, newest first (query: limit).")
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
ROUTE("GET", "/api/schedule", api_schedule_list,
      "What is done by itself: every scheduled task with its times, last run and outcome.")
ROUTE("GET", "/api/schedule/preview", api_schedule_preview,
      "The next times of a cron expression (query: cron, time_zone, count).")
ROUTE("GET", "/api/schedule/{name}", api_schedule_get, "One scheduled task.")
ROUTE("PUT", "/api/schedule/{name}", api_schedule_put,
      "Changes a scheduled task: {cron, time_zone, missed, jitter_s, options}; an empty text goes back to "
      "what is "
      "shipped.")
ROUTE("GET", "/api/schedule/{name}/runs", api_schedule_runs,
      "What became of its due times, newest first (query: limit).")
ROUTE("POST", "/api/schedule/{name}/enable", api_schedule_enable, "It starts again at its times.")
ROUTE("POST", "/api/schedule/{name}/disable", api_schedule_disable, "It does not start by itself any more.")
ROUTE("POST", "/api/schedule/{name}/run", api_schedule_run, "Starts it now, as a job; its times stay.")
ROUTE(
    "GET", "/api/value-bets", api_value_bets,
    "Prices above what the model in production thinks, as the newest scan found them (query: league, target, "
    "selection, bookmaker, min_edge, sort, order, limit, format=json|csv).")
ROUTE("GET", "/api/standings", api_standings, "The newest table of a league, as fetched (query: league).")
ROUTE("GET", "/api/drift", api_drift,
      "Drift of the models in production as last looked at: features, live loss, alarms, thresholds (query: "
      "subject, "
      "variant, bot).")
ROUTE("GET", "/api/drift/history", api_drift_history,
      "What the looks said over time, oldest first (query: subject, variant, bot, limit).")
ROUTE("GET", "/api/ml-management/retraining/status", api_retraining_status,
      "The retraining pipeline: triggers, thresholds, times, and every decision with what became of it "
      "(query: subject, "
      "variant, bot, limit, details=1).")
ROUTE("POST", "/api/ml-management/retraining/start", api_retraining_start,
      "Alarms and the schedule lead to trainings again.")
ROUTE("POST", "/api/ml-management/retraining/stop", api_retraining_stop,
      "Nothing is trained by itself any more; kept over a restart.")
ROUTE("POST", "/api/ml-management/retraining/trigger", api_retraining_trigger,
      "Trains models in production again now, whatever their state: {subject, variant, bot, window}.")
ROUTE("GET", "/api/ml-management/models", api_models_list, "The same as GET /api/models.")
ROUTE("POST", "/api/ml-management/models/{name}/{version}/promote", api_ml_promote,
      "Moves a version of the model subject-variant-bot to a stage (query: stage, Production without).")
ROUTE("GET", "/api/ml-management/mlflow/runs", api_ml_runs,
      "Versions as runs with their metrics, newest first (query: subject, variant, bot, limit).")
ROUTE("GET", "/api/ml-management/mlflow/best-run", api_ml_best_run,
      "The run with the best metric (query: metric=log_loss|brier|rps|accuracy, subject, variant, bot).")
ROUTE("GET", "/api/notifications/webhooks", api_webhooks_list,
      "Who is called when something happens, and the mail.")
ROUTE("POST", "/api/notifications/webhooks", api_webhook_add,
      "Adds a webhook (url, events, secret, note); a secret that is made here is told this once.")
ROUTE("DELETE", "/api/notifications/webhooks/{id}", api_webhook_delete, "Deletes a webhook.")
ROUTE("GET", "/api/notifications/deliveries", api_deliveries,
      "What was sent to whom and what came of every attempt, newest first (query: state, limit, before).")
ROUTE("POST", "/api/notifications/test", api_notifications_test,
      "Sends a test to every receiver, or to one webhook (webhook_id).")
ROUTE("GET", "/openapi.json", api_openapi, "This description: OpenAPI 3.1, made from the route table.")
ROUTE("GET", "/ws", api_websocket,
      "WebSocket: subscribe to topics and logs, get events as they happen (docs/protocols/websocket.md).")
ROUTE("GET", "/api/events", api_events,
      "The same events as server-sent events (query: topics, such as jobs,queues,logs:17@0).")
ROUTE("GET", "/", api_dashboard, "The dashboard: Overview.")
ROUTE("GET", "/training", api_dashboard, "The dashboard: Training.")
ROUTE("GET", "/models", api_dashboard, "The dashboard: Models.")
ROUTE("GET", "/schedule", api_dashboard, "The dashboard: Schedule and Auto-retraining.")
ROUTE("GET", "/favicon.svg", api_dashboard_file, "The dashboard's icon.")
ROUTE("GET", "/assets/{file}", api_dashboard_file, "A file of the dashboard.")
ROUTE("GET", "/metrics", api_metrics, "Counters of the server in the text format of Prometheus.")
