import { readFileSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import type { MessageFns } from '../generated/google/protobuf/any.ts';

const root = new URL('../generated/', import.meta.url).pathname;

/** A message type of which a test knows nothing but its name. */
export type AnyMessage = MessageFns<unknown>;

/** Every generated message type by its full name. */
export async function generatedTypes(): Promise<ReadonlyMap<string, AnyMessage>> {
  const types = new Map<string, AnyMessage>();
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  for (const file of files) {
    const module = (await import(pathToFileURL(path.join(root, file)).href)) as Readonly<
      Record<string, unknown>
    >;
    for (const [name, value] of Object.entries(module)) {
      if (!isMessageType(value)) continue;
      types.set(`${String(module['protobufPackage'])}.${name.replaceAll('_', '.')}`, value);
    }
  }
  return types;
}

function isMessageType(value: unknown): value is AnyMessage {
  return typeof value === 'object' && value !== null && 'decode' in value && 'encode' in value;
}

/** A message that `protoc` encoded. */
export interface ProtocSample {
  readonly type: string;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Messages that `protoc` encoded, written by tools/protogen/samples.ts. */
export function protocSamples(): readonly ProtocSample[] {
  const text = readFileSync(path.join(root, 'protoc-samples.json'), 'utf8');
  const samples = JSON.parse(text) as { type: string; text: string; hex: string }[];
  return samples.map(({ type, text, hex }) => ({ type, text, bytes: Buffer.from(hex, 'hex') }));
}
