import type { Model } from "../../api/types.ts";
import { Field, Select } from "../../ui/Fields.tsx";
import { botName, plural, timeframe } from "../../ui/format.ts";
import { namesOf, ORDERS, type Filter } from "./filter.ts";

const STATUSES = [
  { id: "current", name: "All but archived" },
  { id: "", name: "All" },
  { id: "active", name: "Active" },
  { id: "stale", name: "Stale" },
  { id: "failed", name: "Failed" },
  { id: "archived", name: "Archived" },
];

export function Filters({ all, filter, count, onChange }: { all: Model[]; filter: Filter; count: number; onChange: (part: Partial<Filter>) => void }) {
  const choices = (key: "subject" | "variant" | "bot", name: string, write: (id: string) => string) => [
    { id: "", name },
    ...namesOf(all, key).map((id) => ({ id, name: write(id) })),
  ];
  return (
    <div className="filters" role="search" aria-label="Filter the versions">
      <div className="filters-search">
        <Field label="Search">
          {(id) => (
            <input id={id} type="search" className="input" placeholder="Version, league, bot, features" value={filter.text} onChange={(event) => onChange({ text: event.target.value })} />
          )}
        </Field>
      </div>
      <Select label="Status" value={filter.status} choices={STATUSES} onChange={(status) => onChange({ status })} />
      <Select label="League" value={filter.subject} choices={choices("subject", "All leagues", String)} onChange={(subject) => onChange({ subject })} />
      <Select label="Target" value={filter.variant} choices={choices("variant", "All targets", timeframe)} onChange={(variant) => onChange({ variant })} />
      <Select label="Bot" value={filter.bot} choices={choices("bot", "All bots", botName)} onChange={(bot) => onChange({ bot })} />
      <Select
        label="Order"
        value={filter.order}
        choices={Object.entries(ORDERS).map(([id, { name }]) => ({ id, name }))}
        onChange={(order) => onChange({ order: order as Filter["order"] })}
      />
      <p className="filters-count num" role="status">
        {plural(count, "version")}
      </p>
    </div>
  );
}
