// Parts of a bootstrap file that are left out before it is read, because nothing would come of them.

type JsonObject = Readonly<Record<string, unknown>>;

/** Members of what is to be known, in either spelling, that may stand there as long as they say nothing. */
const alwaysRead = new Set([
  'admin',
  'dynamic_resources',
  'dynamicResources',
  'layered_runtime',
  'layeredRuntime',
  'node',
  'static_resources',
  'staticResources',
]);

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it is what protobuf takes for absent, all the way down. `name`s alone don't make a difference. */
function saysNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(saysNothing);
  if (!isObject(value)) return value === null || value === '' || value === 0 || value === false;
  return Object.entries(value).every(([key, member]) => key === 'name' || saysNothing(member));
}

/** The parsed file without what says nothing (`cluster_manager: {}`) and access logs of the admin interface to nowhere. */
export function withoutEmptyParts(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(
    ([key, member]) => alwaysRead.has(key) || !saysNothing(member),
  );
  return Object.fromEntries(
    entries.map(([key, member]) => [key, key === 'admin' ? withoutNullLogs(member) : member]),
  );
}

function withoutNullLogs(admin: unknown): unknown {
  if (!isObject(admin)) return admin;
  return Object.fromEntries(Object.entries(admin).filter(([key, member]) => !isNullLog(key, member)));
}

function isNullLog(key: string, value: unknown): boolean {
  if (key === 'access_log_path' || key === 'accessLogPath') return value === '/dev/null' || value === '';
  if (key !== 'access_log' && key !== 'accessLog') return false;
  return Array.isArray(value) && value.every((log) => isObject(log) && isFileLogToNull(log));
}

function isFileLogToNull(log: JsonObject): boolean {
  const config = log['typed_config'] ?? log['typedConfig'];
  return isObject(config) && config['path'] === '/dev/null';
}
