import type { Regex, Substitution } from './regex.ts';

/** A pattern and what takes the place of its matches. */
export class RegexRewrite {
  private readonly regex: Regex;
  private readonly substitution: Substitution;

  constructor(regex: Regex, substitution: Substitution) {
    this.regex = regex;
    this.substitution = substitution;
  }

  apply(text: string): string {
    return this.regex.replaceAll(text, this.substitution);
  }
}
