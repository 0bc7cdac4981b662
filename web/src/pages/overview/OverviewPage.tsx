import { PageHead } from "../../app/PageHead.tsx";
import { DriftCard } from "./DriftCard.tsx";
import { HealthCard } from "./HealthCard.tsx";
import { JobsCard } from "./JobsCard.tsx";
import { LiveTiles } from "./LiveTiles.tsx";
import { NextRunsCard } from "./NextRunsCard.tsx";
import { ProductionCard } from "./ProductionCard.tsx";
import "./OverviewPage.css";

export default function OverviewPage() {
  return (
    <>
      <PageHead title="Overview">What is in production, how good it honestly is, and what the machine is doing.</PageHead>
      <div className="page-grid">
        <LiveTiles />
        <div className="overview-main">
          <div className="overview-side">
            <ProductionCard />
            <DriftCard />
            <HealthCard />
          </div>
          <div className="overview-side">
            <JobsCard />
            <NextRunsCard />
          </div>
        </div>
      </div>
    </>
  );
}
