// Finding where chunks of a body end. Run: node benchmarks/micro/chunks.ts
import { ChunkScanner } from '../../packages/proxy/src/http1/chunk-scanner.ts';
import { bench, run } from './harness.ts';

function body(chunkBytes: number, count: number): Buffer {
  return Buffer.from(
    `${chunkBytes.toString(16)}\r\n${'x'.repeat(chunkBytes)}\r\n`.repeat(count) + '0\r\n\r\n',
  );
}

const scanner = new ChunkScanner();
const small = body(10, 100);
const large = body(4096, 16);

function scan(bytes: Buffer): number {
  scanner.reset();
  // It stops before the trailer section, whose bytes are no body.
  const end = scanner.scan(bytes, scanner.scan(bytes, 0, bytes.length), bytes.length);
  if (!scanner.isDone) throw new Error(`the body does not end at ${end}`);
  return end;
}

bench('100 chunks of 10 bytes', () => scan(small));
bench('16 chunks of 4 KiB', () => scan(large));

await run();
