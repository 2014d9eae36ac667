import { FieldCache } from './field-cache.ts';
import { staticFields } from './static-fields.ts';

/** The fields of this thread that repeat: at most 2,048 of at most 1 KiB. Those of the static table have its order. */
export const sharedFields = new FieldCache(256, staticFields);
