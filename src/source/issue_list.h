/* ISSUE(symbol, name, rejects the row, doc) */
ISSUE(BLANK_ROW, "blank_row", 1, "a row of separators only")
ISSUE(RAGGED_ROW, "ragged_row", 0,
      "more or fewer fields than the header; the extra ones were empty or are ignored, missing ones count as "
      "empty")
ISSUE(BAD_DATE, "bad_date", 1, "the date is missing or not a day of the calendar")
ISSUE(BAD_TIME, "bad_time", 0, "the kick-off time cannot be read; the time counts as unknown")
ISSUE(MISSING_TEAM, "missing_team", 1, "a team name is empty or too long, or both teams are the same")
ISSUE(BAD_GOALS, "bad_goals", 1, "goals are not whole numbers from 0 to 99")
ISSUE(RESULT_MISMATCH, "result_mismatch", 0, "the result letter contradicts the goals; the goals win")
ISSUE(BAD_HALF_TIME, "bad_half_time", 0, "half-time goals are unreadable or above full time; dropped")
ISSUE(BAD_STATISTIC, "bad_statistic", 0,
      "a statistic is negative, not a number or contradicts another; dropped")
ISSUE(BAD_PRICE, "bad_price", 0, "a price is not a number above 1.00; that price is dropped")
ISSUE(OVERROUND, "overround", 0, "a complete set of prices sums outside [1.00, 1.20]; kept and flagged")
ISSUE(UNKNOWN_DIVISION, "unknown_division", 1, "the division or league is not known")
ISSUE(DUPLICATE_ROW, "duplicate_row", 0, "the same league, date and teams again; the later row wins")
ISSUE(ENCODING, "encoding", 0, "bytes that are not UTF-8 were read as Windows-1252")
ISSUE(BYTE_ORDER_MARK, "byte_order_mark", 0, "the file begins with a byte order mark; skipped")
ISSUE(TWO_DIGIT_YEAR, "two_digit_year", 0, "the year has two digits; 70 to 99 are 19xx")
ISSUE(NAME_SPACES, "name_spaces", 0, "spaces around a team name were removed")
ISSUE(UNKNOWN_TEAM, "unknown_team", 1, "no team of the country has this name or an alias of it")
ISSUE(BAD_SEASON, "bad_season", 1, "the season is neither a year nor two that follow each other")
ISSUE(BAD_ATTRIBUTE, "bad_attribute", 1,
      "an attribute of a team is not a number or outside its range; that value is left out, the others of "
      "its row are kept")
ISSUE(UNKNOWN_COLUMN, "unknown_column", 0, "a column of the header is no known attribute of a team; ignored")
ISSUE(NO_RESULT, "no_result", 0, "no goals yet: kept as a scheduled match")
