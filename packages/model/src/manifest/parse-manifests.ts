// From files to validated objects. The one way in: what is not understood in full is refused, with its place.
import { type Problem, assertNever } from '@heddle/base';
import { Report } from '../check/check.ts';
import { checkDestinationRule } from '../check/destination-rule.ts';
import { checkVirtualService } from '../check/virtual-service.ts';
import { identifyKind } from '../kinds/identify-kind.ts';
import type { KindInfo } from '../kinds/kinds.ts';
import { destinationRuleSpec } from '../schema/destination-rule.ts';
import { type Flaw, findSchemaFlaws, show, unknownField } from '../schema/problems.ts';
import { findUnsupported } from '../schema/support.ts';
import { virtualServiceSpec } from '../schema/virtual-service.ts';
import { deepFreeze } from './deep-freeze.ts';
import { maxProblems } from '../source/limits.ts';
import { type ObjectSource, formatPath } from '../source/place.ts';
import { type ManifestFile, readDocuments } from '../source/read-documents.ts';
import { checkMetadata, metadataSchema, toMetadata } from './metadata.ts';
import { type MeshObject, type ObjectKey, type ObjectMeta, formatKey } from './object.ts';

/** A valid object and where it was written. */
export interface ParsedObject {
  readonly object: MeshObject;
  readonly source: ObjectSource;
}

export interface ParseOptions {
  /** Of objects that name none. */
  readonly namespace: string;
}

/**
 * Reads and validates YAML or JSON. All problems of all files are collected; whoever applies the objects does so only
 * where no problem is an error. `status` is ignored, as kubectl does.
 */
export function parseManifests(
  files: readonly ManifestFile[],
  options: ParseOptions,
): { objects: ParsedObject[]; problems: Problem[] } {
  const objects: ParsedObject[] = [];
  const problems = readObjects(files, options, (identified, problems) => {
    const object = parseSpec(identified, problems);
    if (object !== undefined && identified.isValid) objects.push({ object, source: identified.source });
  });
  return { objects, problems };
}

/** Reads only which objects the files name, for deleting them: a spec that is no longer valid does not stand in the way. */
export function parseKeys(
  files: readonly ManifestFile[],
  options: ParseOptions,
): { keys: ObjectKey[]; problems: Problem[] } {
  const keys: ObjectKey[] = [];
  const problems = readObjects(files, options, ({ info, metadata }) => {
    keys.push({ kind: info.kind, namespace: metadata.namespace, name: metadata.name });
  });
  return { keys, problems };
}

/** An object whose kind and name are known, before its spec is read. */
interface Identified {
  readonly info: KindInfo;
  readonly metadata: ObjectMeta;
  /** Whether what has been read so far, which is everything but the spec, is without errors. */
  readonly isValid: boolean;
  readonly spec: unknown;
  readonly source: ObjectSource;
}

function readObjects(
  files: readonly ManifestFile[],
  options: ParseOptions,
  take: (identified: Identified, problems: Problem[]) => void,
): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, ObjectSource>();
  for (const file of files) {
    const read = readDocuments(file);
    const found = [...read.problems];
    for (const { value, source } of read.documents.flatMap((document) => flatten(document, found))) {
      const identified = identify(value, source, options, found);
      if (identified === undefined) continue;
      const { info, metadata } = identified;
      const key = formatKey({ kind: info.kind, ...metadata });
      const other = first.get(key);
      if (other === undefined) first.set(key, source);
      else found.push(duplicate(key, other, source));
      take(identified, found);
    }
    // In the order of reading, which is not the order of checking.
    problems.push(
      ...found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)),
    );
  }
  return problems;
}

