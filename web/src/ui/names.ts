// Names of the schedule's tasks for people; what is not listed is written as it is called.
const TASKS: Record<string, string> = {
  calibrate: "Calibrate",
  fetch_odds: "Fetch odds",
  retrain: "Retrain",
  value_bets: "Value bets",
  clean_up: "Clean up",
  performance: "Performance and drift",
  standings: "Standings",
};

export const taskName = (name: string) => TASKS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, " ");
