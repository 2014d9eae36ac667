/** Applying and deleting what people write: judged as a whole, stored as a whole. */
import { err, HeddleError, ok, type Problem, type Result } from '@heddle/base';
import {
  analyze,
  findingToProblem,
  formatKey,
  keyOf,
  kindOf,
  parseKeys,
  parseManifests,
  type Finding,
  type MeshObject,
  type MeshService,
  type ObjectKey as ModelKey,
  type ObjectSource,
  type ParsedObject,
} from '@heddle/model';
import type {
  ApplyRequest,
  ApplyResponse,
  ApplyResult,
  DeleteRequest,
  DeleteResponse,
  DeleteResult,
  DiffRequest,
  RollbackResponse,
  RollbackResult,
} from '../api/types.ts';
import {
  objectKeyText,
  type Commit,
  type CommitOutcome,
  type ConfigStore,
  type ObjectKey,
  type StoreChange,
} from '../store/config-store.ts';
import type { ConfigMirror } from './config-mirror.ts';
import { encodeObject } from './object-source.ts';
import { commitsSince, earlierStates, revisionBefore, type EarlierState } from './rollback.ts';

/** How often a batch is judged anew because somebody else changed one of its objects meanwhile. */
const maxAttempts = 5;

interface Judged {
  readonly changes: readonly StoreChange[];
  readonly results: readonly ApplyResult[];
}

/** What a request would do to one object. */
export interface PlannedChange {
  readonly key: ModelKey;
  readonly result: ApplyResult | DeleteResult;
  /** As it is stored. */
  readonly before: MeshObject | undefined;
  readonly after: MeshObject | undefined;
  /** The age that it would have among objects. */
  readonly createdRevision: number;
  /** Absent where it would be deleted. */
  readonly source?: ObjectSource;
}

