/**
 * Writes the two tables that are read at run time where they are needed: `descriptors.json`, our own messages, and
 * `envoy-names.json`, what the full Envoy API calls the fields of these messages and which other messages it has.
 *
 * Arguments: a descriptor set of our protos, the folder with Envoy's protos, the folder to write to.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readDescriptorSet } from './descriptor-set.ts';
import type { FieldFact } from './descriptor-set.ts';
import { readProtoText } from './proto-text.ts';
import type { FieldNames } from './proto-text.ts';

const [descriptorSet, envoyProtos, target] = process.argv.slice(2) as [string, string, string];
const facts = readDescriptorSet(readFileSync(descriptorSet));

function sorted<T>(map: Map<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** One entry per line: a change of one message is one changed line. */
function write(
  file: string,
  sections: Readonly<Record<string, readonly (readonly [string, unknown])[]>>,
): void {
  const text = Object.entries(sections).map(([section, entries]) => {
    const lines = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    return `${JSON.stringify(section)}:{\n${lines.join(',\n')}\n}`;
  });
  writeFileSync(path.join(target, file), `{\n${text.join(',\n')}\n}\n`);
}

/** `number name type`, with `r` for repeated or `s` for single, and the oneof. */
function fieldText(field: FieldFact): string {
  const oneof = field.oneof === '' ? '' : ` ${field.oneof}`;
  return `${field.number} ${field.name} ${field.isRepeated ? 'r' : 's'} ${field.type}${oneof}`;
}

write('descriptors.json', {
  messages: sorted(facts.messages).map(([name, message]) => [
    name,
    [message.isMapEntry ? 'map' : '', ...message.fields.map(fieldText)],
  ]),
  enums: sorted(facts.enums).map(([name, values]) => [name, Object.fromEntries(values)]),
});

const names: FieldNames = new Map();
for (const entry of readdirSync(envoyProtos, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.proto')) continue;
  readProtoText(readFileSync(path.join(entry.parentPath, entry.name), 'utf8'), names);
}

/** Fields that Envoy has got since the copies of its protos that we compare with. */
for (const [message, number, field] of [
  ['envoy.config.cluster.v3.Cluster', 58, 'dns_jitter'],
  ['envoy.config.core.v3.HttpProtocolOptions', 7, 'max_response_headers_kb'],
  ['envoy.config.route.v3.Route', 20, 'request_body_buffer_limit'],
  ['envoy.config.route.v3.VirtualHost', 25, 'request_body_buffer_limit'],
] as const) {
  names.get(message)?.set(number, field);
}

for (const [name, message] of facts.messages) {
  const full = names.get(name);
  if (full === undefined) continue;
  for (const field of message.fields) {
    if (full.get(field.number) === field.name) continue;
    throw new Error(`${name}.${field.name} = ${field.number} is not what the Envoy API says.`);
  }
}

write('envoy-names.json', {
  fields: sorted(names)
    .filter(([name]) => facts.messages.has(name))
    .map(([name, fields]) => [name, [...fields].map(([number, field]) => `${number} ${field}`).join()]),
  // Of messages that Envoy has and we don't, those that can stand in an `Any` of a configuration.
  others: sorted(names)
    .filter(
      ([name]) => /^envoy\.(?:extensions|config)\.(?:\w+\.)*v3\.\w+$/.test(name) && !facts.messages.has(name),
    )
    .map(([name]) => [name, 1]),
});
