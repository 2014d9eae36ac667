// Text of YAML (or JSON, which YAML 1.2 contains) to plain values with places. Refuses what is ambiguous instead of guessing.
import type { Problem } from '@heddle/base';
import {
  type Document,
  LineCounter,
  type YAMLError,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
} from 'yaml';
import { maxDepth, maxFileLength, maxValues } from './limits.ts';
import { ObjectSource, type Place } from './place.ts';

/** One document of a file that is sound YAML. */
export interface ReadDocument {
  /** Plain JSON-like data. */
  readonly value: unknown;
  readonly source: ObjectSource;
}

/** A file as it came: its name is only shown. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

interface Read {
  readonly value: unknown;
  readonly place: Place;
}

const noChildren: ReadonlyMap<string | number, Place> = new Map();

/** Ends the reading of a document that goes beyond a limit; never leaves this module. */
class LimitReached extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Walks one document's nodes to values. Its own walk, because the library's loses places, and its key check is quadratic. */
class DocumentReader {
  readonly problems: { message: string; hint?: string; offset: number }[] = [];
  readonly #anchors = new Map<string, unknown>();
  readonly #open = new Set<unknown>();
  #values: number;

  constructor(values: number) {
    this.#values = values;
  }

  get values(): number {
    return this.#values;
  }

  read(node: unknown, keyOffset: number, depth: number): Read {
    const offset = startOf(node, keyOffset);
    if (++this.#values > maxValues) {
      throw new LimitReached(`the file holds more than ${maxValues} values, aliases included`, offset);
    }
    if (depth > maxDepth) throw new LimitReached(`values are nested deeper than ${maxDepth} levels`, offset);
    if (isAlias(node)) return this.#readAlias(node.source, offset, keyOffset, depth);
    if (isMap(node) || isSeq(node) || isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    }
    const place = { offset, keyOffset };
    if (isScalar(node)) return { value: node.value, place: { ...place, children: noChildren } };
    this.#open.add(node);
    let read: Read = { value: null, place: { ...place, children: noChildren } };
    if (isMap(node)) read = this.#readMap(node.items, place, depth);
    else if (isSeq(node)) read = this.#readSequence(node.items, place, depth);
    this.#open.delete(node);
    return read;
  }

  #readAlias(anchor: string, offset: number, keyOffset: number, depth: number): Read {
    const target = this.#anchors.get(anchor);
    if (target === undefined || this.#open.has(target)) {
      const message =
        target === undefined
          ? `no anchor '&${anchor}' stands before this alias`
          : `'*${anchor}' contains itself`;
      this.problems.push({ message, offset });
      return { value: null, place: { offset, keyOffset, children: noChildren } };
    }
    const { value, place } = this.read(target, offset, depth);
    // The alias is where the value is used, and what a problem with it should point at.
    return { value, place: { offset, keyOffset, children: place.children } };
  }

  #readSequence(items: readonly unknown[], place: Omit<Place, 'children'>, depth: number): Read {
    const value: unknown[] = [];
    const children = new Map<number, Place>();
    for (const [index, item] of items.entries()) {
      const read = this.read(item, startOf(item, place.offset), depth + 1);
      value.push(read.value);
      children.set(index, read.place);
    }
    return { value, place: { ...place, children } };
  }

  #readMap(
    pairs: readonly { key: unknown; value: unknown }[],
    place: Omit<Place, 'children'>,
    depth: number,
  ): Read {
    const value: Record<string, unknown> = {};
    const children = new Map<string, Place>();
    const merges: Read[] = [];
    const seen = new Map<string, number>();
    for (const pair of pairs) {
      const offset = startOf(pair.key, place.offset);
      const key = this.#readKey(pair.key, offset);
      if (key === undefined) continue;
      const first = seen.get(key);
      if (first !== undefined) {
        this.problems.push({ message: `the key '${key}' stands twice in one mapping`, offset });
        continue;
      }
      seen.set(key, offset);
      const read = this.read(pair.value, offset, depth + 1);
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        merges.push(...this.#mergeSources(read, offset));
        continue;
      }
      value[key] = read.value;
      children.set(key, read.place);
    }
    for (const merge of merges) {
      for (const [key, merged] of Object.entries(merge.value as Record<string, unknown>)) {
        if (Object.hasOwn(value, key)) continue;
        value[key] = merged;
        const child = merge.place.children.get(key);
        if (child !== undefined) children.set(key, child);
      }
    }
    return { value, place: { ...place, children } };
  }

  #mergeSources(read: Read, offset: number): Read[] {
    const sources: Read[] = Array.isArray(read.value)
      ? read.value.map((value: unknown, index) => ({ value, place: read.place.children.get(index)! }))
      : [read];
    if (sources.every(({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value)))
      return sources;
    this.problems.push({ message: `'<<' takes a mapping or a list of mappings`, offset });
    return [];
  }

  #readKey(key: unknown, offset: number): string | undefined {
    if (isScalar(key) && ['string', 'number', 'boolean'].includes(typeof key.value)) {
      // A number keeps its spelling: Kubernetes' labels {1.10: x} means "1.10".
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      if (name !== '__proto__') return name;
    }
    this.problems.push({ message: 'a key must be plain text', offset });
    return undefined;
  }
}

