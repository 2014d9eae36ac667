import type { SetupName } from './setups.ts';
import type { DifferentialCase } from './support/case.ts';
import { accessLogCases } from './cases/access-logs.ts';
import { authorizationCases } from './cases/authorization.ts';
import { connectionCases } from './cases/connections.ts';
import { corsCases } from './cases/cors.ts';
import { faultCases } from './cases/faults.ts';
import { fieldCases } from './cases/fields.ts';
import { framingCases } from './cases/framing.ts';
import { grpcCases } from './cases/grpc.ts';
import { grpcBridgeCases } from './cases/grpc-bridge.ts';
import { grpcWebCases } from './cases/grpc-web.ts';
import { http2ClientCases } from './cases/http2-clients.ts';
import { http2UpstreamCases } from './cases/http2-upstreams.ts';
import { identityCases } from './cases/identity.ts';
import { optionCases } from './cases/options.ts';
import { pathAndRouteCases } from './cases/paths-and-routes.ts';
import { requestLineCases } from './cases/request-line.ts';
import { responseCases } from './cases/responses.ts';
import { retryCases } from './cases/retries.ts';
import { routingCases } from './cases/routing.ts';
import { streamCases } from './cases/streams.ts';
import { timeoutCases } from './cases/timeouts.ts';

/** The whole table. Every capability adds its rows to one of the files, or a file of its own. */
export const cases: readonly DifferentialCase[] = [
  ...requestLineCases,
  ...fieldCases,
  ...framingCases,
  ...responseCases,
  ...connectionCases,
  ...identityCases,
  ...pathAndRouteCases,
  ...timeoutCases,
  ...streamCases,
  ...optionCases,
  ...retryCases,
  ...routingCases,
  ...authorizationCases,
  ...corsCases,
  ...faultCases,
  ...accessLogCases,
  ...http2ClientCases,
  ...http2UpstreamCases,
  ...grpcCases,
  ...grpcWebCases,
  ...grpcBridgeCases,
];

/** The cases of one setup. */
export function casesOf(setup: SetupName): readonly DifferentialCase[] {
  return cases.filter((one) => (one.setup ?? 'plain') === setup);
}
