// The mesh's settings as Istio keeps them: YAML inside of a ConfigMap's YAML.
import { err, ok, type Result } from '@heddle/base';
import { readDocuments } from '../source/read-documents.ts';

/** Reads the settings, `{}` where the text says nothing; the error is one sentence. */
export function readMeshSettings(text: string): Result<unknown, string> {
  const { documents, problems } = readDocuments({ name: 'mesh', text });
  const [problem] = problems;
  if (problem !== undefined) {
    const place = problem.line === undefined ? '' : ` (in line ${problem.line} of it)`;
    return err(`the text of the mesh's settings can't be read: ${problem.message}${place}`);
  }
  if (documents.length > 1) {
    const { line } = documents[1]!.source.locate('');
    return err(
      `the text of the mesh's settings holds ${documents.length} documents, the second in line ${line} of it; it must be one`,
    );
  }
  return ok(documents[0]?.value ?? {});
}
