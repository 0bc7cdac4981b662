// Line icons of our own, 20 x 20, drawn with the colour of the text around them.
const PATHS = {
  overview: "M3 10.5 10 4l7 6.5M5 9v7h10V9",
  training: "M3 15.5 7.5 9l3.5 3.5L17 4.5M13 4.5h4v4",
  models: "M10 2.8 16.5 6v8L10 17.2 3.5 14V6zM3.5 6 10 9.4 16.5 6M10 9.4v7.8",
  schedule: "M4 5.5h12v11H4zM4 8.8h12M7.3 3.5v3.6M12.7 3.5v3.6M10 11.2v2.1l1.6.9",
  sun: "M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8ZM10 2.2v1.6M10 16.2v1.6M2.2 10h1.6M16.2 10h1.6M4.5 4.5l1.1 1.1M14.4 14.4l1.1 1.1M15.5 4.5l-1.1 1.1M5.6 14.4l-1.1 1.1",
  moon: "M16 12.2A6.6 6.6 0 0 1 7.8 4 6.6 6.6 0 1 0 16 12.2Z",
  auto: "M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6ZM10 3.2v13.6M10 6.5h4.6M10 10h6.6M10 13.5h4.6",
  play: "M6.5 4.2v11.6L15.5 10z",
  pause: "M7 4.5v11M13 4.5v11",
  stop: "M5.5 5.5h9v9h-9z",
  bolt: "M11 2.8 5 11.2h4.2L8.6 17.2 15 8.8h-4.4z",
  check: "M4.5 10.5 8.3 14.2 15.5 6",
  cross: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  search: "M9 3.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 9 3.8ZM12.8 12.8l3.7 3.7",
  download: "M10 3.5v9M6.3 9 10 12.6 13.7 9M4 16.2h12",
  down: "M5 7.5l5 5 5-5",
  up: "M5 12.5l5-5 5 5",
  right: "M7.5 5l5 5-5 5",
  edit: "M4 16l.8-3.6 8.5-8.5 2.8 2.8-8.5 8.5zM11.3 5.9l2.8 2.8",
  trash: "M4.5 6h11M8 6V4h4v2M6 6l.7 10.2h6.6L14 6",
  refresh: "M16 10a6 6 0 1 1-1.8-4.3M16.2 3.6v3h-3",
  archive: "M3.5 4.5h13v3h-13zM4.5 7.5v8.5h11V7.5M8 10.8h4",
  promote: "M10 16.5v-10M6 10l4-4 4 4M5 3.5h10",
  alert: "M10 3.2 17.2 16H2.8zM10 8.2v3.6M10 13.8v.2",
  clock: "M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6ZM10 6.2V10l2.6 1.6",
  compare: "M6 4v12M14 4v12M3 7.5 6 4l3 3.5M11 12.5l3 3.5 3-3.5",
  end: "M10 4v9M6.3 9.6 10 13.2l3.7-3.6M5 16.4h10",
  pulse: "M2.8 10.5h3.4L8.4 5l3.2 10 2.2-4.5h3.4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
