// The HPACK of nghttp2, which is part of Node's own program, called by `node:ffi`.
import type * as nodeFfi from 'node:ffi';

export interface PlainField {
  readonly name: string;
  readonly value: string;
  readonly isNeverIndexed: boolean;
}

/** NGHTTP2_NV_FLAG_NO_INDEX. */
const noIndexFlag = 1;

/** `nghttp2_nv`: { uint8_t *name, *value; size_t namelen, valuelen; uint8_t flags; } */
const words = 5;

function load(ffi: typeof nodeFfi) {
  return ffi.dlopen(null, {
    // int nghttp2_hd_inflate_new(nghttp2_hd_inflater **inflater_ptr)
    nghttp2_hd_inflate_new: { arguments: ['pointer'], return: 'i32' },
    // nghttp2_ssize nghttp2_hd_inflate_hd3(inflater, nghttp2_nv *out, int *flags, const uint8_t *in, size_t inlen, int final)
    nghttp2_hd_inflate_hd3: {
      arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'u64', 'i32'],
      return: 'i64',
    },
    // int nghttp2_hd_inflate_end_headers(nghttp2_hd_inflater *inflater)
    nghttp2_hd_inflate_end_headers: { arguments: ['pointer'], return: 'i32' },
    // int nghttp2_hd_inflate_change_table_size(nghttp2_hd_inflater *inflater, size_t settings_max_dynamic_table_size)
    nghttp2_hd_inflate_change_table_size: { arguments: ['pointer', 'u64'], return: 'i32' },
    // void nghttp2_hd_inflate_del(nghttp2_hd_inflater *inflater)
    nghttp2_hd_inflate_del: { arguments: ['pointer'], return: 'void' },
    // int nghttp2_hd_deflate_new(nghttp2_hd_deflater **deflater_ptr, size_t max_deflate_dynamic_table_size)
    nghttp2_hd_deflate_new: { arguments: ['pointer', 'u64'], return: 'i32' },
    // nghttp2_ssize nghttp2_hd_deflate_hd2(deflater, uint8_t *buf, size_t buflen, const nghttp2_nv *nva, size_t nvlen)
    nghttp2_hd_deflate_hd2: { arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64'], return: 'i64' },
    // int nghttp2_hd_deflate_change_table_size(nghttp2_hd_deflater *deflater, size_t settings_max_dynamic_table_size)
    nghttp2_hd_deflate_change_table_size: { arguments: ['pointer', 'u64'], return: 'i32' },
    // void nghttp2_hd_deflate_del(nghttp2_hd_deflater *deflater)
    nghttp2_hd_deflate_del: { arguments: ['pointer'], return: 'void' },
  }).functions;
}

/** Null where this Node has no `node:ffi`, or doesn't show nghttp2's functions. */
export class Nghttp2 {
  readonly ffi: typeof nodeFfi;
  readonly functions: ReturnType<typeof load>;

  private constructor(ffi: typeof nodeFfi) {
    this.ffi = ffi;
    this.functions = load(ffi);
  }

  static open(): Nghttp2 | null {
    try {
      const ffi = process.getBuiltinModule('node:ffi') as typeof nodeFfi | undefined;
      return ffi === undefined ? null : new Nghttp2(ffi);
    } catch {
      return null;
    }
  }

  pointer(array: Uint8Array | BigUint64Array | Int32Array): bigint {
    return this.ffi.getRawPointer(array.buffer as ArrayBuffer) + BigInt(array.byteOffset);
  }

  text(pointer: bigint, length: bigint): string {
    if (length === 0n) return '';
    return Buffer.from(this.ffi.toArrayBuffer(pointer, Number(length), true)).toString('latin1');
  }
}

export class Inflater {
  private readonly library: Nghttp2;
  private readonly handle = new BigUint64Array(1);
  private readonly field = new BigUint64Array(words);
  private readonly flags = new Int32Array(1);
  /** Held here while nghttp2 reads them: a pointer keeps nothing from the garbage collector. */
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(library: Nghttp2) {
    this.library = library;
    library.functions.nghttp2_hd_inflate_new(library.pointer(this.handle));
  }

  changeTableSize(size: number): void {
    this.library.functions.nghttp2_hd_inflate_change_table_size(this.handle[0]!, BigInt(size));
  }

  /** The fields of a whole block, or null where it is refused: of no use afterwards. */
  inflate(block: Uint8Array): readonly PlainField[] | null {
    const { library, field, flags } = this;
    this.bytes = Uint8Array.from([...block, 0]);
    const start = library.pointer(this.bytes);
    const fields: PlainField[] = [];
    let position = 0;
    for (;;) {
      const read = Number(
        library.functions.nghttp2_hd_inflate_hd3(
          this.handle[0]!,
          library.pointer(field),
          library.pointer(flags),
          start + BigInt(position),
          BigInt(block.length - position),
          1,
        ),
      );
      if (read < 0) return null;
      position += read;
      // NGHTTP2_HD_INFLATE_EMIT
      if ((flags[0]! & 2) !== 0) {
        fields.push({
          name: library.text(field[0]!, field[2]!),
          value: library.text(field[1]!, field[3]!),
          isNeverIndexed: (Number(field[4]! & 0xffn) & noIndexFlag) !== 0,
        });
      }
      // NGHTTP2_HD_INFLATE_FINAL
      if ((flags[0]! & 1) !== 0) break;
    }
    library.functions.nghttp2_hd_inflate_end_headers(this.handle[0]!);
    return fields;
  }

  close(): void {
    this.library.functions.nghttp2_hd_inflate_del(this.handle[0]!);
  }
}

export class Deflater {
  private readonly library: Nghttp2;
  private readonly handle = new BigUint64Array(1);
  /** Held here while nghttp2 reads them. */
  private kept: (Uint8Array | BigUint64Array)[] = [];

  constructor(library: Nghttp2, largestTable: number) {
    this.library = library;
    library.functions.nghttp2_hd_deflate_new(library.pointer(this.handle), BigInt(largestTable));
  }

  changeTableSize(size: number): void {
    this.library.functions.nghttp2_hd_deflate_change_table_size(this.handle[0]!, BigInt(size));
  }

  deflate(fields: readonly PlainField[]): Buffer {
    const { library } = this;
    const out = Buffer.from(new ArrayBuffer(65_536));
    const records = new BigUint64Array(words * Math.max(1, fields.length));
    this.kept = [records, out];
    const store = (text: string): bigint => {
      const bytes = Uint8Array.from([...Buffer.from(text, 'latin1'), 0]);
      this.kept.push(bytes);
      return library.pointer(bytes);
    };
    for (const [index, { name, value, isNeverIndexed }] of fields.entries()) {
      const flag = isNeverIndexed ? noIndexFlag : 0;
      records.set(
        [store(name), store(value), BigInt(name.length), BigInt(value.length), BigInt(flag)],
        index * words,
      );
    }
    const written = library.functions.nghttp2_hd_deflate_hd2(
      this.handle[0]!,
      library.pointer(out),
      BigInt(out.length),
      library.pointer(records),
      BigInt(fields.length),
    );
    if (Number(written) < 0) throw new Error(`nghttp2 answers ${written}`);
    return out.subarray(0, Number(written));
  }

  close(): void {
    this.library.functions.nghttp2_hd_deflate_del(this.handle[0]!);
  }
}
