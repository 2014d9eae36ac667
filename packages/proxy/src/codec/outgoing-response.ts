// Hot path.
import type { FieldFilter } from './field-filter.ts';
import { FieldList } from './field-list.ts';
import { BodyKind, type ResponseHeadView } from './message-view.ts';

/** The head of a response as the client gets it, in no codec's form yet. One object per exchange, filled anew each time. */
export class OutgoingResponse {
  /** What came from upstream; null for an answer of the proxy's own. */
  head: ResponseHeadView | null = null;
  status = 0;
  filter: FieldFilter | null = null;
  /** Lower-case names of fields that are left out because they are removed or written anew; null for none. */
  replaced: readonly string[] | null = null;
  /** Fields that the proxy adds. */
  readonly added = new FieldList();
  /** One of `BodyKind`: that of `head`, but `untilEnd` for a chunked body that comes unframed. */
  bodyKind: number = BodyKind.none;
  /** What the request has become (`websocket`, `connect`); empty for nothing. */
  upgrade = '';

  /** Lets go of the last response. */
  clear(): void {
    this.head = null;
    this.status = 0;
    this.filter = null;
    this.replaced = null;
    this.added.clear();
    this.bodyKind = BodyKind.none;
    this.upgrade = '';
  }

  /** Puts the fields that came among those that are added, where each of them can be changed. */
  flatten(): void {
    const { head, filter, added } = this;
    if (head === null || filter === null) return;
    kept.clear();
    head.keptFields(filter, this.replaced, kept);
    for (let i = 0; i < added.length; i++) kept.add(added.fields[i]!);
    added.copy(kept);
    kept.clear();
    this.head = null;
    this.filter = null;
    this.replaced = null;
  }

  /** A field as the client gets it, several joined with `,`; null where there is none. For logs. */
  header(lowerCaseName: string): string | null {
    const { head } = this;
    const added = this.added.value(lowerCaseName);
    if (head === null || this.filter === null || this.replaced?.includes(lowerCaseName) === true)
      return added;
    kept.clear();
    head.keptFields(this.filter, null, kept);
    const came = kept.value(lowerCaseName);
    kept.clear();
    if (came === null) return added;
    return added === null ? came : `${came},${added}`;
  }
}

const kept = new FieldList();
