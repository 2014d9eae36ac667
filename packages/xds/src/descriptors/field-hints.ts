/** What to do instead, where a field that isn't supported is often met. */
const hints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'envoy.config.rbac.v3.Policy': {
    condition: 'CEL is not evaluated: say it by permissions and principals.',
    checked_condition: 'CEL is not evaluated: say it by permissions and principals.',
  },
  'envoy.config.rbac.v3.Permission': {
    uri_template: 'Use url_path with safe_regex: [^/]+ for *, .* for **.',
  },
  'envoy.config.rbac.v3.Principal': {
    metadata: 'No filter makes metadata yet: tokens are not checked.',
  },
  'envoy.extensions.filters.http.rbac.v3.RBAC': {
    matcher: 'Write the policies under rules.',
    shadow_matcher: 'Write the policies under shadow_rules.',
  },
  'envoy.extensions.filters.network.rbac.v3.RBAC': {
    matcher: 'Write the policies under rules.',
    shadow_matcher: 'Write the policies under shadow_rules.',
  },
};

/** The hint for a field that is refused; undefined where there is none. */
export function hintFor(message: string, field: string): string | undefined {
  return hints[message]?.[field];
}

/** All of them, for the test that the fields exist. */
export function fieldHints(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return hints;
}
