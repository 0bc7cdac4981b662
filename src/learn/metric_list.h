/* METRIC(symbol, name, is_row_mean, lower_is_better, doc) */
METRIC(LOG_LOSS, "log_loss", 1, 1, "mean of -ln p of the outcome")
METRIC(BRIER, "brier", 1, 1, "mean of the sum over classes of (p - o)^2 (Brier 1950; 0..2)")
METRIC(RPS, "rps", 1, 1, "ranked probability score (Epstein 1969), classes in order; 0..1")
METRIC(ACCURACY, "accuracy", 1, 0, "share of rows whose most probable class happened")
METRIC(MACRO_F1, "macro_f1", 0, 0, "mean over classes of the F1 score of the most probable class")
METRIC(ECE, "ece", 0, 1,
       "expected calibration error: 15 equal-width bins over all class probabilities, one against the rest")
