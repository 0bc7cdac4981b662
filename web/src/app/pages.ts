// The pages: one row each. A page is a chunk of its own; the one that is opened first is asked for with the shell.
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { IconName } from "../ui/Icon.tsx";

export interface Page {
  path: string;
  name: string;
  icon: IconName;
  load: () => Promise<{ default: ComponentType }>;
  component: LazyExoticComponent<ComponentType>;
}

function page(path: string, name: string, icon: IconName, load: Page["load"]): Page {
  return { path, name, icon, load, component: lazy(load) };
}

export const pages: Page[] = [
  page("/", "Overview", "overview", () => import("../pages/overview/OverviewPage.tsx")),
  page("/training", "Training", "training", () => import("../pages/training/TrainingPage.tsx")),
  page("/models", "Models", "models", () => import("../pages/models/ModelsPage.tsx")),
  page("/schedule", "Schedule", "schedule", () => import("../pages/schedule/SchedulePage.tsx")),
];
