/** Changes of header fields: from the model's to Envoy's. */
import type { HeaderChanges, HeaderOperations, HeaderValue } from '@heddle/model';
import { compileHeaderFormat, type FormattedMessage } from '@heddle/telemetry';
import type { DeepPartial } from '@heddle/xds';
import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as AppendAction,
} from '@heddle/xds/api/envoy/config/core/v3/base.ts';

const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The four lists that routes and weighted clusters have alike. */
export interface HeaderLists {
  readonly requestHeadersToAdd: DeepPartial<HeaderValueOption>[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: DeepPartial<HeaderValueOption>[];
  readonly responseHeadersToRemove: string[];
}

export function headerLists(changes: HeaderChanges | null): Partial<HeaderLists> {
  if (changes === null) return {};
  const { request, response } = changes;
  return {
    ...(request === null
      ? {}
      : { requestHeadersToAdd: additions(request, 'request'), requestHeadersToRemove: [...request.remove] }),
    ...(response === null
      ? {}
      : {
          responseHeadersToAdd: additions(response, 'response'),
          responseHeadersToRemove: [...response.remove],
        }),
  };
}

function additions(
  { set, add }: HeaderOperations,
  message: FormattedMessage,
): DeepPartial<HeaderValueOption>[] {
  const options = (
    values: readonly HeaderValue[],
    appendAction: AppendAction,
  ): DeepPartial<HeaderValueOption>[] =>
    values
      .filter(([, value]) => fieldValue.test(value) && compileHeaderFormat(value, message).ok)
      .map(([key, value]) => ({ header: { key, value }, appendAction }));
  return [
    ...options(set, AppendAction.OVERWRITE_IF_EXISTS_OR_ADD),
    ...options(add, AppendAction.APPEND_IF_EXISTS_OR_ADD),
  ];
}
