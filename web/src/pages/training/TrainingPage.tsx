import { useState } from "react";
import { trainingStatus } from "../../api/routes.ts";
import { PageHead } from "../../app/PageHead.tsx";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Card } from "../../ui/Card.tsx";
import { Answer } from "../../ui/States.tsx";
import { LogCard } from "./LogCard.tsx";
import { QueueCard } from "./QueueCard.tsx";
import { StartForm } from "./StartForm.tsx";
import { StatusCard } from "./StatusCard.tsx";
import "./TrainingPage.css";

export default function TrainingPage() {
  const answer = useQuery(keys.training, trainingStatus);
  const [shownJob, showJob] = useState(() => Number(new URLSearchParams(location.search).get("job")) || null); // null: whatever runs
  return (
    <>
      <PageHead title="Training">
        Data Empowerment: choose what is learned from how many matches, and watch it line by line.
      </PageHead>
      <div className="page-grid">
        <div className="training-grid">
          <StartForm status={answer.data} />
          <div className="training-side">
            {answer.data ? (
              <>
                <StatusCard status={answer.data} />
                <QueueCard status={answer.data} />
              </>
            ) : (
              <Card title="Now">
                <Answer of={answer} what="The training">
                  {() => null}
                </Answer>
              </Card>
            )}
          </div>
        </div>
        <LogCard current={answer.data?.current_training?.job_id ?? null} chosen={shownJob} onChoose={showJob} />
      </div>
    </>
  );
}
