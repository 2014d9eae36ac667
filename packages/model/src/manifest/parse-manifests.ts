// From files to validated objects. The one way in: what is not understood in full is refused, with its place.
import type { ZodType } from 'zod';
import type { Problem } from '@heddle/base';
import { Report } from '../check/check.ts';
import { checkAuthorizationPolicy } from '../check/authorization-policy.ts';
import { checkPeerAuthentication, checkRootNamespace } from '../check/security-scope.ts';
import { checkDestinationRule } from '../check/destination-rule.ts';
import { checkMeshConfigMap } from '../check/mesh-config-map.ts';
import { checkGatewayRoute } from '../check/gateway-route.ts';
import { isGatewayRoute } from '../mesh/gateway-routes.ts';
import { checkVirtualService } from '../check/virtual-service.ts';
import { identifyKind } from '../kinds/identify-kind.ts';
import { type KindInfo, kindOf } from '../kinds/kinds.ts';

import { type Flaw, findSchemaFlaws, show, unknownField } from '../schema/problems.ts';
import { findUnsupported } from '../schema/support.ts';
import { schemaOf } from '../schema/schema-of.ts';
import { deepFreeze } from './deep-freeze.ts';
import { maxProblems } from '../source/limits.ts';
import { type ObjectSource, formatPath } from '../source/place.ts';
import { type ManifestFile, readDocuments } from '../source/read-documents.ts';
import { checkMetadata, metadataSchema, toMetadata } from './metadata.ts';
import { type MeshObject, type ObjectKey, type ObjectMeta, formatKey, keyOf } from './object.ts';

/** A valid object and where it was written. */
export interface ParsedObject {
  readonly object: MeshObject;
  readonly source: ObjectSource;
}

export interface ParseOptions {
  /** Of objects that name none. */
  readonly namespace: string;
  /** Also gives objects whose spec is not valid, as they are written: for those who look at a whole that others accepted. */
  readonly keepsInvalid?: boolean;
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
    const { info, metadata, spec, source } = identified;
    const object = parseSpec(identified, problems);
    if (object !== undefined && identified.isValid) objects.push({ object, source });
    else if (options.keepsInvalid === true)
      objects.push({ object: makeObject(info, metadata, spec ?? {}), source });
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
    keys.push({ group: info.group, kind: info.kind, namespace: metadata.namespace, name: metadata.name });
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
      const key = formatKey({ group: info.group, kind: info.kind, ...metadata });
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
  if ('foreign' in info) {
    const message = `passed over: ${info.foreign} is a kind of Kubernetes that a mesh has nothing to do with`;
    problems.push(
      ...locate([{ code: 'HEDDLE_UNSUPPORTED_KIND', path: ['kind'], message }], source, 'warning'),
    );
    return undefined;
  }
  const known = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
  const spec = info.body === 'spec' ? value['spec'] : bodyOf(value);
  const unknown = info.body === 'spec' ? Object.keys(value).filter((field) => !known.includes(field)) : [];
  refuse(...unknown.map((field) => unknownField(field, [field], known)));
  const flaws = findSchemaFlaws(metadataSchema, written, ['metadata']);
  if (flaws.length > 0) {
    // Problems of the spec are told in the same go, though the object has no name to keep it by.
    refuse(...flaws);
    const unnamed = { name: 'unnamed', namespace: options.namespace };
    parseSpec({ info, metadata: unnamed, isValid: false, spec, source }, problems);
    return undefined;
  }
  const metadata = toMetadata(metadataSchema.parse(written), options.namespace);
  const report = new Report();
  checkMetadata(metadata, report);
  refuse(...report.errors);
  const isValid = unknown.length === 0 && report.errors.length === 0;
  return { info, metadata, isValid, spec, source };
}

/** What an object of a kind without `spec` says: its fields but those that every object has. */
function bodyOf(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, status: _status, ...body } = value;
  return body;
}

function parseSpec(
  { info, metadata, spec, source }: Identified,
  problems: Problem[],
): MeshObject | undefined {
  const schema = schemaOf(info);
  // A kind of which every field may be left out may be left without any, as by Kubernetes.
  const written = spec === undefined && schema.safeParse({}).success ? {} : spec;
  const base = info.body === 'spec' ? ['spec'] : [];
  const flaws = findSchemaFlaws(schema, written, base);
  problems.push(...locate(findWithoutEffect(info, schema, written), source, 'warning'));
  if (flaws.length > 0) {
    problems.push(...locate(flaws, source));
    return undefined;
  }
  const report = new Report();
  const object = makeObject(info, metadata, schema.parse(written));
  check(object, report);
  problems.push(...locate(report.errors, source), ...locate(report.warnings, source, 'warning'));
  return report.errors.length === 0 ? deepFreeze(object) : undefined;
}

/** What of an object does nothing yet, or not what its author wants, as problems without a file: all of it, or single fields. */
export function warningsAbout(object: MeshObject): Problem[] {
  const info = kindOf(keyOf(object))!;
  const report = new Report();
  check(object, report);
  const flaws = [...findWithoutEffect(info, schemaOf(info), object.spec), ...report.warnings];
  return flaws.map(({ code, path, message, hint }) => {
    const problem = { code, severity: 'warning' as const, message, path: formatPath(path) };
    return hint === undefined ? problem : Object.assign(problem, { hint });
  });
}

function findWithoutEffect(info: KindInfo, schema: ZodType, spec: unknown): Flaw[] {
  const code = 'HEDDLE_NO_EFFECT_YET';
  if (info.noEffect !== null) {
    const done = info.isStored ? 'stored' : 'read, not stored';
    const message = `${done}, and without effect: ${info.noEffect}`;
    return [{ code, path: ['kind'], message }];
  }
  const flaws: Flaw[] = findUnsupported(schema, spec, ['spec']).map((found) =>
    Object.assign({ code, at: 'key' as const }, found),
  );
  if (info.isForEnvoys) {
    const message = "is for Envoys only: Heddle's own sidecars, and gRPC's clients, take nothing of it";
    const hint = 'put an Envoy beside the applications that need it: heddle run --proxy envoy';
    flaws.push({ code: 'HEDDLE_ENVOY_ONLY', path: ['kind'], message, hint });
  }
  return flaws;
}

/** The table of kinds and the schemas say that these belong together, which types can't. */
function makeObject(info: KindInfo, metadata: ObjectMeta, spec: unknown): MeshObject {
  return { apiVersion: info.storageApiVersion, kind: info.kind, metadata, spec } as MeshObject;
}

/** Rules that the shape of fields can't express. */
function check(object: MeshObject, report: Report): void {
  if (object.kind === 'AuthorizationPolicy' || object.kind === 'PeerAuthentication')
    checkRootNamespace(object.metadata, object.spec, report);
  if (object.kind === 'VirtualService') checkVirtualService(object.spec, report);
  if (isGatewayRoute(object)) checkGatewayRoute(object, report);
  else if (object.kind === 'DestinationRule') checkDestinationRule(object.spec, report);
  else if (object.kind === 'AuthorizationPolicy') checkAuthorizationPolicy(object.spec, report);
  else if (object.kind === 'PeerAuthentication')
    checkPeerAuthentication(object.metadata, object.spec, report);
  else if (object.kind === 'ConfigMap') checkMeshConfigMap(object, report);
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
