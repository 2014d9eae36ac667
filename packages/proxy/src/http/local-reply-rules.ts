// What becomes of the answers that the proxy gives itself (`local_reply_config`).
import type { Random } from '@heddle/base';
import type { AccessLogFormatter } from '@heddle/telemetry';
import type { AccessLogFilter, LoggedEntry } from '../access-log/access-log-filter.ts';
import { Field } from '../codec/field.ts';
import type { FieldList } from '../codec/field-list.ts';
import type { HeaderMutation } from '../routing/header-mutation.ts';
import { headChanges, noFields } from './header-changes.ts';

/** How the body of an answer is written. */
export interface ReplyFormat {
  readonly format: AccessLogFormatter;
  readonly contentType: string;
}

/** What is done to the answers that a filter chooses. */
export interface ReplyMapper {
  readonly filter: AccessLogFilter;
  /** 0 for the answer's own. */
  readonly status: number;
  /** Null for the answer's own. */
  readonly body: string | null;
  /** Null for that of all answers. */
  readonly format: ReplyFormat | null;
  readonly headers: readonly HeaderMutation[] | null;
}

/** The exchange that is being answered. Its `responseCode` is the answer's. */
export interface AnsweredExchange extends LoggedEntry {
  responseCode: number;
  /** What `%LOCAL_REPLY_BODY%` stands for. */
  localReplyBody: string;
}

const plain = 'text/plain';

/** The rules of one connection manager. */
export class LocalReplyRules {
  private readonly mappers: readonly ReplyMapper[];
  private readonly format: ReplyFormat | null;

  constructor(mappers: readonly ReplyMapper[], format: ReplyFormat | null) {
    this.mappers = mappers;
    this.format = format;
  }

  /**
   * The body of an answer whose body would be `body` and whose fields are `fields`, which are changed, as is the
   * exchange's status. The first mapper whose filter lets it pass decides.
   */
  apply(exchange: AnsweredExchange, fields: FieldList, body: Buffer, random: Random): Buffer {
    const mapper = this.mappers.find(({ filter }) => filter.passes(exchange, random)) ?? null;
    let text = mapper?.body ?? body.toString();
    if (mapper !== null) {
      headChanges(noFields, null, mapper.headers, fields, exchange, 'response');
      if (mapper.status !== 0) exchange.responseCode = mapper.status;
    }
    const format = mapper?.format ?? this.format;
    if (format !== null) {
      exchange.localReplyBody = text;
      text = format.format(exchange);
      exchange.localReplyBody = '';
    }
    const isAsBefore = text === body.toString();
    if (text === '') fields.remove('content-type');
    else if (!isAsBefore || !fields.has('content-type')) {
      fields.remove('content-type');
      fields.add(new Field('content-type', format?.contentType ?? plain));
    }
    return isAsBefore ? body : Buffer.from(text);
  }
}
