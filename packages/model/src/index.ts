export * from './analysis/finding.ts';
export * from './kinds/kinds.ts';
export * from './manifest/object.ts';
export * from './manifest/parse-manifests.ts';
export * from './manifest/to-yaml.ts';
export * from './mesh/model.ts';
export type { ObjectSource, Position } from './source/place.ts';
export type { ManifestFile } from './source/read-documents.ts';
