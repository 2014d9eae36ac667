import { mebibyte } from '../load/support/loaded-proxy.ts';
import { testStreams } from '../load/support/streams.ts';

testStreams(1024 * mebibyte);