function startOf(node: unknown, otherwise: number): number {
  const range = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
  return range?.[0] ?? otherwise;
}

function yamlProblem(error: YAMLError, source: ObjectSource): Problem {
  if (error.message.includes('Maximum call stack')) {
    return { ...tooDeep, ...source.at(error.pos[0]) };
  }
  const isTab = error.code === 'TAB_AS_INDENT';
  return {
    code: 'HEDDLE_YAML',
    severity: 'error',
    message: isTab ? 'a tab is used as indentation' : `not valid YAML: ${firstLine(error.message)}`,
    ...(isTab ? { hint: 'indent with spaces' } : {}),
    ...source.at(error.pos[0]),
  };
}

// The parser recurses per level: text nested thousands of levels deep exhausts the stack, which it reports or throws.
const tooDeep: Problem = {
  code: 'HEDDLE_YAML_LIMIT',
  severity: 'error',
  message: `values are nested deeper than ${maxDepth} levels`,
};

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '');
}

/** Reads all documents of a file. Documents with problems are left out of `documents`; empty ones are skipped. */
export function readDocuments(file: ManifestFile): { documents: ReadDocument[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const documents: ReadDocument[] = [];
  const refuse = (message: string): Problem => ({
    code: 'HEDDLE_YAML_LIMIT',
    severity: 'error',
    message,
    file: file.name,
  });
  if (file.text.length > maxFileLength) {
    return {
      documents,
      problems: [refuse(`the file has ${file.text.length} characters, more than ${maxFileLength}`)],
    };
  }
  const lines = new LineCounter();
  let parsed: readonly Document.Parsed[];
  try {
    const result = parseAllDocuments(file.text, {
      lineCounter: lines,
      // One schema whatever a %YAML directive says: no timestamps, sets or binary values.
      schema: 'core',
      resolveKnownTags: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    parsed = [...result];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { documents, problems: [{ ...tooDeep, file: file.name }] };
  }
  let values = 0;
  for (const document of parsed) {
    const reader = new DocumentReader(values);
    const nothing = { offset: document.range[0], keyOffset: document.range[0], children: noChildren };
    // Only the first: what the parser says after it has lost its way misleads.
    const flaw = document.errors[0] ?? document.warnings[0];
    if (flaw !== undefined) {
      problems.push(yamlProblem(flaw, new ObjectSource(file.name, nothing, lines)));
      continue;
    }
    if (document.contents === null) continue;
    try {
      const { value, place } = reader.read(document.contents, startOf(document.contents, 0), 0);
      const source = new ObjectSource(file.name, place, lines);
      for (const { offset, ...flaw } of reader.problems) {
        problems.push({ code: 'HEDDLE_YAML', severity: 'error', ...flaw, ...source.at(offset) });
      }
      if (reader.problems.length === 0 && value !== null) documents.push({ value, source });
      values = reader.values;
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      const source = new ObjectSource(file.name, nothing, lines);
      problems.push({ ...refuse(error.message), ...source.at(error.offset) });
      break;
    }
  }
  return { documents, problems };
}
