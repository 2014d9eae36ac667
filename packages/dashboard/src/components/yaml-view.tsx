import type { ObjectWithStatus } from '../generated/api.ts';
import { yamlTokens } from '../yaml/to-yaml.ts';

/** An object as people wrote it: without its status and what the control plane keeps for itself. */
export function YamlView({ object }: { readonly object: ObjectWithStatus }) {
  const { apiVersion, kind, metadata, spec } = object;
  const { name, namespace, labels, annotations } = metadata;
  const tokens = yamlTokens({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec });
  return (
    // It scrolls when a line is long, and so must be reachable by the keyboard.
    <pre class="yaml" tabIndex={0} role="region" aria-label={`${kind} ${name} as YAML`}>
      <code>
        {tokens.map((token, index) =>
          token.kind === 'mark' ? (
            token.text
          ) : (
            <span key={index} class={`yaml-${token.kind}`}>
              {token.text}
            </span>
          ),
        )}
      </code>
    </pre>
  );
}
