// Ports as Istio's networking kinds write them.
import { z } from 'zod';
import { uint32 } from './fields.ts';

/** A port that somebody listens on; its protocol is text, as more are known than these schemas name. */
export const serverPort = z.strictObject({
  number: uint32,
  protocol: z.string(),
  name: z.string(),
  targetPort: uint32.optional(),
});

/** The same where all of it may be left out. */
export const sidecarPort = serverPort.partial();
