/** Applying and deleting what people write: judged as a whole, stored as a whole. */
import { err, HeddleError, ok, type Problem, type Result } from '@heddle/base';
import {
  analyze,
  findingToProblem,
  formatKey,
  keyOf,
  parseKeys,
  parseManifests,
  type Finding,
  type MeshService,
  type ParsedObject,
} from '@heddle/model';
import type {
  ApplyRequest,
  ApplyResponse,
  ApplyResult,
  DeleteRequest,
  DeleteResponse,
} from '../api/types.ts';
import {
  objectKeyText,
  type CommitOutcome,
  type ConfigStore,
  type StoreChange,
} from '../store/config-store.ts';
import type { ConfigMirror } from './config-mirror.ts';
import { encodeObject, storeKeyOf } from './object-source.ts';

/** How often a batch is judged anew because somebody else changed one of its objects meanwhile. */
const maxAttempts = 5;

interface Judged {
  readonly changes: readonly StoreChange[];
  readonly results: readonly ApplyResult[];
}

export class Configuration {
  private readonly store: ConfigStore;
  private readonly mirror: ConfigMirror;
  private readonly services: () => ReadonlyMap<string, MeshService>;
  private readonly domain: string;

  /** `services` says which services there are at the moment. */
  constructor(
    store: ConfigStore,
    mirror: ConfigMirror,
    services: () => ReadonlyMap<string, MeshService>,
    domain: string,
  ) {
    this.store = store;
    this.mirror = mirror;
    this.services = services;
    this.domain = domain;
  }

  /**
   * Stores all objects of the files or none. Refused for any error, with `strict` also for what would be warned about.
   * Rejects with `HEDDLE_STORE_CONFLICT` where others change the same objects all the time.
   */
  async apply(request: ApplyRequest, author: string): Promise<Result<ApplyResponse, readonly Problem[]>> {
    const { namespace, files, dryRun = false } = request;
    const parsed = parseManifests(files, { namespace });
    if (parsed.problems.some(({ severity }) => severity === 'error')) return err(parsed.problems);
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const judged = this.judge(parsed.objects, parsed.problems, request.strict ?? false);
      if (!judged.ok) return judged;
      const { changes, results } = judged.value;
      const outcome = dryRun ? null : await this.store.commit(changes, author);
      if (outcome?.kind !== 'conflict') return ok({ results });
    }
    throw conflict();
  }

  /** Deletes the objects that the files name, all or none. */
  async delete(request: DeleteRequest, author: string): Promise<Result<DeleteResponse, readonly Problem[]>> {
    const { keys, problems } = parseKeys(request.files, { namespace: request.namespace });
    if (problems.some(({ severity }) => severity === 'error')) return err(problems);
    const changes = keys.map((key): StoreChange => ({ type: 'delete', key: storeKeyOf(key) }));
    const outcome: CommitOutcome = await this.store.commit(changes, author);
    if (outcome.kind === 'conflict') throw conflict();
    const deleted = new Map(
      (outcome.kind === 'committed' ? outcome.commit.changes : []).map(({ object }) => [
        objectKeyText(object),
        object,
      ]),
    );
    const results = keys.map((key) => {
      const { group, kind, namespace, name } = storeKeyOf(key);
      const object = deleted.get(objectKeyText({ group, kind, namespace, name }));
      const change = object === undefined ? ('not-found' as const) : ('deleted' as const);
      return { apiVersion: object?.apiVersion ?? `${group}/v1`, kind, namespace, name, change };
    });
    return ok({ results });
  }

  /** What is doubtful about the stored objects at the moment, by the model's key text. */
  findings(): ReadonlyMap<string, readonly Finding[]> {
    const objects = this.mirror.list().map(({ object, stored }) => ({
      object,
      createdRevision: stored.createdRevision,
    }));
    return byObject(analyze({ objects, services: this.services(), domain: this.domain }));
  }

  private judge(
    parsed: readonly ParsedObject[],
    problems: readonly Problem[],
    isStrict: boolean,
  ): Result<Judged, readonly Problem[]> {
    const findings = this.findingsWith(parsed);
    const refusals = isStrict
      ? problems.map((problem): Problem => Object.assign({}, problem, { severity: 'error' as const }))
      : [];
    const changes: StoreChange[] = [];
    const results = parsed.map(({ object, source }): ApplyResult => {
      const key = storeKeyOf(keyOf(object));
      const encoded = encodeObject(object);
      const present = this.mirror.get(key)?.stored;
      const own = findings.get(formatKey(keyOf(object))) ?? [];
      for (const finding of own) {
        if (isStrict && finding.level !== 'INFO') refusals.push(findingToProblem(finding, 'error', source));
      }
      changes.push({ type: 'put', key, ...encoded, expectedRevision: present?.revision ?? 0 });
      return {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: key.namespace,
        name: key.name,
        change: changeOf(present, encoded),
        warnings: [
          ...warningsOf(source.locate(''), parsed, problems),
          ...own.map((finding) => findingToProblem(finding, 'warning', source)),
        ],
      };
    });
    if (refusals.length > 0) return err(refusals);
    return ok({ changes, results });
  }

  /** What would be doubtful about each object if the batch were stored. */
  private findingsWith(parsed: readonly ParsedObject[]): ReadonlyMap<string, readonly Finding[]> {
    const fresh = new Map(parsed.map(({ object }) => [formatKey(keyOf(object)), object]));
    const present = this.mirror.list();
    const createdRevisions = new Map(
      present.map(({ object, stored }) => [formatKey(keyOf(object)), stored.createdRevision]),
    );
    const kept = present.filter(({ object }) => !fresh.has(formatKey(keyOf(object))));
    const objects = [
      ...kept.map(({ object, stored }) => ({ object, createdRevision: stored.createdRevision })),
      ...[...fresh].map(([key, object]) => ({
        object,
        createdRevision: createdRevisions.get(key) ?? this.mirror.revision + 1,
      })),
    ];
    return byObject(analyze({ objects, services: this.services(), domain: this.domain }));
  }
}

function byObject(findings: readonly Finding[]): Map<string, Finding[]> {
  const map = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = formatKey(finding.object);
    const known = map.get(key);
    if (known === undefined) map.set(key, [finding]);
    else known.push(finding);
  }
  return map;
}

function changeOf(
  present: { readonly source: string; readonly apiVersion: string } | undefined,
  encoded: { readonly source: string; readonly apiVersion: string },
): ApplyResult['change'] {
  if (present === undefined) return 'created';
  const isSame = present.source === encoded.source && present.apiVersion === encoded.apiVersion;
  return isSame ? 'unchanged' : 'configured';
}

/** The parser's warnings that stand inside the object that begins at `start`: before the next object of its file. */
function warningsOf(
  start: { readonly file: string; readonly line: number },
  parsed: readonly ParsedObject[],
  problems: readonly Problem[],
): Problem[] {
  const starts = parsed.map(({ source }) => source.locate('')).filter(({ file }) => file === start.file);
  const next = Math.min(...starts.map(({ line }) => line).filter((line) => line > start.line), Infinity);
  return problems.filter(({ file, line = 1 }) => file === start.file && line >= start.line && line < next);
}

function conflict(): HeddleError {
  return new HeddleError(
    'HEDDLE_STORE_CONFLICT',
    'Somebody else changed the same objects at the same time, and nothing was stored: try again.',
  );
}
