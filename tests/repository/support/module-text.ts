import { parseSync } from 'rolldown/utils';

/** One place where a module names another. */
export interface ImportedModule {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** Nothing of it is there at run time. */
  readonly isType: boolean;
  /** `import()`: loaded when the place is reached. */
  readonly isDynamic: boolean;
}

/** What the checks need to know of a module's text. */
export interface ModuleText {
  readonly imports: readonly ImportedModule[];
  /** The text with comments replaced by spaces: same lines, same columns. */
  readonly code: string;
  /** The comments, each with its 1-based line. */
  readonly comments: readonly { readonly text: string; readonly line: number }[];
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index !== -1 && index < offset; index = text.indexOf('\n', index + 1))
    line++;
  return line;
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ');
}

/** The modules named in `import('x')` types anywhere below a node of the syntax tree. */
function importTypes(node: unknown): { specifier: string; offset: number }[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap(importTypes);
  const below = Object.values(node).flatMap(importTypes);
  if (!('type' in node) || node.type !== 'TSImportType' || !('source' in node)) return below;
  const { source } = node;
  if (typeof source !== 'object' || source === null || !('value' in source) || !('start' in source))
    return below;
  return [{ specifier: String(source.value), offset: Number(source.start) }, ...below];
}

/** Reads a module with a real parser. Throws where it has a syntax error. */
export function readModule(path: string, text: string): ModuleText {
  const parsed = parseSync(path, text);
  const [problem] = parsed.errors;
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
  const imports: ImportedModule[] = [];
  const add = (specifier: string, offset: number, isType: boolean, isDynamic: boolean): void => {
    imports.push({ specifier, line: lineAt(text, offset), isType, isDynamic });
  };
  for (const statement of parsed.module.staticImports) {
    const isType = statement.entries.length > 0 && statement.entries.every((entry) => entry.isType);
    add(statement.moduleRequest.value, statement.start, isType, false);
  }
  for (const statement of parsed.module.staticExports) {
    const reExports = statement.entries.filter((entry) => entry.moduleRequest !== null);
    const request = reExports[0]?.moduleRequest ?? null;
    if (request === null) continue;
    add(
      request.value,
      statement.start,
      reExports.every((entry) => entry.isType),
      false,
    );
  }
  for (const statement of parsed.module.dynamicImports) {
    const expression = text.slice(statement.moduleRequest.start, statement.moduleRequest.end);
    const literal = /^(['"`])([^'"`$]*)\1$/.exec(expression.trim());
    if (literal !== null) add(literal[2]!, statement.start, false, true);
  }
  let code = text;
  const comments = parsed.comments.map((comment) => {
    code =
      code.slice(0, comment.start) + blank(text.slice(comment.start, comment.end)) + code.slice(comment.end);
    return { text: comment.value, line: lineAt(text, comment.start) };
  });
  // `import('x').Type` in a type position is no import to the parser's summary.
  if (/\bimport\(/.test(code)) {
    for (const { specifier, offset } of importTypes(parsed.program)) add(specifier, offset, true, false);
  }
  return { imports, code, comments };
}
