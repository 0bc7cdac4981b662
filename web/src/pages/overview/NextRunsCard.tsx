import { schedule } from "../../api/routes.ts";
import { Link } from "../../app/Link.tsx";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { OutcomeBadge } from "../../ui/Badge.tsx";
import { Card } from "../../ui/Card.tsx";
import { cronWords } from "../../ui/cron.ts";
import { Ago } from "../../ui/Now.tsx";
import { Answer, Empty } from "../../ui/States.tsx";
import { taskName } from "../../ui/names.ts";

const SHOWN = 5;

export function NextRunsCard() {
  const answer = useQuery(keys.schedule, schedule);
  return (
    <Card title="Next runs" flush actions={<Link href="/schedule">Schedule</Link>}>
      <Answer of={answer} what="The schedule">
        {({ tasks }) => {
          const next = tasks.filter((one) => one.is_enabled && one.next_run).sort((a, b) => a.next_run!.localeCompare(b.next_run!));
          if (next.length === 0) {
            return (
              <Empty icon="schedule" title="Nothing is planned">
                No task has a next run: they, or the scheduler itself, are switched off.
              </Empty>
            );
          }
          return (
            <ul className="list">
              {next.slice(0, SHOWN).map((one) => (
                <li key={one.name}>
                  <div className="list-main">
                    <strong>{taskName(one.name)}</strong>
                    <p>{cronWords(one.cron)}</p>
                  </div>
                  <div className="list-end">
                    {one.last_outcome === "failed" && <OutcomeBadge outcome="failed" title={one.last_note ?? undefined} />} <Ago time={one.next_run} />
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Answer>
    </Card>
  );
}
