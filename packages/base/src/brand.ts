/** A string or number that only its parsing function makes, so that two kinds of names are never mixed up. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
