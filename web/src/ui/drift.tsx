// The state of drift in a word: the server's own verdict, or that there is nothing to judge yet.
import type { DriftModel } from "../api/types.ts";
import { Badge } from "./Badge.tsx";

export function DriftBadge({ model }: { model: DriftModel }) {
  if (model.trigger === "performance") return <Badge tone="bad" title={model.reason}>underperforming</Badge>;
  if (model.trigger === "drift") return <Badge tone="warn" title={model.reason}>drifting</Badge>;
  if (model.share_drifted === null && model.live_loss.count === 0) return <Badge title={model.reason}>no matches yet</Badge>;
  return <Badge tone="good" title={model.reason}>stable</Badge>;
}
