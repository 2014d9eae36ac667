/** The API's OpenAPI document (https://spec.openapis.org/oas/v3.1.0). */
import schemas from './generated/schemas.json' with { type: 'json' };
import { operations, type Operation } from './operations.ts';

const json = (schema: object): object => ({ 'application/json': { schema } });

/** A type of `types.ts`, by name. */
function typed(name: string): object {
  return name === 'object' ? { type: 'object' } : { $ref: `#/components/schemas/${name}` };
}

/** The document, as `/openapi.json` answers it. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Heddle control plane',
      version,
      description: 'The API of the command line and the dashboard. Times are milliseconds since 1970.',
    },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of heddle token create, or an ID token.',
        },
        session: { type: 'apiKey', in: 'cookie', name: 'heddle_session' },
      },
      schemas,
    },
  };
}

function describe(operation: Operation): object {
  const { method, path, summary, role, query = [], request, response, contentType } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = query.map(({ name, description, type = 'string' }) => ({
    name,
    in: 'query',
    description,
    schema: { type },
  }));
  const hasBody = response !== undefined || contentType !== undefined;
  const content = contentType === undefined ? json(typed(response ?? '')) : { [contentType]: {} };
  return {
    operationId: `${method}${path.replaceAll(/\{(\w+)\}|\W+/g, (_match, name: string | undefined) => `-${name ?? ''}`)}`,
    summary,
    description: role === null ? 'Needs no token.' : `For the role ${role} and those above it.`,
    ...(role === null ? { security: [] } : {}),
    ...(inPath.length + inQuery.length === 0 ? {} : { parameters: [...inPath, ...inQuery] }),
    ...(request === undefined ? {} : { requestBody: { required: true, content: json(typed(request)) } }),
    responses: {
      ...(hasBody ? { 200: { description: 'As asked.', content } } : { 204: { description: 'Done.' } }),
      default: { description: 'Refused.', content: json(typed('ApiErrorBody')) },
    },
  };
}
