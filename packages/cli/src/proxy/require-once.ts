import { createRequire } from 'node:module';

/**
 * Loads a CommonJS package for one use; `parent` is the caller's `import.meta.url`. Nothing refers to it but the caller, so that
 * it goes, with its code and text, when the caller holds nothing of it any more. An ES module would stay as long as the process.
 * The built package has it as a file of its own.
 */
export function requireOnce(name: string, parent: string): unknown {
  const require = createRequire(parent);
  const others = new Set(Object.keys(require.cache));
  try {
    return require(name) as unknown;
  } finally {
    for (const path of Object.keys(require.cache)) if (!others.has(path)) delete require.cache[path];
  }
}
