// Numbers for names, as `version-table.ts` has them for versions, so that what a stream knows of a thousand resources is a few kilobytes: there are as many such
// entries as proxies times resources.

import { KnownVersion } from './version-table.ts';

/** Names of one type, numbered in the order in which they came. */
export class NameTable {
  private names: string[] = [];
  private ids = new Map<string, number>();
  private sizeWhenCompact = 0;

  get size(): number {
    return this.names.length;
  }

  find(name: string): number | undefined {
    return this.ids.get(name);
  }

  idOf(name: string): number {
    let id = this.ids.get(name);
    if (id === undefined) {
      id = this.names.length;
      this.names.push(name);
      this.ids.set(name, id);
    }
    return id;
  }

  nameOf(id: number): string {
    return this.names[id]!;
  }

  /** Whether it has grown so much that most names may be gone. */
  get isWorthCompacting(): boolean {
    return this.names.length > 2 * this.sizeWhenCompact + 10_000;
  }

  /** Drops all names but those whose ids `used` marks; returns the new id of each old one. */
  compact(used: Uint8Array): Uint32Array {
    const before = this.names;
    const moved = new Uint32Array(before.length);
    this.names = [];
    this.ids = new Map();
    for (const [id, name] of before.entries()) if (used[id] === 1) moved[id] = this.idOf(name);
    this.sizeWhenCompact = this.names.length;
    return moved;
  }
}

const pageSize = 256;

/** By name: whether a client has asked for it, and which version it knows. */
export class NameStates {
  private readonly table: NameTable;
  /** By id: twice the version's number, and one more where the name has been asked for. Pages that say nothing are not there. */
  private pages: (Float64Array | undefined)[] = [];
  private asked = 0;

  constructor(table: NameTable) {
    this.table = table;
  }

  /** How many names have been asked for. */
  get namedCount(): number {
    return this.asked;
  }

  isNamed(name: string): boolean {
    return this.read(this.table.find(name)) % 2 === 1;
  }

  /** False where it has been asked for already. */
  addName(name: string): boolean {
    const id = this.table.idOf(name);
    const value = this.read(id);
    if (value % 2 === 1) return false;
    this.write(id, value + 1);
    this.asked++;
    return true;
  }

  /** False where it has not been asked for. */
  deleteName(name: string): boolean {
    const id = this.table.find(name);
    const value = this.read(id);
    if (id === undefined || value % 2 === 0) return false;
    this.write(id, value - 1);
    this.asked--;
    return true;
  }

  /** The number that stands for a name. */
  idOf(name: string): number {
    return this.table.idOf(name);
  }

  versionOf(id: number): number {
    return Math.floor(this.read(id) / 2);
  }

  setVersionOf(id: number, version: number): void {
    this.write(id, version * 2 + (this.read(id) % 2));
  }

  version(name: string): number {
    return Math.floor(this.read(this.table.find(name)) / 2);
  }

  setVersion(name: string, version: number): void {
    if (version === KnownVersion.none && this.table.find(name) === undefined) return;
    this.setVersionOf(this.table.idOf(name), version);
  }

  /** Names of which there is anything to say. */
  *names(): Generator<string> {
    for (const id of this.ids()) yield this.table.nameOf(id);
  }

  /** Marks the ids of those names. */
  markIds(used: Uint8Array): void {
    for (const id of this.ids()) used[id] = 1;
  }

  /** Goes over to new ids. */
  moveIds(moved: Uint32Array): void {
    const before = this.pages;
    const ids = [...this.ids()];
    this.pages = [];
    for (const id of ids) this.write(moved[id]!, before[Math.floor(id / pageSize)]![id % pageSize]!);
  }

  private *ids(): Generator<number> {
    for (const [index, page] of this.pages.entries()) {
      if (page === undefined) continue;
      for (let at = 0; at < pageSize; at++) if (page[at] !== 0) yield index * pageSize + at;
    }
  }

  private read(id: number | undefined): number {
    if (id === undefined) return 0;
    const page = this.pages[Math.floor(id / pageSize)];
    return page === undefined ? 0 : page[id % pageSize]!;
  }

  private write(id: number, value: number): void {
    const index = Math.floor(id / pageSize);
    while (this.pages.length < index) this.pages.push(undefined);
    const page = (this.pages[index] ??= new Float64Array(pageSize));
    page[id % pageSize] = value;
  }
}
