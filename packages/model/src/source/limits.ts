// What a file may ask of us. Every limit is far above what people write and far below what would stall the process.

/** Characters of one file: about 4 s of parsing at worst. Kubernetes stores no object above 1.5 MiB. */
export const maxFileLength = 2 * 1024 * 1024;

/** Values of one file, those reached through an alias counted each time: ends "billion laughs" early. */
export const maxValues = 200_000;

/** Levels of nesting; Istio's deepest field lies at 14. */
export const maxDepth = 64;

/** Problems reported for one object; whoever has more reads the first ones first. */
export const maxProblems = 100;
