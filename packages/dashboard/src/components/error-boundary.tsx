import { Component, type ComponentChildren } from 'preact';

interface Properties {
  readonly children?: ComponentChildren;
}

interface State {
  readonly message: string | null;
}

/** Keeps a mistake in one page from taking the whole dashboard down. */
export class ErrorBoundary extends Component<Properties, State> {
  override state: State = { message: null };

  override componentDidCatch(error: unknown): void {
    this.setState({ message: error instanceof Error ? error.message : String(error) });
  }

  override render() {
    if (this.state.message === null) return this.props.children;
    return (
      <div class="note bad" role="alert">
        <p>
          <strong>This page has a mistake in it.</strong> The rest of the dashboard works. Please report this
          text:
        </p>
        <code>{this.state.message}</code>
      </div>
    );
  }
}
