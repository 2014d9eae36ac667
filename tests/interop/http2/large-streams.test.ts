// With bodies that take a minute, too long for every `npm test`; servers are Node's. Larger ones are in tests/soak.
import { mebibyte } from '../../load/support/loaded-proxy.ts';
import { testStreams } from '../../load/support/streams.ts';

testStreams(64 * mebibyte);
