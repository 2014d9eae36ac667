import type { HttpRule } from '../schema/virtual-service.ts';
import { wholeMs } from './compile-action.ts';
import type { CorsRule, TextMatch } from './route-model.ts';

export function compileCors({ corsPolicy }: HttpRule): CorsRule | null {
  if (corsPolicy === undefined) return null;
  const origins = (corsPolicy.allowOrigins ?? []).flatMap(
    ({ exact, prefix, regex }): Exclude<TextMatch, { kind: 'present' }>[] => {
      if (exact !== undefined) return [{ kind: 'exact', value: exact }];
      if (prefix !== undefined) return [{ kind: 'prefix', value: prefix }];
      return regex === undefined ? [] : [{ kind: 'regex', value: regex }];
    },
  );
  return {
    // The older field is what counts only where the newer one is not there.
    origins:
      origins.length > 0
        ? origins
        : (corsPolicy.allowOrigin ?? []).map((value) =>
            value === '*' ? ({ kind: 'regex', value: '.*' } as const) : ({ kind: 'exact', value } as const),
          ),
    allowMethods: corsPolicy.allowMethods ?? [],
    allowHeaders: corsPolicy.allowHeaders ?? [],
    exposeHeaders: corsPolicy.exposeHeaders ?? [],
    maxAgeSeconds: corsPolicy.maxAge === undefined ? null : Math.round(wholeMs(corsPolicy.maxAge) / 1000),
    allowsCredentials: corsPolicy.allowCredentials ?? null,
    forwardsOthers: corsPolicy.unmatchedPreflights !== 'IGNORE',
  };
}
