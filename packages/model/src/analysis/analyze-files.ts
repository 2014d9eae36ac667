// Files as a whole mesh: what is wrong with each object, and what is doubtful about all of them together.
import type { Problem } from '@heddle/base';
import { isMeshConfigMap } from '../check/mesh-config-map.ts';
import { readMeshSettings } from '../check/mesh-settings.ts';
import { formatKey, keyOf } from '../manifest/object.ts';
import { type ParseOptions, type ParsedObject, parseManifests } from '../manifest/parse-manifests.ts';
import type { ManifestFile } from '../source/read-documents.ts';
import { analyze } from './analyze.ts';
import { type Finding, type FindingLevel, findingToProblem } from './finding.ts';

/** A problem, and how much it matters. */
export interface AnalyzedProblem {
  readonly level: FindingLevel;
  readonly problem: Problem;
}

/** Says what Heddle can't do, not what is wrong with the file. */
const harmless = new Set(['HEDDLE_ENVOY_ONLY', 'HEDDLE_NO_EFFECT_YET', 'HEDDLE_UNSUPPORTED_KIND']);

/**
 * Everything wrong or doubtful about files, in the order of their lines. Where an object is not valid the others are not
 * compared with it: most of what would be found is that it is missing.
 */
export function analyzeFiles(files: readonly ManifestFile[], options: ParseOptions): AnalyzedProblem[] {
  const { objects, problems } = parseManifests(files, options);
  const isValid = problems.every(({ severity }) => severity !== 'error');
  const order = new Map(files.map(({ name }, index) => [name, index]));
  const place = ({ problem: { file = '' } }: AnalyzedProblem): number => order.get(file) ?? 0;
  return [...problems.map(weigh), ...(isValid ? compare(objects) : [])].sort(
    (a, b) =>
      place(a) - place(b) ||
      (a.problem.line ?? 0) - (b.problem.line ?? 0) ||
      (a.problem.column ?? 0) - (b.problem.column ?? 0),
  );
}

/** How much a problem matters that a control plane or the parser tells. */
export function weigh(problem: Problem): AnalyzedProblem {
  if (harmless.has(problem.code)) return { level: 'INFO', problem };
  return { level: problem.severity === 'error' ? 'ERROR' : 'WARNING', problem };
}

function compare(objects: readonly ParsedObject[]): AnalyzedProblem[] {
  const sources = new Map(objects.map(({ object, source }) => [formatKey(keyOf(object)), source]));
  const findings: Finding[] = analyze({
    objects: objects.map(({ object }, createdRevision) => ({ object, createdRevision })),
    services: new Map(),
    meshConfig: meshConfigOf(objects),
  });
  return findings.map((finding) => {
    const severity = finding.level === 'ERROR' ? 'error' : 'warning';
    const source = sources.get(formatKey(finding.object));
    return { level: finding.level, problem: findingToProblem(finding, severity, source) };
  });
}

/** The mesh's settings, where the files hold them: that they can be read has been checked. */
function meshConfigOf(objects: readonly ParsedObject[]): Record<string, unknown> {
  for (const { object } of objects) {
    if (object.kind !== 'ConfigMap' || !isMeshConfigMap(object)) continue;
    const settings = readMeshSettings(object.spec.data!['mesh']!);
    if (settings.ok) return settings.value as Record<string, unknown>;
  }
  return {};
}
