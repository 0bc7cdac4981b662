import { PageHead } from "../../app/PageHead.tsx";
import { DriftPanel } from "./DriftPanel.tsx";
import { HistoryCard } from "./HistoryCard.tsx";
import { RetrainingCard } from "./RetrainingCard.tsx";
import { TasksCard } from "./TasksCard.tsx";
import "./SchedulePage.css";

export default function SchedulePage() {
  return (
    <>
      <PageHead title="Schedule & Auto-retraining">What runs by itself, when, and what makes a model learn anew.</PageHead>
      <div className="page-grid">
        <TasksCard />
        <div className="retraining-grid">
          <RetrainingCard />
          <DriftPanel />
        </div>
        <HistoryCard />
      </div>
    </>
  );
}
