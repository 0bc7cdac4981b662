// The browser's own modal dialog: it keeps the focus inside, closes on Escape and gives the focus back.
import { useId, useLayoutEffect, useRef, type ReactNode } from "react";
import { Button } from "./Button.tsx";
import "./Dialog.css";

export function Dialog({ title, onClose, wide, children }: { title: string; onClose: () => void; wide?: boolean; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  const isPressedOutside = useRef(false); // text that is marked with the mouse may end outside
  const id = useId();
  // layout: closed while it is still on the page, else the focus has no way back
  useLayoutEffect(() => {
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    dialog.querySelector<HTMLElement>("[data-focus]")?.focus(); // React's autoFocus comes before the dialog is open
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={element}
      className={wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => (isPressedOutside.current = event.target === element.current)}
      onClick={(event) => event.target === element.current && isPressedOutside.current && onClose()}
    >
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" icon="cross" aria-label="Close" onClick={onClose} />
      </div>
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}

export interface Question {
  title: string;
  text: ReactNode;
  confirm: string;
  danger?: boolean;
  action: () => Promise<unknown>;
}

/** Asks before something that cannot be undone; the safe answer has the focus. */
export function Confirm({ question, onClose }: { question: Question; onClose: () => void }) {
  return (
    <Dialog title={question.title} onClose={onClose}>
      <div>{question.text}</div>
      <div className="dialog-actions">
        <Button data-focus onClick={onClose}>
          Cancel
        </Button>
        <Button
          kind={question.danger ? "danger-solid" : "primary"}
          onClick={() => {
            onClose();
            void question.action();
          }}
        >
          {question.confirm}
        </Button>
      </div>
    </Dialog>
  );
}
