import { testBodies } from './support/bodies.ts';
import { mebibyte } from './support/loaded-proxy.ts';

testBodies(64 * mebibyte);
