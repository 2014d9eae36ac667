// Hot path.
import type { FieldFilter } from './field-filter.ts';
import type { FieldList } from './field-list.ts';
import { BodyKind, type RequestHeadView } from './message-view.ts';

/** The head of a request as it goes upstream, in no codec's form yet. One object per exchange, filled anew for each request. */
export class OutgoingRequest {
  /** What came; its fields go on as far as `filter` and `replaced` let them. */
  head!: RequestHeadView;
  /** Empty for CONNECT, which goes to `authority`. */
  path = '';
  authority = '';
  scheme = 'http';
  filter!: FieldFilter;
  /** Lower-case names of fields that are left out because they are removed or written anew; null for none. */
  replaced: readonly string[] | null = null;
  /** Fields that the proxy adds. */
  added!: FieldList;
  /** One of `BodyKind`: that of `head`, but `untilEnd` for a chunked body that comes unframed. */
  bodyKind: number = BodyKind.none;
  /** What the upstream is asked to become with us (`websocket`, `connect`); empty for nothing. */
  upgrade = '';
}
