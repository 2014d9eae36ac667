/** What a control plane started by `heddle demo` tells it over the IPC channel. When the channel closes, it ends. */
export type UpMessage =
  | {
      readonly type: 'ready';
      /** Without the token. */
      readonly dashboardUrl: string;
      /** Admits a person to the dashboard. */
      readonly dashboardToken: string;
    }
  /** It can't start; `message` and `hint` are for the user. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly hint: string };
