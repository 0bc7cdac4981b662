/* MODEL_STATUS(symbol, name, colour) */
MODEL_STATUS(ACTIVE, "active", "#26a69a")
MODEL_STATUS(STALE, "stale", "#ffa726")
MODEL_STATUS(FAILED, "failed", "#ef5350")
MODEL_STATUS(ARCHIVED, "archived", "#666")
