// What stays while pages change: brand, navigation, connection, theme.
import type { ReactNode } from "react";
import { trainingStatus } from "../api/routes.ts";
import { useQuery } from "../live/cache.ts";
import { keys } from "../live/keys.ts";
import { useLiveState } from "../live/live.tsx";
import { Icon } from "../ui/Icon.tsx";
import { setTheme, useThemeChoice, type ThemeChoice } from "../ui/theme.ts";
import { Link } from "./Link.tsx";
import { pages } from "./pages.ts";
import { usePath } from "./router.ts";
import "./Shell.css";

function Navigation() {
  const path = usePath();
  const training = useQuery(keys.training, trainingStatus).data;
  return (
    <nav className="nav" aria-label="Pages">
      {pages.map((page) => (
        <Link
          key={page.path}
          href={page.path}
          aria-current={page.path === path ? "page" : undefined}
          onPointerEnter={() => void page.load()}
          onFocus={() => void page.load()}
        >
          <Icon name={page.icon} size={20} />
          {page.name}
          {page.path === "/training" && training?.is_running && (
            <i className="nav-dot">
              <span className="visually-hidden">, something is running</span>
            </i>
          )}
        </Link>
      ))}
    </nav>
  );
}

const CONNECTION_TEXTS = {
  connecting: "Connecting…",
  websocket: "Live",
  events: "Live (events)",
  polling: "Updated every 5 s",
  offline: "Server not reachable",
};

function ConnectionState() {
  const state = useLiveState();
  return (
    <p className={`connection ${state}`} role="status" data-state={state} title={CONNECTION_TEXTS[state]}>
      <i aria-hidden="true" />
      <span>{CONNECTION_TEXTS[state]}</span>
    </p>
  );
}

const THEMES: { id: ThemeChoice; name: string; icon: "sun" | "moon" | "auto" }[] = [
  { id: "light", name: "Light", icon: "sun" },
  { id: "auto", name: "As the system", icon: "auto" },
  { id: "dark", name: "Dark", icon: "moon" },
];

function Themes() {
  const choice = useThemeChoice();
  return (
    <div className="themes" role="group" aria-label="Colours">
      {THEMES.map(({ id, name, icon }) => (
        <button key={id} type="button" aria-pressed={choice === id} aria-label={name} title={name} onClick={() => setTheme(id)}>
          <Icon name={icon} size={16} />
        </button>
      ))}
    </div>
  );
}

export function Shell({ children }: { children: ReactNode }) {
  const state = useLiveState();
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="side">
        <Link href="/" className="brand">
          <img src="/favicon.svg" alt="" width={28} height={28} />
          Almanac
        </Link>
        <Navigation />
        <div className="side-foot">
          <ConnectionState />
          <Themes />
        </div>
      </header>
      <main className="main" id="main" tabIndex={-1}>
        {state === "offline" && (
          <div className="banner">
            <Icon name="alert" />
            The server cannot be reached. What you see is what was last known; this page carries on by itself.
          </div>
        )}
        {children}
      </main>
    </div>
  );
}
