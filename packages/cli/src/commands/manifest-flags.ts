import { parseName } from '../flags.ts';

/** Flags of all commands that read objects from files. */
export const manifestFlags = {
  filename: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    placeholder: 'FILE',
    brief: 'file, directory, URL, or - for standard input; may be repeated',
  },
  namespace: {
    kind: 'parsed',
    parse: parseName,
    default: 'default',
    placeholder: 'NS',
    brief: 'for objects that name none',
  },
  recursive: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'read directories in directories too',
  },
} as const;

/** For commands that can do without files. */
export const optionalFilename = { ...manifestFlags.filename, optional: true } as const;
