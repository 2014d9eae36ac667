/** Keys of Envoy's, Istio's and Kubernetes' files under which secrets stand, in any spelling. */
const secretName =
  /private_?key|pass_?(?:word|phrase|wd)|inline_?(?:string|bytes)|ticket|token|credential|hmac|api_?key|(?<!sds_)secret(?!_?config|s?_?manager)|\b(?:string)?data["']?\s*:/i;
const keyBegins = /-----BEGIN [A-Z ]*PRIVATE KEY/;
const keyEnds = /-----END [A-Z ]*PRIVATE KEY/;

/**
 * Whether a line (from 0) of a file may hold a part of a secret, so that it must not be printed: by what it names itself, by what the
 * keys name that it stands under, or because it lies within a private key. Rather too many than too few.
 */
export function holdsSecret(lines: readonly string[], index: number): boolean {
  let depth = Number.POSITIVE_INFINITY;
  for (let at = index; at >= 0; at--) {
    const line = lines[at]!;
    const indent = line.search(/\S/);
    if (indent < 0 || indent >= depth) continue;
    depth = indent;
    if (secretName.test(line)) return true;
    if (depth === 0) break;
  }
  return keyBegins.test(lines[index]!) || isWithinKey(lines, index);
}

function isWithinKey(lines: readonly string[], index: number): boolean {
  for (let at = index - 1; at >= 0; at--) {
    if (keyEnds.test(lines[at]!)) return false;
    if (keyBegins.test(lines[at]!)) return true;
  }
  return false;
}
