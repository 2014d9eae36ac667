/** What an agent does for the data plane that is not Heddle's. */
export interface ForeignDataPlane {
  /**
   * Resolves when it serves, or can be started. `socketPath` is where secrets and configuration are served; `onEnded` is told why when
   * it has ended by itself.
   */
  start(socketPath: string, onEnded: (reason: string) => void): Promise<void>;
  /** Lets it take nothing new from others; resolves with the requests that still run when the time is up. */
  drain(timeoutMs: number): Promise<number>;
  /** Ends it. */
  close(): Promise<void>;
}