/** The items of a List, or the document itself. */
function flatten(
  document: { value: unknown; source: ObjectSource },
  problems: Problem[],
): { value: unknown; source: ObjectSource }[] {
  const { value, source } = document;
  if (!isMapping(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List'))
    return [document];
  const items = value['items'];
  if (!Array.isArray(items)) {
    const flaw = { code: 'HEDDLE_WRONG_TYPE', path: ['items'], message: 'a List needs a list of items' };
    problems.push(...locate([flaw], source));
    return [];
  }
  const list = source.child('items')!;
  return items.flatMap((item: unknown, index) =>
    flatten({ value: item, source: list.child(index)! }, problems),
  );
}

function identify(
  value: unknown,
  source: ObjectSource,
  options: ParseOptions,
  problems: Problem[],
): Identified | undefined {
  const refuse = (...flaws: Flaw[]): undefined => {
    problems.push(...locate(flaws, source));
  };
  if (!isMapping(value)) {
    return refuse({
      code: 'HEDDLE_NOT_AN_OBJECT',
      path: [],
      message: `an object is a mapping, got ${show(value)}`,
    });
  }
  const { apiVersion, kind, metadata: written } = value;
  for (const [name, field] of Object.entries({ apiVersion, kind })) {
    if (typeof field === 'string' && field !== '') continue;
    return refuse({
      code: 'HEDDLE_NOT_AN_OBJECT',
      path: [name],
      message: `${name} is required and must be text`,
    });
  }
  const info = identifyKind(String(apiVersion), String(kind));
  if ('code' in info) return refuse(info);
  const known = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
  const unknown = Object.keys(value).filter((field) => !known.includes(field));
  refuse(...unknown.map((field) => unknownField(field, [field], known)));
  const flaws = findSchemaFlaws(metadataSchema, written, ['metadata']);
  if (flaws.length > 0) {
    // Problems of the spec are told in the same go, though the object has no name to keep it by.
    refuse(...flaws);
    const unnamed = { name: 'unnamed', namespace: options.namespace };
    parseSpec({ info, metadata: unnamed, isValid: false, spec: value['spec'], source }, problems);
    return undefined;
  }
  const metadata = toMetadata(metadataSchema.parse(written), options.namespace);
  const report = new Report();
  checkMetadata(metadata, report);
  refuse(...report.errors);
  const isValid = unknown.length === 0 && report.errors.length === 0;
  return { info, metadata, isValid, spec: value['spec'], source };
}

function parseSpec(
  { info, metadata, spec, source }: Identified,
  problems: Problem[],
): MeshObject | undefined {
  const schema = info.kind === 'VirtualService' ? virtualServiceSpec : destinationRuleSpec;
  const flaws = findSchemaFlaws(schema, spec, ['spec']);
  const unsupported = findUnsupported(schema, spec, ['spec']);
  for (const { path, message, hint } of unsupported) {
    const flaw = { code: 'HEDDLE_UNSUPPORTED_FIELD', at: 'key', path, message } as const;
    flaws.push(hint === undefined ? flaw : { ...flaw, hint });
  }
  if (flaws.some(({ code }) => code !== 'HEDDLE_UNSUPPORTED_FIELD')) {
    problems.push(...locate(flaws, source));
    return undefined;
  }
  const report = new Report();
  const object = check(info, metadata, spec, report);
  flaws.push(...report.errors);
  problems.push(...locate(flaws, source), ...locate(report.warnings, source, 'warning'));
  return flaws.length === 0 ? deepFreeze(object) : undefined;
}

function check(
  { kind, storageApiVersion: apiVersion }: KindInfo,
  metadata: ObjectMeta,
  spec: unknown,
  report: Report,
): MeshObject {
  switch (kind) {
    case 'VirtualService': {
      const object = { apiVersion, kind, metadata, spec: virtualServiceSpec.parse(spec) };
      checkVirtualService(object.spec, report);
      return object;
    }
    case 'DestinationRule': {
      const object = { apiVersion, kind, metadata, spec: destinationRuleSpec.parse(spec) };
      checkDestinationRule(object.spec, report);
      return object;
    }
    default:
      return assertNever(kind);
  }
}

function duplicate(key: string, first: ObjectSource, second: ObjectSource): Problem {
  const { file, line } = first.locate('metadata.name');
  return {
    code: 'HEDDLE_DUPLICATE_OBJECT',
    severity: 'error',
    message: `${key} stands twice: also in ${file}, line ${line}`,
    hint: 'which of the two is meant cannot be told; remove one',
    path: 'metadata.name',
    ...second.locate('metadata.name'),
  };
}

function locate(
  flaws: readonly Flaw[],
  source: ObjectSource,
  severity: Problem['severity'] = 'error',
): Problem[] {
  return flaws.slice(0, maxProblems).map(({ code, path, at, message, hint }) => {
    const { file, line, column } = source.locate(path, at);
    const problem = { code, severity, message, path: formatPath(path), file, line, column };
    return hint === undefined ? problem : Object.assign(problem, { hint });
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
