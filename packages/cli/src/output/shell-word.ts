/** A word as sh must read it, in quotes where it holds anything that sh could take for more than a letter. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
