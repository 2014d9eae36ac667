/**
 * The one door to `@peculiar/x509`: it needs reflection metadata to be there before it is loaded, and imports run in
 * the order in which they stand.
 */
import 'reflect-metadata';

export * as x509 from '@peculiar/x509';
