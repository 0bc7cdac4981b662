import "./Progress.css";

/** value 0..1; null while nobody knows. */
export function Progress({ value, label, thin }: { value: number | null; label: string; thin?: boolean }) {
  const share = value === null ? null : Math.max(0, Math.min(1, value));
  return (
    <div
      className={["progress", thin && "thin", share === null && "unknown"].filter(Boolean).join(" ")}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
    >
      <span style={share === null ? undefined : { transform: `scaleX(${share})` }} />
    </div>
  );
}
