// Hot path.
// Rapid reset (CVE-2023-44487), and its variant in which this side is made to do the resetting (CVE-2025-8671): requests
// that cost their client nothing, since nobody waits for the response. Envoy's rule and Envoy's numbers.

/** A stream that lived longer was no mere nuisance. Envoy counts whole seconds and allows one. */
const shortLifeMs = 2000;
/** `overload.premature_reset_total_stream_count`. */
const judgedStreams = 500;

/** Streams of one client that were reset by whichever side before a response began. */
export class PrematureResets {
  private closed = 0;
  private premature = 0;

  /** A stream is gone that lived for `lifetimeMs`. `wasReset` before its response had begun. True: the client is to go. */
  onClosed(wasReset: boolean, lifetimeMs: number): boolean {
    this.closed++;
    if (!wasReset || lifetimeMs >= shortLifeMs) return false;
    this.premature++;
    // Half of the streams, or as many as would be half of those after which one judges.
    return this.premature * 2 >= Math.max(this.closed, judgedStreams);
  }
}
