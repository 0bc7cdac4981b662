import { Component, type ReactNode } from "react";
import { Button } from "../ui/Button.tsx";
import { Empty } from "../ui/States.tsx";

/** A page that breaks does not take the others with it. The key of the page resets it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <Empty
        icon="alert"
        title="This page has stopped"
        action={<Button onClick={() => location.reload()}>Load it again</Button>}
      >
        {this.state.error.message}
      </Empty>
    );
  }
}
