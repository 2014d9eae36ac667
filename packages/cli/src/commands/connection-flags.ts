/** Flags of all commands that ask a running control plane. */
export interface ConnectionFlags {
  readonly server?: string;
  readonly store?: string;
}

/** Checks the address of an API: `http://127.0.0.1:15080`, or host and port alone. */
function parseServer(input: string): string {
  const text = input.includes('://') ? input : `http://${input}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`'${input}' is no address of a control plane, such as http://127.0.0.1:15080`);
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
