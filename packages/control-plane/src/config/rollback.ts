/** How objects were at an earlier revision, worked out from what has been committed since. */
import { HeddleError } from '@heddle/base';
import {
  objectKeyText,
  sameKey,
  type Commit,
  type ConfigStore,
  type ObjectKey,
  type StoredObject,
} from '../store/config-store.ts';

/** One object that is not as it was. */
export interface EarlierState {
  readonly key: ObjectKey;
  /** As it was; undefined where it did not exist. */
  readonly earlier: StoredObject | undefined;
  /** As it is; undefined where it does not exist. */
  readonly present: StoredObject | undefined;
}

/** What an object was and what it became, over one commit or several. */
interface Span {
  readonly earlier: StoredObject | undefined;
  present: StoredObject | undefined;
}

/** Of the objects that `commits` (all since some revision, oldest first) changed, those that are otherwise at present. */
export function earlierStates(commits: readonly Commit[], only?: ObjectKey): readonly EarlierState[] {
  const spans = new Map<string, Span>();
  for (const change of commits.flatMap(({ changes }) => changes)) {
    const { object } = change;
    if (only !== undefined && !sameKey(object, only)) continue;
    const text = objectKeyText(object);
    const span = spans.get(text);
    const present = change.type === 'put' ? object : undefined;
    if (span !== undefined) span.present = present;
    else spans.set(text, { earlier: change.type === 'put' ? change.previous : object, present });
  }
  return [...spans.values()].flatMap(({ earlier, present }) => {
    const any = earlier ?? present;
    // Made and deleted since, or as it was again.
    if (
      any === undefined ||
      (earlier?.source === present?.source && earlier?.apiVersion === present?.apiVersion)
    )
      return [];
    const { group, kind, namespace, name } = any;
    return [{ key: { group, kind, namespace, name }, earlier, present }];
  });
}

/**
 * The revision that "back" means where none is named: the one before the last change, of the object or of anything.
 * Rejects with `HEDDLE_NOTHING_TO_ROLL_BACK`.
 */
export async function revisionBefore(store: ConfigStore, key: ObjectKey | undefined): Promise<number> {
  const [last] = await store.history({ limit: 1, ...(key === undefined ? {} : { key }) });
  if (last !== undefined) return last.revision - 1;
  throw new HeddleError(
    'HEDDLE_NOTHING_TO_ROLL_BACK',
    key === undefined
      ? 'Nothing was ever changed, so there is nothing to go back to.'
      : `The history knows no change of ${key.kind} ${key.namespace}/${key.name}, so there is nothing to go back to.`,
  );
}

/** All commits since `revision`, or a sentence that says why there is no going back to it. */
export async function commitsSince(
  store: ConfigStore,
  revision: number,
  present: number,
): Promise<readonly Commit[]> {
  if (revision > present) {
    throw new HeddleError(
      'HEDDLE_NO_SUCH_REVISION',
      `There is no revision ${revision} yet: the configuration is at revision ${present}.`,
    );
  }
  try {
    return await store.commitsAfter(revision);
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_STORE_COMPACTED') throw error;
    throw new HeddleError(
      'HEDDLE_STORE_COMPACTED',
      `Revision ${revision} is too long ago: the history does not reach back to it.`,
      { cause: error },
    );
  }
}
