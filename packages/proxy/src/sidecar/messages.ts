/** What the supervisor says to its sidecar over the IPC channel. When the channel closes, the sidecar ends. */
export type ToSidecar =
  /** The application has been started: publish the instance as soon as its port accepts connections. */
  | { readonly type: 'app-started' }
  /** Take the instance out of the mesh and wait until every proxy has acknowledged that. Answered by `withdrawn`. */
  | { readonly type: 'withdraw'; readonly timeoutMs: number }
  /** Accept nothing new, let running requests end. Answered by `drained`. */
  | { readonly type: 'drain'; readonly timeoutMs: number }
  /**
   * Another process is to take over: open no more sockets and send all that others come to. Answered by `socket`s and
   * `handed-over`.
   */
  | { readonly type: 'hand-over' }
  /** The other one can't take over: go on as if `hand-over` had not been said. */
  | { readonly type: 'stay' }
  /** The other one serves: accept no more, leave the mesh to it, let connections end, `timeoutMs` at most; then end. */
  | { readonly type: 'depart'; readonly timeoutMs: number }
  /** End now. */
  | { readonly type: 'stop' };

/** What a sidecar says to its supervisor. */
export type FromSidecar =
  /** Listeners are up and serve; `source` says whether the control plane or the disk snapshot configured them. */
  | { readonly type: 'ready'; readonly source: 'control-plane' | 'snapshot'; readonly identity: string }
  /** The control plane has published the instance. */
  | { readonly type: 'published' }
  /** The instance is out of the mesh; `waiting` proxies had not acknowledged that in time. */
  | { readonly type: 'withdrawn'; readonly acknowledged: boolean; readonly waiting: number }
  /** Nothing is in flight any more, or the time was up with `open` requests running. */
  | { readonly type: 'drained'; readonly open: number }
  /** A socket, whose handle comes with the message; `address` as in `OpenSocket`. */
  | { readonly type: 'socket'; readonly address: string }
  /** All sockets have been sent. */
  | { readonly type: 'handed-over' }
  /** The sidecar can't start and ends; `message` is the sentence for the user. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** Something the user should know, one sentence. */
  | { readonly type: 'warning'; readonly code: string; readonly message: string };
