import { mebibyte } from './support/loaded-proxy.ts';
import { testStreams } from './support/streams.ts';

testStreams(8 * mebibyte);
