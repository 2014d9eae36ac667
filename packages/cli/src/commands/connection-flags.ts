/** Flags of all commands that ask a running control plane. */
export interface ConnectionFlags {
  readonly server?: string;
  readonly store?: string;
}

/** Checks the address of an API, such as `http://127.0.0.1:15080`. */
function parseServer(input: string): string {
  const url = URL.canParse(input) ? new URL(input) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`'${input}' is no URL of a control plane: write one such as http://127.0.0.1:15080`);
  }
  return url.origin;
}

export const connectionFlags = {
  server: {
    kind: 'parsed',
    parse: parseServer,
    optional: true,
    placeholder: 'URL',
    brief: "the control plane's API, with its token in HEDDLE_TOKEN",
  },
  store: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'DIR',
    brief: 'where the mesh is kept; the nearest .heddle upwards',
  },
} as const;
