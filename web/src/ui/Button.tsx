import type { ButtonHTMLAttributes } from "react";
import { Icon, type IconName } from "./Icon.tsx";
import "./Button.css";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "plain" | "primary" | "danger" | "danger-solid" | "quiet";
  small?: boolean;
  icon?: IconName;
  isBusy?: boolean;
  "data-focus"?: boolean; // has the focus when its dialog opens
}

const KINDS = { plain: "", primary: "primary", danger: "danger", "danger-solid": "danger solid", quiet: "quiet-button" };

export function Button({ kind = "plain", small, icon, isBusy, className, children, disabled, ...rest }: ButtonProps) {
  const classes = ["button", KINDS[kind], small && "small", icon && !children && "icon-only", className].filter(Boolean).join(" ");
  return (
    <button type="button" className={classes} disabled={disabled || isBusy} aria-busy={isBusy || undefined} {...rest}>
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}

/** A link that looks like a button: downloads. */
export function LinkButton({ href, icon, small, label, download, children }: {
  href: string;
  icon?: IconName;
  small?: boolean;
  label?: string;
  download?: boolean;
  children?: string;
}) {
  return (
    <a
      className={["button", small && "small", !children && "icon-only"].filter(Boolean).join(" ")}
      href={href}
      aria-label={label}
      title={label}
      download={download || undefined}
    >
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </a>
  );
}
