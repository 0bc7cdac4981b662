import { useState } from "react";
import type { SymbolOption } from "../../api/types.ts";
import { Button } from "../../ui/Button.tsx";
import { integer, year } from "../../ui/format.ts";
import { Icon } from "../../ui/Icon.tsx";

/** Leagues with their matches; those without any are last and cannot be chosen. */
export function LeaguePicker({ symbols, chosen, onChange }: {
  symbols: SymbolOption[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}) {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const shown = symbols.filter((one) => `${one.id} ${one.name} ${one.country}`.toLowerCase().includes(wanted));
  const open = shown.filter((one) => one.matches > 0);
  const areAll = open.length > 0 && open.every((one) => chosen.includes(one.id));
  const toggleAll = () => {
    const ids = open.map((one) => one.id);
    onChange(areAll ? chosen.filter((id) => !ids.includes(id)) : [...new Set([...chosen, ...ids])]);
  };
  return (
    <div className="leagues">
      <div className="leagues-search">
        <Icon name="search" size={16} />
        <input type="search" placeholder="League or country" aria-label="Search leagues" value={search} onChange={(event) => setSearch(event.target.value)} />
        <Button kind="quiet" small onClick={toggleAll} disabled={open.length === 0}>
          {areAll ? "None" : "All"}
        </Button>
      </div>
      <div className="leagues-list">
        {shown.map((one) => (
          <label key={one.id} className="league" style={one.matches === 0 ? { opacity: 0.55 } : undefined}>
            <input
              type="checkbox"
              checked={chosen.includes(one.id)}
              disabled={one.matches === 0}
              onChange={(event) => onChange(event.target.checked ? [...chosen, one.id] : chosen.filter((id) => id !== one.id))}
            />
            <b>{one.id}</b>
            <span>
              {one.country} · {one.name}
            </span>
            <em className="num" title={one.from ? `${year(one.from)} to ${year(one.to)}` : "nothing imported"}>
              {integer(one.matches)}
            </em>
          </label>
        ))}
        {shown.length === 0 && (
          <p className="league-empty">
            {symbols.length > 0 ? (
              `No league is called “${search}”.`
            ) : (
              <>
                Nothing has been imported yet. This reads a folder of results:
                <br />
                <code>almanac import football FOLDER</code>
              </>
            )}
          </p>
        )}
      </div>
    </div>
  );
}