/** What to go back to. */
export interface Rollback {
  /** Absent: the revision before the last change. */
  readonly toRevision?: number;
  /** Only this object. */
  readonly key?: ObjectKey;
  readonly dryRun?: boolean;
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
   * Rejects with `HEDDLE_STORE_CONFLICT` where others change the same objects all the time, and with `HEDDLE_API_FORBIDDEN`
   * where one is not in the namespace `within`.
   */
  async apply(
    request: ApplyRequest,
    author: string,
    within: string | null = null,
  ): Promise<Result<ApplyResponse, readonly Problem[]>> {
    const { namespace, files, dryRun = false } = request;
    const parsed = parseManifests(files, { namespace });
    if (parsed.problems.some(({ severity }) => severity === 'error')) return err(parsed.problems);
    requireWithin(
      within,
      parsed.objects.map(({ object }) => keyOf(object)),
    );
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const judged = this.judge(parsed.objects, parsed.problems, request.strict ?? false);
      if (!judged.ok) return judged;
      const { changes, results } = judged.value;
      const outcome = dryRun ? null : await this.store.commit(changes, author);
      if (outcome?.kind !== 'conflict') return ok({ results });
    }
    throw conflict();
  }

  /** What applying the files, or deleting what they name, would do to the stored objects. Stores nothing. */
  plan({ files, namespace, delete: isDelete }: DiffRequest): Result<PlannedChange[], readonly Problem[]> {
    if (isDelete === true) return this.planDeletion(files, namespace);
    const { objects, problems } = parseManifests(files, { namespace });
    if (problems.some(({ severity }) => severity === 'error')) return err(problems);
    const judged = this.judge(objects, problems, false);
    if (!judged.ok) return judged;
    return ok(
      objects.map(({ object, source }, index): PlannedChange => {
        const key = keyOf(object);
        const present = this.mirror.get(key);
        const createdRevision = present?.stored.createdRevision ?? this.mirror.revision + 1;
        const result = judged.value.results[index]!;
        return { key, result, before: present?.object, after: object, createdRevision, source };
      }),
    );
  }

  private planDeletion(
    files: DiffRequest['files'],
    namespace: string,
  ): Result<PlannedChange[], readonly Problem[]> {
    const { keys, problems } = parseKeys(files, { namespace });
    if (problems.some(({ severity }) => severity === 'error')) return err(problems);
    const changes = keys.flatMap((key): PlannedChange[] => {
      const info = kindOf(key);
      if (info?.isStored !== true) return [];
      const before = this.mirror.get(key)?.object;
      const { group: _group, ...named } = key;
      const change = before === undefined ? ('not-found' as const) : ('deleted' as const);
      const result = { ...named, apiVersion: info.storageApiVersion, change };
      return [{ key, result, before, after: undefined, createdRevision: 0 }];
    });
    return ok(changes);
  }

  /** Deletes the objects that the files name, all or none. */
  async delete(
    request: DeleteRequest,
    author: string,
    within: string | null = null,
  ): Promise<Result<DeleteResponse, readonly Problem[]>> {
    const { keys: named, problems } = parseKeys(request.files, { namespace: request.namespace });
    if (problems.some(({ severity }) => severity === 'error')) return err(problems);
    const keys = named.filter((key) => kindOf(key)?.isStored === true);
    requireWithin(within, keys);
    const changes = keys.map((key): StoreChange => ({ type: 'delete', key }));
    const outcome: CommitOutcome = await this.store.commit(changes, author);
    if (outcome.kind === 'conflict') throw conflict();
    const deleted = new Map(
      (outcome.kind === 'committed' ? outcome.commit.changes : []).map(({ object }) => [
        objectKeyText(object),
        object,
      ]),
    );
    const results = keys.map((key) => {
      const { kind, namespace, name } = key;
      const object = deleted.get(objectKeyText(key));
      const change = object === undefined ? ('not-found' as const) : ('deleted' as const);
      return {
        apiVersion: object?.apiVersion ?? kindOf(key)!.storageApiVersion,
        kind,
        namespace,
        name,
        change,
      };
    });
    return ok({ results });
  }

  /** The latest commits, newest first, of one object or of all. */
  async history(options: Parameters<ConfigStore['history']>[0]): Promise<readonly Commit[]> {
    return await this.store.history(options);
  }

  /** The commit of this revision; undefined where the history does not hold it. */
  async commitOf(revision: number): Promise<Commit | undefined> {
    if (revision < 1 || revision > this.mirror.revision) return undefined;
    try {
      const [commit] = await this.store.commitsAfter(revision - 1);
      return commit;
    } catch (error) {
      if (error instanceof HeddleError && error.code === 'HEDDLE_STORE_COMPACTED') return undefined;
      throw error;
    }
  }

  /**
   * Makes everything, or one object, what it was at an earlier revision: one more commit. Refused where an object of
   * then would be refused now. Rejects with `HEDDLE_NOTHING_TO_ROLL_BACK`, `HEDDLE_NO_SUCH_REVISION` or
   * `HEDDLE_STORE_COMPACTED` where there is no such revision, and like `apply`.
   */
  async rollback(
    { toRevision, key, dryRun }: Rollback,
    author: string,
  ): Promise<Result<RollbackResponse, readonly Problem[]>> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const target = toRevision ?? (await revisionBefore(this.store, key));
      const commits = await commitsSince(this.store, target, this.mirror.revision);
      const states = earlierStates(commits, key);
      const judged = this.judgeEarlier(states);
      if (!judged.ok) return judged;
      const { changes, results } = judged.value;
      const outcome = dryRun ? null : await this.store.commit(changes, author);
      if (outcome?.kind === 'conflict') continue;
      return ok({ toRevision: target, revision: revisionOf(outcome) ?? this.mirror.revision, results });
    }
    throw conflict();
  }

  private judgeEarlier(
    states: readonly EarlierState[],
  ): Result<{ changes: readonly StoreChange[]; results: readonly RollbackResult[] }, readonly Problem[]> {
    const files = states.flatMap(({ key, earlier }) =>
      earlier === undefined
        ? []
        : [
            {
              name: `${key.kind} ${key.namespace}/${key.name} of revision ${earlier.revision}`,
              text: earlier.source,
            },
          ],
    );
    const { objects, problems } = parseManifests(files, { namespace: 'default' });
    if (problems.some(({ severity }) => severity === 'error')) return err(problems);
    const judged = this.judge(objects, problems, false);
    if (!judged.ok) return judged;
    const fresh = new Map(judged.value.changes.map((change) => [objectKeyText(change.key), change]));
    const warnings = new Map(
      judged.value.results.map((result) => [objectKeyText(storeKeyOf(result)), result.warnings]),
    );
    const changes = states.map(({ key, present }): StoreChange => {
      const expectedRevision = present?.revision ?? 0;
      const change = fresh.get(objectKeyText(key));
      return change === undefined
        ? { type: 'delete', key, expectedRevision }
        : { ...change, expectedRevision };
    });
    const results = states.map(({ key, earlier, present }): RollbackResult => {
      const { kind, namespace, name } = key;
      return {
        apiVersion: (earlier ?? present)?.apiVersion ?? '',
        kind,
        namespace,
        name,
        change: earlier === undefined ? 'deleted' : present === undefined ? 'created' : 'configured',
        warnings: warnings.get(objectKeyText(key)) ?? [],
      };
    });
    return ok({ changes, results });
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
      const key = keyOf(object);
      const isStored = kindOf(key)?.isStored === true;
      const encoded = encodeObject(object);
      const present = this.mirror.get(key)?.stored;
      const own = findings.get(formatKey(key)) ?? [];
      for (const finding of own) {
        if (isStrict && finding.level !== 'INFO') refusals.push(findingToProblem(finding, 'error', source));
      }
      if (isStored) changes.push({ type: 'put', key, ...encoded, expectedRevision: present?.revision ?? 0 });
      return {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: key.namespace,
        name: key.name,
        change: isStored ? changeOf(present, encoded) : 'skipped',
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

/** Refuses objects outside of the one namespace that somebody may change, and those that are in none. */
export function requireWithin(namespace: string | null, keys: readonly ModelKey[]): void {
  if (namespace === null) return;
  const outside = keys.find((key) => key.namespace !== namespace || kindOf(key)?.isNamespaced === false);
  if (outside === undefined) return;
  throw new HeddleError(
    'HEDDLE_API_FORBIDDEN',
    `Nothing was changed: ${formatKey(outside)} is not in namespace ${namespace}, to which this token is bound.`,
  );
}

function revisionOf(outcome: CommitOutcome | null): number | undefined {
  if (outcome?.kind === 'committed') return outcome.commit.revision;
  return outcome?.kind === 'unchanged' ? outcome.revision : undefined;
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

/** The key in the store of what a result is about. */
function storeKeyOf({ apiVersion, kind, namespace, name }: ApplyResult): ObjectKey {
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), kind, namespace, name };
}

function conflict(): HeddleError {
  return new HeddleError(
    'HEDDLE_STORE_CONFLICT',
    'Somebody else changed the same objects at the same time, and nothing was stored: try again.',
  );
}
