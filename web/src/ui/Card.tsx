import { useId, type ReactNode } from "react";
import "./Card.css";

export function Card({ title, note, actions, flush, className, children }: {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  flush?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={["card", className].filter(Boolean).join(" ")} aria-labelledby={title ? id : undefined}>
      {title && (
        <div className="card-head">
          <h2 id={id}>{title}</h2>
          {actions && <div className="actions">{actions}</div>}
          {note && <p>{note}</p>}
        </div>
      )}
      <div className={flush ? "card-body flush" : "card-body"}>{children}</div>
    </section>
  );
}
