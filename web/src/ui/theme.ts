// Light, dark, or as the system says; the choice is remembered on this device.
import { useSyncExternalStore } from "react";

export type ThemeChoice = "auto" | "light" | "dark";
const KEY = "almanac-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // storage may be forbidden
  }
}

let choice = stored();

function apply() {
  const root = document.documentElement;
  if (choice === "auto") delete root.dataset.theme;
  else root.dataset.theme = choice;
  for (const listener of [...listeners]) listener();
}

export function setTheme(next: ThemeChoice) {
  choice = next;
  try {
    if (next === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // then it holds for this page only
  }
  apply();
}

system.addEventListener("change", apply);
apply();

function watch(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export const useThemeChoice = () => useSyncExternalStore(watch, () => choice);
export const useTheme = () => useSyncExternalStore(watch, () => (choice === "auto" ? (system.matches ? "dark" : "light") : choice));
