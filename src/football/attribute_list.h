/* ATTRIBUTE(symbol, name, unit, low, high, doc): what is told of a team for a season, if anybody tells it. The name is
 * the column of an import and the `name` of table team_attribute; a value outside [low, high] is rejected. Money is in
 * whatever currency the file uses, the same for all teams of a country: only ratios are ever taken. Values may be told
 * again during a season (a manager goes); each holds from the day it became known. */
ATTRIBUTE(WAGES, "wages", "money", 0, 1e12, "wage bill of the season")
ATTRIBUTE(TRANSFER_SPEND, "transfer_spend", "money", 0, 1e12, "spent on transfers for the season")
ATTRIBUTE(TRANSFER_INCOME, "transfer_income", "money", 0, 1e12, "received for transfers for the season")
ATTRIBUTE(SQUAD_VALUE, "squad_value", "money", 0, 1e12, "market value of the squad")
ATTRIBUTE(SQUAD_SIZE, "squad_size", "players", 11, 99, "players of the squad")
ATTRIBUTE(AVERAGE_AGE, "average_age", "years", 15, 45, "mean age of the squad")
ATTRIBUTE(U21_MINUTES, "u21_minutes", "share", 0, 1, "share of the minutes played by players under 21")
ATTRIBUTE(ACADEMY_MINUTES, "academy_minutes", "share", 0, 1,
          "share of the minutes played by players of the own academy")
ATTRIBUTE(MANAGER_CHANGES, "manager_changes", "changes", 0, 20, "changes of manager this season so far")
