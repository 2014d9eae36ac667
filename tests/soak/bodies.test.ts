import { testBodies } from '../load/support/bodies.ts';
import { mebibyte } from '../load/support/loaded-proxy.ts';

testBodies(1024 * mebibyte);
