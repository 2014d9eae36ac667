import {
  findingToProblem,
  formatKey,
  keyOf,
  weigh,
  warningsAbout,
  type Finding,
  type MeshObject,
} from '@heddle/model';
import type { AnalysisFinding, AnalysisResponse } from '../api/types.ts';

/** What is wrong or doubtful about these objects: each with what does nothing yet, then with what analysis finds. */
export function describeAnalysis(
  objects: readonly MeshObject[],
  findings: ReadonlyMap<string, readonly Finding[]>,
): AnalysisResponse {
  const found = objects.flatMap((object): AnalysisFinding[] => {
    const { apiVersion, kind, metadata } = object;
    const { namespace, name } = metadata;
    const weighed = [
      ...warningsAbout(object).map(weigh),
      ...(findings.get(formatKey(keyOf(object))) ?? []).map((finding) => ({
        level: finding.level,
        problem: findingToProblem(finding, finding.level === 'ERROR' ? 'error' : 'warning'),
      })),
    ];
    return weighed.map(({ level, problem }) => ({ apiVersion, kind, namespace, name, level, problem }));
  });
  return { objects: objects.length, findings: found };
}
