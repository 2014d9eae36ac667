/** What a client knows of a name, beside versions. */
export const KnownVersion = {
  /** Nothing. */
  none: 0,
  /** That there is no such resource. */
  absent: 1,
  /** A version that is none of ours. */
  foreign: 2,
} as const;

/** So many versions are remembered; one that is forgotten is sent anew where a client has it. */
const versionsRemembered = 50_000;

/** Numbers for versions, which are never given twice. */
export class VersionTable {
  private recent = new Map<string, number>();
  private older = new Map<string, number>();
  private next: number = KnownVersion.foreign + 1;

  numberOf(version: string): number {
    const known = this.recent.get(version);
    if (known !== undefined) return known;
    const number = this.older.get(version) ?? this.next++;
    if (this.recent.size >= versionsRemembered) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(version, number);
    return number;
  }
}
