import { createRoot } from "react-dom/client";
import "./app/tokens.css";
import "./app/base.css";
import "./ui/Table.css";
import { App } from "./app/App.tsx";
import { startFeeds } from "./live/feeds.ts";

startFeeds();
createRoot(document.getElementById("root")!).render(<App />);
